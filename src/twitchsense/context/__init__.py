"""Sleep and wake around the events: hypnogram, accelerometer, sleep onset, tags."""
