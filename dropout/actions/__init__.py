"""What is done in dropout control: cases opened, handled and closed, visits, letters, exemptions."""
