"""Wearables: bytes to samples and back, one file for each. No sockets, no clocks, no files."""
