"""Kit g: nights of a sleep and movement-disorder laboratory, with exact truth."""
from .families import FAMILIES, compose
from .records import Composed, Truth

__all__ = ["FAMILIES", "Composed", "Truth", "compose"]
