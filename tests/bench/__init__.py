"""Measurements of what users wait for, always beside a floor or a plain script in the same run: `python -m tests.bench`.

Nothing here passes or fails: ratios of one run are compared by people, on a machine that does little else meanwhile.
"""
