"""The label of an event, by kind, pattern and sleep context."""
