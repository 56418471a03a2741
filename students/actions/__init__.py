"""The verbs of the first floor: everything we do that the audit should know."""
