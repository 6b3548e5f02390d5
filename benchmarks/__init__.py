"""Measurements of how well and how fast twitchsense works; not installed with it."""
