"""Point processes for the gaps between events: Poisson, gamma renewal, Hawkes, Markov-switching."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .waves import Rng


def poisson(rng: Rng, mean: float) -> Iterator[float]:
    """Exponential gaps."""
    while True:
        yield float(rng.exponential(mean))


def gamma_renewal(rng: Rng, mean: float) -> Iterator[float]:
    """Gamma gaps; the shape (0.7–6) says how regular."""
    k = rng.uniform(0.7, 6)
    while True:
        yield float(rng.gamma(k, mean / k))


def hawkes(rng: Rng, mean: float) -> Iterator[float]:
    """Self-exciting gaps (Ogata thinning), branching ratio 0.3–0.6, memory 4–20 s."""
    ratio, beta = rng.uniform(0.3, 0.6), 1 / rng.uniform(4, 20)
    mu, excite = (1 - ratio) / mean, 0.0
    while True:
        gap = 0.0
        while True:
            top = mu + excite
            w = float(rng.exponential(1 / top))
            gap += w
            excite *= float(np.exp(-beta * w))
            if rng.random() * top <= mu + excite:
                break
        excite += ratio * beta
        yield gap


def markov(rng: Rng, mean: float) -> Iterator[float]:
    """Two states, dense (0.45 of the mean gap) and sparse (2.2 times), that switch by chance."""
    dense = True
    while True:
        if rng.random() < (0.08 if dense else 0.18):
            dense = not dense
        yield float(rng.exponential(mean * (0.45 if dense else 2.2)))


PROCESSES = {"poisson": poisson, "gamma": gamma_renewal, "hawkes": hawkes, "markov": markov}


def gaps(rng: Rng, name: str, mean: float, floor: float) -> Iterator[float]:
    """Gaps of a named process: shorter than ``floor`` is redrawn near it, longer than 45 s is cut."""
    for g in PROCESSES[name](rng, mean):
        yield min(g, 45.0) if g >= floor else floor * (1 + 0.6 * rng.random())
