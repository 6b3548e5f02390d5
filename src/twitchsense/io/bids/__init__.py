"""BIDS data sets: names and sidecars, reader and writer."""
