"""Annotations of sleep laboratories: one reader per program, stages and respiratory events."""
