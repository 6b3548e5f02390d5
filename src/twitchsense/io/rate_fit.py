"""The clock of a channel, fitted to the runs of its time stamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.timestamps import Runs
from twitchsense.model.channels import NS


@dataclass(frozen=True, slots=True)
class Clock:
    """Rate of a channel and where its runs begin.

    Attributes
    ----------
    fs : float
        Hz.
    fs_error : float
        Standard error of `fs` in Hz. Zero where every stamp, of a microsecond
        or finer, sits on the grid of a round rate: nothing is left to doubt.
    starts : ndarray of int64, shape (runs,)
        Time of the first sample of each run in ns; runs do not overlap.
    stray : float
        RMS distance of stamps from the fit, in ns.
    """

    fs: float
    fs_error: float
    starts: NDArray[np.int64]
    stray: float


def fit_clock(runs: Runs, period: float, rate: float | None, quantum: int) -> Clock | None:
    """Fit one rate to all runs, and a start to each.

    Least squares with a common slope; each run has its own start, as a sensor
    may begin anew after a gap. A round rate that explains every stamp to within
    its rounding is taken, if the stamps can't tell it from the fit: they lie on
    one grid of it, or it is within the error of the fit. Short runs alone prove
    nothing, as any rate near enough explains them.

    Parameters
    ----------
    runs : structured ndarray
        From `StampTracker.close`.
    period : float
        Reference period of the runs' residuals, ns.
    rate : float or None
        Round rate that `period` stands for.
    quantum : int
        Resolution of the stamps, ns.

    Returns
    -------
    Clock or None
        None if no run has two samples.
    """
    n = runs["count"].astype(np.float64)
    middle = (n - 1) / 2
    s_ii = float((n * (n * n - 1) / 12).sum())
    if not s_ii:
        return None
    s_ir = float((runs["sum_ir"] - middle * runs["sum_r"]).sum())
    s_rr = float((runs["sum_rr"] - runs["sum_r"] ** 2 / n).sum())
    change = s_ir / s_ii
    freedom = max(1.0, float(n.sum()) - len(n) - 1)
    variance = max(0.0, s_rr - change * s_ir) / freedom
    stray = variance**0.5
    fs = NS / (period + change)
    fs_error = fs * (variance / s_ii) ** 0.5 / (period + change)
    tolerance = quantum + 2.0  # a float of seconds may be off by a ns or two
    if rate and float((runs["high"] - runs["low"]).max()) <= tolerance:
        grid = _starts_on_grid(runs, rate, tolerance)
        if grid is not None or abs(fs - rate) <= 3 * fs_error:
            starts = _starts_of_their_own(runs, rate) if grid is None else grid
            return Clock(rate, 0.0 if quantum <= 1000 else fs_error, starts, stray)
    if rate and abs(fs - rate) < min(3 * fs_error, 1e-6 * rate):
        fs, change = rate, 0.0
    offsets = runs["sum_r"] / n - change * middle
    starts = runs["start"] + np.rint(offsets).astype(np.int64)
    return Clock(fs, fs_error, _keep_apart(starts, runs["count"], fs), stray)


def _starts_on_grid(runs: Runs, rate: float, tolerance: float) -> NDArray[np.int64] | None:
    """Return where runs begin whose stamps are rounded times of one grid, or None.

    The middle of all rounding errors gives the phase of the grid exactly.
    """
    since: NDArray[np.int64] = runs["start"] - runs["start"][0]
    k = np.rint(since * rate / NS)
    beats = k * NS / rate  # the same arithmetic as Recording.from_arrays
    offset = since - beats
    low, high = float((offset + runs["low"]).min()), float((offset + runs["high"]).max())
    if high - low > tolerance:
        return None
    phase = (low + high) / 2
    phase = 0.0 if abs(phase) < 1e-3 else phase
    return np.asarray(runs["start"][0] + np.rint(beats + phase).astype(np.int64))


def _starts_of_their_own(runs: Runs, rate: float) -> NDArray[np.int64]:
    """Return where runs begin whose stamps are rounded, each from its own rounding errors."""
    middle = np.rint((runs["low"] + runs["high"]) / 2).astype(np.int64)
    return _keep_apart(runs["start"] + middle, runs["count"], rate)


def _keep_apart(
    starts: NDArray[np.int64], counts: NDArray[np.int64], fs: float
) -> NDArray[np.int64]:
    """Push a run later by the little it may seem to overlap the one before."""
    lengths = np.rint(counts * (NS / fs)).astype(np.int64)
    overlaps = np.flatnonzero(starts[1:] < starts[:-1] + lengths[:-1])
    if len(overlaps):
        for i in range(int(overlaps[0]) + 1, len(starts)):
            starts[i] = max(starts[i], starts[i - 1] + lengths[i - 1])
    return starts
