"""The night while it is recorded: read from the night file that a recorder writes."""
