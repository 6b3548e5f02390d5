"""Sleep and wake around the events: hypnogram, inactivity, sleep onset, contexts."""
