"""Behind `manage.py demo` and `manage.py test`: an installation that needs nothing else, and the suite's tiers."""
