"""Finds gaps in a stream of time stamps, and sums up what a clock fit needs.

A step longer than a period is only a candidate: a late stamp makes one too. It
is a gap if the stamps stay behind, that is, if none of the next few comes back
to where the ones before would have it. Stamps are worked on in blocks of fixed
size, so that the result does not depend on how the file was cut.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.sampling_rate import (
    LEARN,
    Floats,
    Stamps,
    estimate_period,
    find_rate_change,
    pooled_slope,
    round_rate,
)
from twitchsense.model.channels import NS

#: A gap-free run of stamps. Residuals are ``stamp - start - i * period`` in ns.
RUN: Final = np.dtype(
    [
        ("first", np.int64),
        ("count", np.int64),
        ("start", np.int64),
        ("sum_r", np.float64),
        ("sum_ir", np.float64),
        ("sum_rr", np.float64),
        ("low", np.float64),
        ("high", np.float64),
    ]
)
Runs = NDArray[np.void]

BLOCK: Final = 1 << 16
_AHEAD = 8  # stamps that must stay behind
_BACK = 32  # stamps that tell where they would be expected
_CANDIDATE = 1.35  # periods; a lost row between stamps 0.3 periods off is 1.4
_CONFIRMED = 0.5
_SAME_BEAT = 1000.0  # periods; a longer gap may end anywhere in a period
#: With more gaps than this per stamp there is no rate to speak of.
_MAX_GAPS = 1 / 3


class UnsteadyRateError(Exception):
    """The stamps do not belong to one sampling rate.

    Parameters
    ----------
    time_ns : int
        Stamp where it shows.
    problem : str
    column : str
        Name in the capture.
    """

    def __init__(self, time_ns: int, problem: str, column: str = "") -> None:
        super().__init__(problem)
        self.time_ns = time_ns
        self.problem = problem
        self.column = column


class StampTracker:
    """Takes the stamps of one channel's samples in order, in pieces of any size.

    Attributes
    ----------
    period : float
        Reference period in ns; zero before enough stamps were seen.
    rate : float or None
        Round rate in Hz that the reference period stands for, if it does.
    quantum : int
        Power of ten in ns which all stamps are multiples of.
    """

    def __init__(self) -> None:
        self.period = 0.0
        self.rate: float | None = None
        self.quantum = NS
        self._parts: list[Stamps] = []
        self._held = 0
        self._done = 0
        self._last = 0
        self._back: Floats = np.empty(0)
        self._runs: list[Runs] = []

    def push(self, stamps: Stamps) -> None:
        """Take more stamps (int64 ns, increasing).

        Raises
        ------
        UnsteadyRateError
        """
        self._parts.append(stamps)
        self._held += len(stamps)
        if self._held < BLOCK + _AHEAD:
            return
        held = np.concatenate(self._parts)
        at = 0
        while len(held) - at >= BLOCK + _AHEAD:
            self._process(held[at : at + BLOCK + _AHEAD], BLOCK)
            at += BLOCK
        self._parts = [held[at:].copy()]
        self._held = len(held) - at

    def close(self) -> Runs:
        """Return the runs of all stamps, in order.

        Raises
        ------
        UnsteadyRateError
        """
        held = np.concatenate([np.empty(0, np.int64), *self._parts])
        self._parts = []
        if len(held):
            self._process(held, len(held))
        runs = np.concatenate(self._runs) if self._runs else np.empty(0, RUN)
        if len(runs) - 1 > max(1, self._done * _MAX_GAPS):
            raise UnsteadyRateError(int(runs["start"][1]), "time stamps are not regular")
        return runs

    def _process(self, stamps: Stamps, n: int) -> None:
        """Work on the first `n` stamps; those after are only looked at."""
        if not self.period:
            self._learn(stamps)
        steps = self._steps(stamps)
        gaps = self._find_gaps(stamps, steps, n)
        self._refuse_rate_change(stamps, steps[:n], gaps)
        while self.quantum > 1 and (stamps[:n] % self.quantum).any():
            self.quantum //= 10
        self._add_runs(stamps[:n], gaps)
        self._last = int(stamps[n - 1])
        self._done += n

    def _learn(self, stamps: Stamps) -> None:
        """Set the reference period from the first stamps."""
        head = stamps[:LEARN]
        period = estimate_period(head)
        if period is None:
            raise UnsteadyRateError(int(head[0]), "time stamps are not regular")
        self.period = period
        steps = self._steps(head)
        gaps = self._find_gaps(head, steps, len(head))
        self._back = np.empty(0)
        self._refuse_rate_change(head, steps, gaps)
        # now that gaps are known, all stretches together give a better period
        self.period = pooled_slope(head, gaps) or self.period
        self.rate = round_rate(self.period)
        if self.rate:
            self.period = NS / self.rate

    def _steps(self, stamps: Stamps) -> Floats:
        """Return the step to each stamp from the one before (a period for the very first)."""
        steps = np.empty(len(stamps))
        np.subtract(stamps[1:], stamps[:-1], out=steps[1:])
        steps[0] = float(stamps[0] - self._last) if self._done else self.period
        return steps

    def _find_gaps(self, stamps: Stamps, steps: Floats, n: int) -> NDArray[np.int64]:
        """Return the indices below `n` of stamps that come after a gap."""
        period = self.period
        origin = self._last if self._done else int(stamps[0])
        index = np.arange(len(stamps)) + (1 if self._done else 0)
        # how late each stamp is; aligned, once what gaps took is taken off
        late = (stamps - origin).astype(np.float64) - index * period
        lead = len(self._back)
        aligned = np.concatenate([self._back, late])
        candidates = np.flatnonzero(steps[:n] > _CANDIDATE * period) + lead
        lows = np.empty(0)
        if len(candidates):
            ahead = np.append(aligned, np.full(_AHEAD, np.inf))
            lows = ahead[candidates[:, None] + np.arange(_AHEAD)].min(axis=1)
            before = np.maximum(candidates[:, None] - 1 - np.arange(_AHEAD), 0)
            # cheap test for all: most late stamps end here
            likely = lows - aligned[before].min(axis=1) > 0.6 * _CONFIRMED * period
            candidates, lows = candidates[likely], lows[likely]
        gaps: list[int] = []
        taken, done, fresh = 0.0, lead, 0
        stops = np.append(candidates, len(aligned))[1:]
        for at, low, stop in zip(candidates.tolist(), lows.tolist(), stops.tolist(), strict=True):
            aligned[done:at] -= taken
            done = at
            expected = float(np.median(aligned[max(fresh, at - _BACK) : at]))
            if low - taken - expected <= _CONFIRMED * period:
                continue
            after = float(np.median(aligned[at : min(at + _AHEAD, stop)])) - taken
            step = after - expected
            if step < _SAME_BEAT * period:
                # rows were lost, most likely: the samples after keep the beat
                taken += max(1, round(step / period)) * period
            else:
                taken += step  # nobody knows: what we expect begins anew
                fresh = at
            gaps.append(at - lead)
        aligned[done:] -= taken
        end = lead + n
        tail = aligned[max(fresh, end - _BACK) : end]
        self._back = tail - tail[-1]
        return np.array(gaps, np.int64)

    def _refuse_rate_change(self, stamps: Stamps, steps: Floats, gaps: NDArray[np.int64]) -> None:
        at = find_rate_change(steps, self.period, gaps)
        if at is not None:
            other = float(np.median(steps[at : at + 256]))
            raise UnsteadyRateError(
                int(stamps[at]),
                f"the sampling rate changes from {NS / self.period:.6g} to {NS / other:.6g} Hz",
            )

    def _add_runs(self, stamps: Stamps, gaps: NDArray[np.int64]) -> None:
        """Add stamps to the run that is open and to those that begin at `gaps`."""
        joins = bool(self._done) and not (len(gaps) and gaps[0] == 0)
        starts = gaps if len(gaps) and gaps[0] == 0 else np.concatenate([[0], gaps])
        runs = np.zeros(len(starts), RUN)
        runs["count"] = np.diff(np.append(starts, len(stamps)))
        runs["first"] = starts + self._done
        runs["start"] = stamps[starts]
        skipped = np.zeros(len(starts), np.int64)
        if joins:
            open_run = self._runs[-1][-1]
            skipped[0] = open_run["count"]
            runs["start"][0], runs["first"][0] = open_run["start"], open_run["first"]
        if len(starts) == 1:
            i = np.arange(len(stamps)) + skipped[0]
            r = (stamps - runs["start"][0]).astype(np.float64)
        else:
            i = np.arange(len(stamps)) - np.repeat(starts - skipped, runs["count"])
            r = (stamps - np.repeat(runs["start"], runs["count"])).astype(np.float64)
        r -= i * self.period
        runs["sum_r"] = np.add.reduceat(r, starts)
        runs["sum_ir"] = np.add.reduceat(i * r, starts)
        runs["sum_rr"] = np.add.reduceat(r * r, starts)
        runs["low"] = np.minimum.reduceat(r, starts)
        runs["high"] = np.maximum.reduceat(r, starts)
        if joins:
            for name in ("count", "sum_r", "sum_ir", "sum_rr"):
                self._runs[-1][name][-1] += runs[name][0]
            self._runs[-1]["low"][-1] = min(open_run["low"], runs["low"][0])
            self._runs[-1]["high"][-1] = max(open_run["high"], runs["high"][0])
            runs = runs[1:]
        if len(runs):
            self._runs.append(runs)
