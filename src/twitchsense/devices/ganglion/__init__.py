"""OpenBCI Ganglion."""
