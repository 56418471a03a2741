"""From an uploaded file to plain rows of cells, inside a child process.

This package imports nothing of the project: the child starts in a few hundredths of a second and
holds neither settings nor keys. `stream` yields tuples; the parent judges what they say.
"""
