"""From samples and timestamps to a channel: sampling rate, gaps, checks, names."""
