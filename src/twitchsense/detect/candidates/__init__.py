"""Candidates: one segment of one channel, searched for bursts, runs and movements."""
