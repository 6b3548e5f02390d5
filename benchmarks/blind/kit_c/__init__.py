"""Kit c: a statistical composer of leg EMG and acceleration with exact truth (see KIT.md)."""

from .families import FAMILIES, compose
from .types import Composed, Truth

__all__ = ["FAMILIES", "Composed", "Truth", "compose"]
