"""What is done about aid, with `by=` and an audit line."""
