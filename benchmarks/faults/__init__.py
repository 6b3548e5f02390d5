"""Faults against the commands: a full disk and signals, and hostile clients of the live page."""
