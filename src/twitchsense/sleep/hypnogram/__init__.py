"""Hypnograms: readers for every supported program, placed on the time axis of a recording."""
