"""Blind recording composer "a": a volume-conductor leg."""

from .families import FAMILIES, compose
from .records import Composed, Truth

__all__ = ["FAMILIES", "Composed", "Truth", "compose"]
