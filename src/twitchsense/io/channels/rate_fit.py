"""The sampling rate of a channel, fitted to the runs of its timestamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.channels.gap_detection import Runs
from twitchsense.model.channels import NS

#: Rounding error (ns) of times that were stored as a float of seconds.
_FLOAT_ERROR_NS: Final = 2.0
#: Standard errors within which a round rate replaces the fitted one.
_MAX_STANDARD_ERRORS: Final = 3
#: Maximum relative distance of the fitted rate from a round one that replaces it.
_MAX_ROUNDING: Final = 1e-6
#: Resolution (ns) of timestamps from which a rate on a grid has no error.
_EXACT_RESOLUTION_NS: Final = 1000


@dataclass(frozen=True, slots=True)
class RateFit:
    """Sampling rate of a channel and start of each run.

    Attributes
    ----------
    fs : float
        Sampling rate in Hz.
    fs_error : float
        Standard error of `fs` in Hz. Zero if all timestamps, with a resolution of a
        microsecond or finer, lie on the grid of a round rate.
    starts_ns : ndarray of int64, shape (runs,)
        Time of the first sample of each run in ns. Runs do not overlap.
    rms_residual_ns : float
        RMS residual of the timestamps in ns.
    """

    fs: float
    fs_error: float
    starts_ns: NDArray[np.int64]
    rms_residual_ns: float


def fit_rate(runs: Runs, period: float, round_fs: float | None, resolution: int) -> RateFit | None:
    """Fit one rate to all runs, and a start to each.

    Least squares with a common slope. Each run has its own start, because a sensor may
    restart after a gap. A round rate that explains every timestamp to within its rounding is
    preferred if the timestamps cannot distinguish it from the fit: they lie on one grid of
    the round rate, or the round rate is within the error of the fit. Short runs alone do not
    decide, because they agree with any rate that is near enough.

    Parameters
    ----------
    runs : structured ndarray, shape (runs,)
        From `TimestampSegmenter.close`.
    period : float
        Reference period (ns) of the residuals in `runs`.
    round_fs : float or None
        Round rate (Hz) that `period` corresponds to, if any.
    resolution : int
        Resolution of the timestamps in ns.

    Returns
    -------
    RateFit or None
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
    degrees_of_freedom = max(1.0, float(n.sum()) - len(n) - 1)
    variance = max(0.0, s_rr - change * s_ir) / degrees_of_freedom
    rms_residual = variance**0.5
    fs = NS / (period + change)
    fs_error = fs * (variance / s_ii) ** 0.5 / (period + change)
    tolerance = resolution + _FLOAT_ERROR_NS
    if round_fs and float((runs["high"] - runs["low"]).max()) <= tolerance:
        grid = _starts_on_grid(runs, round_fs, tolerance)
        if grid is not None or abs(fs - round_fs) <= _MAX_STANDARD_ERRORS * fs_error:
            starts = _starts_of_runs(runs, round_fs) if grid is None else grid
            error = 0.0 if resolution <= _EXACT_RESOLUTION_NS else fs_error
            return RateFit(round_fs, error, starts, rms_residual)
    if round_fs and abs(fs - round_fs) < min(
        _MAX_STANDARD_ERRORS * fs_error, _MAX_ROUNDING * round_fs
    ):
        fs, change = round_fs, 0.0
    offsets = runs["sum_r"] / n - change * middle
    starts = runs["start"] + np.rint(offsets).astype(np.int64)
    return RateFit(fs, fs_error, remove_overlaps(starts, runs["count"], fs), rms_residual)


def remove_overlaps(
    starts_ns: NDArray[np.int64], counts: NDArray[np.int64], fs: float
) -> NDArray[np.int64]:
    """Delay each run until the run before has ended.

    Parameters
    ----------
    starts_ns : ndarray of int64, shape (runs,)
        Start of each run. Changed in place.
    counts : ndarray of int64, shape (runs,)
        Samples of each run.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of int64, shape (runs,)
        `starts_ns`, without overlaps.
    """
    lengths = np.rint(counts * (NS / fs)).astype(np.int64)
    overlaps = np.flatnonzero(starts_ns[1:] < starts_ns[:-1] + lengths[:-1])
    if len(overlaps):
        for i in range(int(overlaps[0]) + 1, len(starts_ns)):
            starts_ns[i] = max(starts_ns[i], starts_ns[i - 1] + lengths[i - 1])
    return starts_ns


def _starts_on_grid(runs: Runs, fs: float, tolerance: float) -> NDArray[np.int64] | None:
    """Return the starts of runs whose timestamps are rounded times of one grid, or None.

    The midrange of all rounding errors gives the phase of the grid.
    """
    since: NDArray[np.int64] = runs["start"] - runs["start"][0]
    k = np.rint(since * fs / NS)
    grid = k * NS / fs  # the same arithmetic as Recording.from_arrays
    offset = since - grid
    low, high = float((offset + runs["low"]).min()), float((offset + runs["high"]).max())
    if high - low > tolerance:
        return None
    phase = (low + high) / 2
    phase = 0.0 if abs(phase) < 1e-3 else phase
    return np.asarray(runs["start"][0] + np.rint(grid + phase).astype(np.int64))


def _starts_of_runs(runs: Runs, fs: float) -> NDArray[np.int64]:
    """Return the start of each run by the midrange of its own rounding errors."""
    middle = np.rint((runs["low"] + runs["high"]) / 2).astype(np.int64)
    return remove_overlaps(runs["start"] + middle, runs["count"], fs)
