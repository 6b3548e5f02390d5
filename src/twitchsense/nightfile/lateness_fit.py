"""Lines and knots through the lateness of the least late frames of windows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.nightfile.clock_steps import MAD_TO_SD, least_late

#: Minimum number of windows for a linear fit at a knot.
_MIN_KNOT_WINDOWS: Final = 6
#: Maximum distance (s) of the windows from which the value at a knot is computed.
_KNOT_REACH_S: Final = 450.0
#: Distance (s) between knots.
KNOT_S: Final = 300.0
#: Length (s) of the windows whose minima are knots where loss may be hidden: longer than a fade.
FOLLOWED_WINDOW_S: Final = 20.0
#: Maximum lateness (ns) relative to a near window, beyond a rate change of the crystal.
_MAX_LATENESS_NS: Final = 5e6
#: Maximum relative rate change of the crystal between two compared windows. A larger one means
#: late frames: while those of a long outage are retransmitted, all frames are late for minutes.
_MAX_RATE_CHANGE: Final = 5e-6
#: Maximum distance, in windows, of two windows that are compared.
_COMPARED_WINDOWS: Final = 8
#: Maximum number of windows from which the robust slope is computed.
_MAX_SLOPE_POINTS: Final = 300
#: Smallest spread (ns) of the residuals.
_MIN_SPREAD_NS: Final = 1e4
#: Residual, in standard deviations, above which a window is excluded from the line.
_MAX_RESIDUAL_SD: Final = 4

Floats = NDArray[np.float64]


def is_late(x: Floats, residuals: Floats) -> NDArray[np.bool_]:
    """Return which windows are later than a rate change of the crystal can explain."""
    late = np.zeros(len(x), bool)
    for step in range(1, min(_COMPARED_WINDOWS, len(x) - 1) + 1):
        change = residuals[step:] - residuals[:-step]
        allowed = _MAX_LATENESS_NS + _MAX_RATE_CHANGE * (x[step:] - x[:-step])
        late[step:] |= change > allowed
        late[:-step] |= -change > allowed
    return late


def fit_line(x: Floats, y: Floats) -> tuple[float, float]:
    """Return a robust slope and its standard error.

    The slope is that of Theil and Sen (Sen 1968, doi:10.2307/2285891),
    refined by least squares without the windows that are late.
    """
    if len(x) < 3:
        return 0.0, np.inf
    subset = np.linspace(0, len(x) - 1, min(len(x), _MAX_SLOPE_POINTS)).astype(int)
    subset = np.unique(subset)
    i, j = np.triu_indices(len(subset), 1)
    xs, ys = x[subset], y[subset]
    slope = float(np.median((ys[j] - ys[i]) / (xs[j] - xs[i])))
    residuals = y - slope * x
    deviations = residuals - np.median(residuals)
    spread = MAD_TO_SD * float(np.median(np.abs(deviations))) + _MIN_SPREAD_NS
    kept = deviations < _MAX_RESIDUAL_SD * spread  # one-sided, because delays are positive
    x, residuals = x[kept], residuals[kept]
    centred = x - x.mean()
    s_xx = float((centred**2).sum())
    if len(x) < 3 or s_xx == 0:
        return slope, np.inf
    change = float((centred * residuals).sum()) / s_xx
    remaining = residuals - residuals.mean() - change * centred
    return slope + change, float(np.sqrt((remaining**2).sum() / (len(x) - 2) / s_xx))


def knots_at_minima(x: Floats, residuals: Floats, slope: float) -> tuple[Floats, Floats]:
    """Return knots (time and value in ns) at the minima of the residuals, in increasing time."""
    best = least_late(x, residuals, FOLLOWED_WINDOW_S * NS)
    x, line = x[best], x[best] * slope
    return x, np.maximum.accumulate(line + residuals[best]) - line


def fit_knots(x: Floats, residuals: Floats) -> tuple[Floats, Floats]:
    """Return knots (time and value in ns) that follow the residuals of the line."""
    times = np.arange(0.0, x[-1] + KNOT_S * NS, KNOT_S * NS)
    values: dict[float, float] = {}
    for knot in times:
        near = np.abs(x - knot) <= _KNOT_REACH_S * NS
        if not near.any():
            continue  # an outage, which is interpolated
        early = near & (residuals <= residuals[near].min() + _MAX_LATENESS_NS)
        xs, ys = x[early], residuals[early]
        if len(xs) >= _MIN_KNOT_WINDOWS and xs[0] <= knot <= xs[-1]:
            # the value at the knot of a line through the windows around it
            values[float(knot)] = float(np.polyfit((xs - knot) / NS, ys, 1)[1])
        else:
            values[float(xs.mean())] = float(ys.mean())
    knots = sorted(values)
    return np.array(knots), np.array([values[knot] for knot in knots])
