"""Blind recording composer D: coarse multi-compartment muscle, RC electrodes, two-link leg."""

from .families import FAMILIES, compose
from .model import Composed, Truth

__all__ = ["FAMILIES", "Composed", "Truth", "compose"]
