"""Blind composer f: leg EMG and acceleration from a volume-conductor model, with exact truth."""

from .families import FAMILIES, compose
from .records import Composed, Truth

__all__ = ["FAMILIES", "Composed", "Truth", "compose"]
