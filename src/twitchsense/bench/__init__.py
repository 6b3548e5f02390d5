"""Benchmarks of detection on this computer, run by ``twitchsense bench``."""
