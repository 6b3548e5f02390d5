"""Detection: from samples to a table of events, in stages."""
