"""Simulated peripherals of devices on sale, one module each, written from public text alone.

They share no code with the drivers of twitchsense, so that one cannot hide a mistake of the
other.
"""
