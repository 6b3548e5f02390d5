"""Polar sensors: H10, OH1, Verity Sense, 360, Loop."""
