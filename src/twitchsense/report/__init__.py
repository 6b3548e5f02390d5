"""The report of a night and its figures."""
