"""Removes spikes of one to three false samples from an acceleration."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Lowest sampling rate at which a false sample differs from a short movement, Hz [E]: a leg cannot
#: move and come to rest again within 50 ms.
MIN_FS: Final = 60.0
#: Most samples in succession with one false value, as after upsampling by repetition.
LONGEST: Final = 3
#: Samples before and after that must show rest.
SIDE: Final = 2
#: Maximum deviation of these samples from their mean, and of the false samples from each other,
#: as a fraction of the height of the spike.
FLAT_FRACTION: Final = 0.1
#: Minimum height of a spike, g: less cannot become a movement.
MIN_HEIGHT_G: Final = 0.1
#: Samples before and after a sample that decide about it.
CONTEXT: Final = SIDE + LONGEST - 1


class SpikeRemover:
    """Replaces spikes of up to `LONGEST` samples by the mean of the samples beside them.

    A spike rises from rest and falls back to the same rest, each from one sample to the next. A
    limb that is accelerated is slowed down again, so the samples after a movement are not at rest.

    Parameters
    ----------
    fs : float
        Sampling rate, Hz. Below `MIN_FS` nothing is replaced.
    width : int
        Number of axes.
    """

    def __init__(self, fs: float, width: int) -> None:
        self._active = fs >= MIN_FS
        self._kept = np.empty((0, width))  # samples before the next one to return, then later ones
        self._before = 0

    def push(self, samples: Floats) -> Floats:
        """Add samples.

        Parameters
        ----------
        samples : ndarray of float64, shape (n, width)
            Acceleration, g.

        Returns
        -------
        ndarray of float64, shape (m, width)
            The next samples for which the samples after them are known.
        """
        if not self._active:
            return samples
        known = np.concatenate([self._kept, samples])
        stop = max(self._before, len(known) - CONTEXT)
        clean = remove_spikes(known)[self._before : stop]
        first = max(0, stop - CONTEXT)
        self._kept, self._before = known[first:], stop - first
        return clean

    def close(self) -> Floats:
        """End the signal.

        Returns
        -------
        ndarray of float64, shape (m, width)
            The remaining samples.
        """
        rest = remove_spikes(self._kept)[self._before :]
        self._kept, self._before = self._kept[:0], 0
        return rest


def remove_spikes(samples: Floats) -> Floats:
    """Return an acceleration without its spikes.

    Parameters
    ----------
    samples : ndarray of float64, shape (n, width)
        Acceleration, g.

    Returns
    -------
    ndarray of float64, shape (n, width)
        The same array where it has no spike.
    """
    clean = samples
    steps = np.diff(samples, axis=0)
    least = MIN_HEIGHT_G / 3
    if not steps.size or (steps.max() <= least and steps.min() >= -least):
        return samples  # the usual case at rest
    far = np.asarray((np.abs(steps) > least).any(axis=1))  # from the sample before
    for length in range(1, LONGEST + 1):
        # a spike rises `SIDE` samples after the first that shows rest
        places = max(0, len(samples) - 2 * SIDE - length + 1)
        first = np.flatnonzero(far[SIDE - 1 : SIDE - 1 + places])
        beside = samples[first[:, None] + [*range(SIDE), *range(SIDE + length, 2 * SIDE + length)]]
        spike = samples[first[:, None] + range(SIDE, SIDE + length)]
        rest = beside.mean(axis=1, keepdims=True)
        height = _norm(spike - rest).min(axis=1)
        uneven = np.maximum(
            _norm(beside - rest).max(axis=1),
            _norm(spike - spike.mean(axis=1, keepdims=True)).max(axis=1),
        )
        found = (height >= MIN_HEIGHT_G) & (uneven <= FLAT_FRACTION * height)
        if found.any():
            clean = clean.copy() if clean is samples else clean
            for k in range(SIDE, SIDE + length):
                clean[first[found] + k] = rest[found, 0]
    return clean


def _norm(vectors: Floats) -> Floats:
    """Return the length of vectors along the last axis."""
    return np.asarray(np.linalg.norm(vectors, axis=-1), np.float64)
