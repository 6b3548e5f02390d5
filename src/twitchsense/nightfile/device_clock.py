"""Converts the ticks of a device to UTC, by the arrival times of its frames.

A frame arrives after its last sample: after the transmission time at least, often tens of
milliseconds and sometimes seconds later. Delays are never negative, so the *lower envelope*
of arrival minus ticks is the clock, and an average is not. A line fitted to the minima of
short windows gives the drift. The residuals, a slow variation of the rate with temperature,
are followed by knots with linear interpolation between them.

If only the arrivals show a loss, small losses stay hidden, and all later frames are late by them.
A line does not fit such frames. The minima of short windows are then the knots, so that the times
follow the arrivals.

"Lateness" is the arrival time minus the nominal time of the ticks, both since the first
frame. Steps of the host's clock are removed first (`clock_steps`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.nightfile.clock_steps import (
    STEP_WINDOW_S,
    ClockLevels,
    ClockStretch,
    find_levels,
    least_late,
)
from twitchsense.nightfile.lateness_fit import (
    FOLLOWED_WINDOW_S,
    KNOT_S,
    fit_knots,
    fit_line,
    is_late,
    knots_at_minima,
)

#: Maximum length (s) of a window, of which only the smallest lateness is used.
_WINDOW_S: Final = 60.0
#: Minimum number of windows: they are shorter in a recording too short for as many full ones.
_MIN_WINDOWS: Final = 12
#: Minimum length (s) of a window.
_MIN_WINDOW_S: Final = 2.0
#: Smallest step back (ns) that is a step of the host's clock where loss may be hidden.
_MIN_STEP_BACK_NS: Final = 1e9
#: Standard deviation (ppm) of the rate of an unknown crystal: the prior of the drift, which
#: dominates while data are few.
CRYSTAL_PPM: Final = 50.0
#: Bound of the error in standard deviations of the least delayed frames.
SPREAD_SD: Final = 3
#: Usual delay (s) of delivery: the least delay of few frames is not small.
_DELAY_S: Final = 0.1
#: Time (s) between two deliveries over Bluetooth, at least. While the crystal slips by less than
#: that, the slip of the deliveries against the samples cannot be told from its drift.
_INTERVAL_S: Final = 0.0075
#: Change of the rate of a crystal with the temperature, per s: it bends the time in an outage.
_RATE_CHANGE_PER_S: Final = 5e-9
#: Number of collected points above which those that the fit does not use are discarded.
MAX_PENDING: Final = 100_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DeviceClock:
    """Maps the ticks of one boot to UTC: a line plus interpolated knots.

    Attributes
    ----------
    tick_hz : float
        Nominal tick rate in Hz.
    origin_tick, origin_ns : int
        Ticks and UTC (ns) of a point of the line.
    slope : float
        True ns per nominal ns.
    knots : tuple of two ndarray of float64, shape (n,)
        Ticks since the origin, and ns to add to the line there.
    drift_ppm, drift_error_ppm : float
        Relative rate of the device's crystal (positive: fast) and its standard error, in ppm.
    spread_ns : float
        RMS distance of the least delayed frames from the fitted clock, ns.
    span_ns : float
        Time from the first to the last frame, ns.
    longest_gap_ns : float
        Longest time without a frame that arrived in time, ns.
    n_frames : int
        Number of frames that arrived.
    stretches : tuple of ClockStretch
        Parts of the run between steps of the host's clock, in their order.
    knot_ns : float
        Distance of the knots, ns.
    """

    tick_hz: float
    origin_tick: int
    origin_ns: int
    slope: float
    knots: tuple[Floats, Floats]
    drift_ppm: float
    drift_error_ppm: float
    spread_ns: float = 0.0
    span_ns: float = np.inf
    longest_gap_ns: float = 0.0
    n_frames: int = 1
    stretches: tuple[ClockStretch, ...] = ()
    knot_ns: float = KNOT_S * NS

    @property
    def error_s(self) -> float:
        """Uncertainty of the times, apart from the constant least delay of delivery, s.

        It is that of the least delayed frames, of the steps of the host's clock, of the time
        between two deliveries and, between two knots, of the rate.
        """
        window_ns = _window_ns(self.span_ns)
        frames = self.n_frames * min(1.0, window_ns / max(self.span_ns, 1.0))
        slips = max(CRYSTAL_PPM * 1e-6 * self.span_ns / NS / _INTERVAL_S, 1e-9)
        gap_s = max(min(self.knot_ns, self.span_ns), self.longest_gap_ns) / NS
        step_error_ns = max((s.error_ns for s in self.stretches), default=0)
        return (
            (SPREAD_SD * self.spread_ns + 2 * step_error_ns) / NS
            + _DELAY_S / max(1.0, frames)
            + _INTERVAL_S * min(slips, 1 / slips)
            + gap_s / 2 * self.drift_error_ppm * 1e-6
            + gap_s**2 / 8 * _RATE_CHANGE_PER_S
        )

    def shifted(self, shift_ns: int) -> DeviceClock:
        """Return the clock with all times later by `shift_ns`."""
        return replace(self, origin_ns=self.origin_ns + shift_ns)

    def to_utc(self, ticks: NDArray[np.int64] | Floats) -> NDArray[np.int64]:
        """Convert ticks to UTC.

        Parameters
        ----------
        ticks : ndarray, shape (n,)
            Ticks since boot; fractions are allowed.

        Returns
        -------
        ndarray of int64, shape (n,)
            UTC in ns.
        """
        since = np.asarray(ticks, np.float64) - self.origin_tick
        ns = since * (NS / self.tick_hz * self.slope) + np.interp(since, *self.knots)
        return self.origin_ns + np.rint(ns).astype(np.int64)


class ArrivalTimes:
    """Collects the arrival times of frames in bounded memory.

    Of a long night only the points are kept that `fit_device_clock` uses: the first, the
    last, and the one with the smallest lateness in each window of `STEP_WINDOW_S`.

    Parameters
    ----------
    tick_hz : float
        Nominal tick rate in Hz.
    prior_ppm : float
        Standard deviation of the rate of such clocks, ppm.
    hides_loss : bool
        Whether frames may be late by a loss that nothing else tells.

    Attributes
    ----------
    n_frames : int
        Number of points that were added.
    """

    def __init__(
        self, tick_hz: float, prior_ppm: float = CRYSTAL_PPM, *, hides_loss: bool = False
    ) -> None:
        self._tick_hz = tick_hz
        self._prior_ppm = prior_ppm
        self._hides_loss = hides_loss
        self._points = [np.empty((2, 0), np.int64)]
        self._count = self._kept = 0
        self.n_frames = 0

    def __len__(self) -> int:
        return self._count

    def push(self, ticks: NDArray[np.int64], arrival_ns: NDArray[np.int64]) -> None:
        """Add points in the order in which the device sent the frames.

        Parameters
        ----------
        ticks : ndarray of int64, shape (n,)
            Ticks of the last sample of each frame, since boot.
        arrival_ns : ndarray of int64, shape (n,)
            UTC of their arrival.
        """
        self._points.append(np.stack([ticks, arrival_ns]))
        self._count += len(ticks)
        self.n_frames += len(ticks)
        if self._count > self._kept + MAX_PENDING:
            self._discard_unused()

    def points(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the ticks and arrivals (ns) that are kept."""
        ticks, arrival_ns = np.concatenate(self._points, axis=1)
        return ticks, arrival_ns

    def fit(self, steps_ns: NDArray[np.int64] | None = None) -> DeviceClock:
        """Fit the clock to all points; see `fit_device_clock`."""
        ticks, arrival_ns = self.points()
        clock = fit_device_clock(
            ticks, arrival_ns, self._tick_hz, self._prior_ppm, steps_ns, self._hides_loss
        )
        return replace(clock, n_frames=self.n_frames)

    def _discard_unused(self) -> None:
        """Keep only the points that the fit uses."""
        points = np.concatenate(self._points, axis=1)
        points = points[:, np.argsort(points[0], kind="stable")]
        nominal, lateness = _lateness(points[0], points[1], self._tick_hz)
        window = _window_ns(float(nominal[-1]))
        if window == _WINDOW_S * NS:  # the windows of a shorter recording will still grow
            best = least_late(nominal, lateness, STEP_WINDOW_S * NS)
            keep = np.unique([0, *best, len(lateness) - 1])
            points = points[:, keep]
        self._points = [points]
        self._count = self._kept = points.shape[1]


def fit_device_clock(
    ticks: NDArray[np.int64],
    arrival_ns: NDArray[np.int64],
    tick_hz: float,
    prior_ppm: float = CRYSTAL_PPM,
    steps_ns: NDArray[np.int64] | None = None,
    hides_loss: bool = False,
) -> DeviceClock:
    """Fit the clock of one boot.

    Parameters
    ----------
    ticks : ndarray of int64, shape (n,)
        Ticks of the last sample of each frame, since boot, in any order. At least one frame
        is needed. Leave out retransmitted frames: they were sent long after they were complete.
    arrival_ns : ndarray of int64, shape (n,)
        UTC of their arrival.
    tick_hz : float
        Nominal tick rate in Hz.
    prior_ppm : float
        Standard deviation of the rate of such clocks, ppm.
    steps_ns : ndarray of int64, optional
        Arrivals after which the host's clock was set. Others are found.
    hides_loss : bool
        Whether frames may be late by a loss that nothing else tells. The clock then follows the
        least late frames, and forward steps of the host's clock are not looked for.

    Returns
    -------
    DeviceClock
    """
    order = np.argsort(ticks, kind="stable")
    ticks, arrival_ns = ticks[order], arrival_ns[order]
    origin, start = int(ticks[0]), int(arrival_ns[0])
    nominal, lateness = _lateness(ticks, arrival_ns, tick_hz)
    span_ns = float(nominal[-1])
    known = np.empty(0, np.int64) if steps_ns is None else steps_ns
    part = np.searchsorted(known, arrival_ns)
    levels = find_levels(nominal, lateness, prior_ppm * 1e-6, part)
    if hides_loss and not len(known) and levels is not None:
        steps = np.diff(levels.offset_ns)
        levels = levels if (steps < -_MIN_STEP_BACK_NS).any() else None
    stretches = _stretches(levels, arrival_ns)
    if levels is not None:
        usable = levels.index >= 0
        nominal, lateness = nominal[usable], lateness[usable]
        lateness = lateness - levels.offset_ns[levels.index[usable]]
    best = least_late(nominal, lateness, _window_ns(span_ns))
    x, y = nominal[best], lateness[best]
    slope, error = fit_line(x, y)
    step_error_ns = max(s.error_ns for s in stretches)
    error = float(np.hypot(error, 2 * step_error_ns / max(span_ns, 1.0)))
    # shrink the slope toward the prior, which has mean zero
    prior = prior_ppm * 1e-6
    weight = prior**2 / (prior**2 + error**2)
    slope, error = slope * weight, min(error, prior)
    if hides_loss:
        knots = knots_at_minima(nominal, lateness - slope * nominal, 1 + slope)
        # between two knots, the time may be wrong by all that it changes there
        spread_ns = float(np.abs(np.diff(knots[1])).max(initial=0.0)) / SPREAD_SD
        longest_gap_ns, knot_s = 0.0, FOLLOWED_WINDOW_S
    else:
        residuals = y - slope * x
        prompt = ~is_late(x, residuals)
        knots = fit_knots(x[prompt], residuals[prompt])
        misfit = residuals[prompt] - np.interp(x[prompt], *knots)
        # the line, and one value for each knot, were fitted to the same windows
        free = max(1, len(misfit) - 2 - len(knots[0]))
        spread_ns = float(np.sqrt(np.sum(misfit**2) / free))
        longest_gap_ns, knot_s = float(np.diff(x[prompt]).max(initial=0.0)), KNOT_S
    base = float(knots[1][0])
    drift = -slope / (1 + slope)  # the ticks of a fast crystal are too short
    return DeviceClock(
        tick_hz,
        origin,
        start + round(base),
        1.0 + slope,
        (knots[0] * (tick_hz / NS), knots[1] - base),
        drift * 1e6,
        error * 1e6,
        spread_ns,
        span_ns,
        longest_gap_ns,
        len(nominal),
        stretches,
        knot_s * NS,
    )


def _stretches(
    levels: ClockLevels | None, arrival_ns: NDArray[np.int64]
) -> tuple[ClockStretch, ...]:
    """Return the stretches of a run whose frames arrived at `arrival_ns`."""
    if levels is None:
        return (ClockStretch(int(arrival_ns.min()), int(arrival_ns.max())),)
    return tuple(
        ClockStretch(
            int(arrival_ns[levels.index == k].min()),
            int(arrival_ns[levels.index == k].max()),
            round(float(levels.offset_ns[k])),
            round(float(levels.error_ns[k])),
        )
        for k in range(len(levels.offset_ns))
    )


def _lateness(
    ticks: NDArray[np.int64], arrival_ns: NDArray[np.int64], tick_hz: float
) -> tuple[Floats, Floats]:
    """Return the nominal time since the first frame and the lateness of each frame, in ns."""
    nominal: Floats = (ticks - ticks[0]).astype(np.float64) * (NS / tick_hz)
    lateness: Floats = (arrival_ns - arrival_ns[0]).astype(np.float64) - nominal
    return nominal, lateness


def _window_ns(span_ns: float) -> float:
    """Return the length of the windows of a recording."""
    return min(_WINDOW_S * NS, max(span_ns / _MIN_WINDOWS, _MIN_WINDOW_S * NS))
