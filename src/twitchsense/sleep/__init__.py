"""Sleep and wake: hypnograms, sustained inactivity, sleep onset, context of events."""
