"""Blind composer e: leg EMG and acceleration from a population of simulated sleepers.

Physics first: motor units of a real geometry under the electrodes, a leg on a mattress, electrodes
with half-cells, amplifiers with bands and rails. ``compose(family, seed)`` gives one recording with
its truth; ``FAMILIES`` names the situations. See ``KIT.md``.
"""

from .families import FAMILIES, compose
from .model import Composed, Truth

__all__ = ["FAMILIES", "Composed", "Truth", "compose"]
