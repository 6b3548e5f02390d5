"""The noise floor: causal, robust, with a memory in seconds.

Each second of an envelope gives its median and its robust SD. The floor that
holds *during* a second is a low quantile of these over the seconds *before* it,
so that an event can't raise its own threshold, and activity may fill most of
the memory before it is taken for noise. Only the first seconds of a segment
look ahead: there is nothing before them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from twitchsense.dsp.framing import medians

Floats = NDArray[np.float64]

#: Seconds at the start of a segment that share one floor, made from themselves.
WARM_UP_S = 10
#: MAD to SD for a normal distribution.
MAD_TO_SD = 1.4826
#: An envelope whose median over a second is no greater than this is a flat line.
FLAT = 1e-9


@dataclass(frozen=True, slots=True)
class FloorPiece:
    """Envelope values whose floor is now known, and that floor for each of them."""

    envelope: Floats
    centre: Floats
    spread: Floats


class NoiseFloor:
    """Follows the floor of an envelope.

    Parameters
    ----------
    per_second : int
        Envelope values in one second.
    memory_s : float
        How far back the floor looks.
    quantile : float
        Which of the remembered seconds counts (0.25: the quieter quarter).
    least : float
        Smallest spread, as a guard for coarse or constant signals.
    """

    def __init__(self, per_second: int, memory_s: float, quantile: float, least: float) -> None:
        self._per_second = per_second
        self._memory = max(WARM_UP_S, round(memory_s))
        self._quantile = quantile
        self._least = least
        self._waiting = np.empty(0)
        self._given = 0  # values of the unfinished second already given out
        self._centres = np.empty(0)
        self._spreads = np.empty(0)
        self._now = np.empty(0), np.empty(0)  # centre and spread of the unfinished second
        self._warm = False

    def push(self, envelope: Floats) -> FloorPiece:
        """Take envelope values; return those whose floor is known by now."""
        self._waiting = np.concatenate([self._waiting, envelope])
        n = self._per_second
        whole = len(self._waiting) // n
        if not self._warm:
            if whole < WARM_UP_S:
                return self._nothing()
            return self._warm_up(WARM_UP_S)
        return self._steady()

    def close(self) -> FloorPiece:
        """Return what is left; a short segment is judged by all of itself."""
        if self._warm:
            return self._nothing()
        whole = len(self._waiting) // self._per_second
        return self._warm_up(whole) if whole else self._nothing()

    def _warm_up(self, whole: int) -> FloorPiece:
        n = self._per_second
        head, self._waiting = self._waiting[: whole * n], self._waiting[whole * n :]
        self._remember(head.reshape(whole, n))
        self._warm = True
        centre = np.full(len(head), self._low(self._centres))
        spread = np.full(len(head), self._low(self._spreads))
        ends = np.array([len(self._centres)])
        self._now = self._rolling(self._centres, ends), self._rolling(self._spreads, ends)
        rest = self._steady()
        return FloorPiece(
            np.concatenate([head, rest.envelope]),
            np.concatenate([centre, rest.centre]),
            np.concatenate([np.maximum(spread, self._least), rest.spread]),
        )

    def _steady(self) -> FloorPiece:
        """Judge everything that waits; `_waiting` keeps the unfinished second."""
        n = self._per_second
        whole = len(self._waiting) // n
        centres, spreads = self._now
        if not whole:  # most packets end no second
            fresh = self._waiting[self._given :]
            self._given = len(self._waiting)
            centre, spread = float(centres[0]), max(float(spreads[0]), self._least)
            return FloorPiece(fresh, np.full(len(fresh), centre), np.full(len(fresh), spread))
        before = len(self._centres)
        alive = self._remember(self._waiting[: whole * n].reshape(whole, n))
        # how much memory lies before each second after the first, the unfinished one too
        ends = before + np.cumsum(alive)
        centres = np.append(centres, self._rolling(self._centres, ends))
        spreads = np.append(spreads, self._rolling(self._spreads, ends))
        self._now = centres[-1:], spreads[-1:]
        self._centres = self._centres[-self._memory :]
        self._spreads = self._spreads[-self._memory :]
        here = slice(self._given, len(self._waiting))
        piece = FloorPiece(
            self._waiting[here],
            np.repeat(centres, n)[here],
            np.maximum(np.repeat(spreads, n)[here], self._least),
        )
        self._waiting = self._waiting[whole * n :].copy()
        self._given = len(self._waiting)
        return piece

    def _remember(self, seconds: Floats) -> NDArray[np.bool_]:
        """Add seconds to the memory; return which of them were alive.

        A flat line is no quiet signal: it leaves no memory, or the first noise
        after it would look like an event.
        """
        centres = medians(seconds)
        spreads = MAD_TO_SD * medians(np.abs(seconds - centres[:, None]))
        alive = centres > FLAT
        self._centres = np.concatenate([self._centres, centres[alive]])
        self._spreads = np.concatenate([self._spreads, spreads[alive]])
        return alive

    def _low(self, memory: Floats) -> float:
        if len(memory) == 0:
            return 0.0
        return float(np.sort(memory)[self._rank(len(memory))])

    def _rolling(self, memory: Floats, ends: NDArray[np.int64]) -> Floats:
        """Return the floor for each end of memory: over the values just before it."""
        out = np.empty(len(ends))
        short = ends < self._memory
        for i in np.flatnonzero(short):
            out[i] = self._low(memory[: ends[i]])
        if not short.all():
            windows = sliding_window_view(memory, self._memory)[ends[~short] - self._memory]
            out[~short] = np.sort(windows, axis=1)[:, self._rank(self._memory)]
        return out

    def _rank(self, count: int) -> int:
        """Place of the quantile among so many values in order, rounded down."""
        return int(self._quantile * (count - 1))

    @staticmethod
    def _nothing() -> FloorPiece:
        empty = np.empty(0)
        return FloorPiece(empty, empty, empty)
