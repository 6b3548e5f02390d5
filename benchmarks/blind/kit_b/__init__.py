"""Kit b: test recordings built from real leg EMG and acceleration, with exact truth (see KIT.md)."""

from .families import FAMILIES, compose
from .model import Composed, Setup, Truth

__all__ = ["FAMILIES", "Composed", "Setup", "Truth", "compose"]
