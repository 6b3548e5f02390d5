"""Placing packets on the sampling grid of a device, and counting what is lost."""
