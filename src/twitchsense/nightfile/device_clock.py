"""Device ticks to UTC, from when frames arrived.

A frame arrives some time after its last sample: at least the air time, often tens of
milliseconds, sometimes seconds. Noise only ever makes it later, so the *lower envelope*
of arrival minus ticks is the clock, and anything that averages is not. A line fitted to
the minima of short windows gives the drift; what is left over, the slow wander with
temperature, is followed by knots between which it is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS

_WINDOW_S: Final = 60.0
_KNOT_S: Final = 300.0
_REACH_S: Final = 450.0
#: What a crystal of unknown make may be off by (ppm); decides while data are few.
_PRIOR_PPM: Final = 50.0
_LATE_NS: Final = 5e6  # a window whose best frame was later than this tells nothing
#: So much a crystal may have changed its rate between a window and one that it is held
#: against, which are no more than so many windows apart: while a long outage is fetched,
#: every frame is late for minutes.
_WANDER: Final = 5e-6
_AROUND: Final = 8
#: Points that are held before it is seen which of them matter.
_HELD: Final = 100_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TickClock:
    """Maps the ticks of one boot to UTC.

    Attributes
    ----------
    tick_hz : int
        Nominal.
    origin_tick, origin_ns : int
        A point of the line.
    slope : float
        True ns for a nominal ns.
    knots : (ticks since the origin, ns), each shape (n,)
        What the wander adds to the line.
    drift_ppm, drift_error_ppm : float
        How fast the device's crystal is (positive = fast), and one standard error.
    """

    tick_hz: int
    origin_tick: int
    origin_ns: int
    slope: float
    knots: tuple[Floats, Floats]
    drift_ppm: float
    drift_error_ppm: float

    def to_utc(self, ticks: NDArray[np.int64] | Floats) -> NDArray[np.int64]:
        """Return UTC in ns of ticks since boot, which may be fractions."""
        since = np.asarray(ticks, np.float64) - self.origin_tick
        ns = since * (NS / self.tick_hz * self.slope) + np.interp(since, *self.knots)
        return self.origin_ns + np.rint(ns).astype(np.int64)


class Arrivals:
    """When frames arrived, in a memory that does not grow with the night.

    Of a long night only what `fit_tick_clock` would choose is kept: the first point, the
    last, and the least late of each window.

    Parameters
    ----------
    tick_hz : int
    """

    def __init__(self, tick_hz: int) -> None:
        self._tick_hz = tick_hz
        self._points = [np.empty((2, 0), np.int64)]
        self._held = self._kept = 0

    def __len__(self) -> int:
        return self._held

    def push(self, ticks: NDArray[np.int64], arrival_ns: NDArray[np.int64]) -> None:
        """Take more points, in the order in which the device sent them."""
        self._points.append(np.stack([ticks, arrival_ns]))
        self._held += len(ticks)
        if self._held > self._kept + _HELD:
            self._thin_out()

    def fit(self) -> TickClock:
        """Fit the clock."""
        ticks, arrival_ns = np.concatenate(self._points, axis=1)
        return fit_tick_clock(ticks, arrival_ns, self._tick_hz)

    def _thin_out(self) -> None:
        points = np.concatenate(self._points, axis=1)
        points = points[:, np.argsort(points[0], kind="stable")]
        nominal, late = _lateness(points[0], points[1], self._tick_hz)
        window = _window(float(nominal[-1]))
        if window == _WINDOW_S * NS:  # before that they still widen
            keep = np.unique([0, *_least_late(nominal, late, window), len(late) - 1])
            points = points[:, keep]
        self._points = [points]
        self._held = self._kept = points.shape[1]


def fit_tick_clock(
    ticks: NDArray[np.int64], arrival_ns: NDArray[np.int64], tick_hz: int
) -> TickClock:
    """Fit the clock of one boot.

    Parameters
    ----------
    ticks : ndarray of int64, shape (n,)
        Ticks of the last sample of frames that were sent as soon as they were complete.
    arrival_ns : ndarray of int64, shape (n,)
        UTC of their arrival. At least one is needed.
    tick_hz : int

    Returns
    -------
    TickClock
    """
    order = np.argsort(ticks, kind="stable")
    ticks, arrival_ns = ticks[order], arrival_ns[order]
    origin, start = int(ticks[0]), int(arrival_ns[0])
    nominal, late = _lateness(ticks, arrival_ns, tick_hz)
    best = _least_late(nominal, late, _window(float(nominal[-1])))
    x, y = nominal[best], late[best]
    slope, error = _line(x, y)
    # with little data the crystal's tolerance is the better guess
    trust = (_PRIOR_PPM * 1e-6) ** 2 / ((_PRIOR_PPM * 1e-6) ** 2 + error**2)
    slope, error = slope * trust, min(error, _PRIOR_PPM * 1e-6)
    rest = y - slope * x
    prompt = ~_late(x, rest)
    knots = _wander(x[prompt], rest[prompt])
    base = float(knots[1][0])
    drift = -slope / (1 + slope)  # a fast crystal makes its ticks too short
    return TickClock(
        tick_hz,
        origin,
        start + round(base),
        1.0 + slope,
        (knots[0] * (tick_hz / NS), knots[1] - base),
        drift * 1e6,
        error * 1e6,
    )


def _lateness(
    ticks: NDArray[np.int64], arrival_ns: NDArray[np.int64], tick_hz: int
) -> tuple[Floats, Floats]:
    """Return nominal ns since the first of some frames, and how late after it each came."""
    nominal: Floats = (ticks - ticks[0]).astype(np.float64) * (NS / tick_hz)
    late: Floats = (arrival_ns - arrival_ns[0]).astype(np.float64) - nominal
    return nominal, late


def _window(span: float) -> float:
    """Return the length of a window in ns."""
    return min(_WINDOW_S * NS, max(span / 12, 2.0 * NS))


def _least_late(x: Floats, y: Floats, window: float) -> NDArray[np.int64]:
    """Return which point of each window that has one is the least late."""
    group = (x // window).astype(np.int64)
    order = np.lexsort((y, group))
    _, first = np.unique(group[order], return_index=True)
    return order[first]


def _late(x: Floats, rest: Floats) -> NDArray[np.bool_]:
    """Tell which windows are later than the crystal can have wandered from one near them."""
    late = np.zeros(len(x), bool)
    for step in range(1, min(_AROUND, len(x) - 1) + 1):
        change = rest[step:] - rest[:-step]
        allowed = _LATE_NS + _WANDER * (x[step:] - x[:-step])
        late[step:] |= change > allowed
        late[:-step] |= -change > allowed
    return late


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Return a robust slope and its standard error (Theil-Sen, then least squares)."""
    if len(x) < 3:
        return 0.0, np.inf
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), 300)).astype(int))
    i, j = np.triu_indices(len(some), 1)
    xs, ys = x[some], y[some]
    slope = float(np.median((ys[j] - ys[i]) / (xs[j] - xs[i])))
    rest = y - slope * x
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) + 1e4
    good = rest - np.median(rest) < 4 * spread  # late ones only: noise has one side
    x, rest = x[good], rest[good]
    centred = x - x.mean()
    s_xx = float((centred**2).sum())
    if len(x) < 3 or s_xx == 0:
        return slope, np.inf
    change = float((centred * rest).sum()) / s_xx
    left = rest - rest.mean() - change * centred
    return slope + change, float(np.sqrt((left**2).sum() / (len(x) - 2) / s_xx))


def _wander(x: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """Return knots that follow what the line leaves over."""
    at = np.arange(0.0, x[-1] + _KNOT_S * NS, _KNOT_S * NS)
    values: dict[float, float] = {}
    for knot in at:
        near = np.abs(x - knot) <= _REACH_S * NS
        if not near.any():
            continue  # an outage: interpolated from its two sides
        some = near & (rest <= rest[near].min() + _LATE_NS)
        xs, ys = x[some], rest[some]
        if len(xs) >= 6 and xs[0] <= knot <= xs[-1]:
            # a straight piece through the early windows, read at the knot
            values[float(knot)] = float(np.polyfit((xs - knot) / NS, ys, 1)[1])
        else:
            values[float(xs.mean())] = float(ys.mean())
    places = sorted(values)
    return np.array(places), np.array([values[place] for place in places])
