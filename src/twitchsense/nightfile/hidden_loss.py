"""One sampling rate for a stream whose arrivals alone tell a loss.

The clocks of such a stream follow the least late arrivals, so that a small hidden loss stretches
the time between two of them. A sensor has one rate: where the arrivals become later than it
allows, samples were lost, and the clock steps forward between two samples.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.nightfile.device_clock import SPREAD_SD, DeviceClock
from twitchsense.nightfile.lateness_fit import fit_line

#: Lateness (ns) that the clock may gain before it steps.
STEP_NS: Final = 1e8
#: Length (ns) of a window in which the rate is estimated: the delay of delivery hardly bends it.
_RATE_WINDOW_NS: Final = 600e9
#: Minimum number of knots in such a window.
_MIN_KNOTS: Final = 4
#: Distance, in samples, of the two knots of a step from the middle between two samples.
_STEP_MARGIN: Final = 0.25

Floats = NDArray[np.float64]


def separate_hidden_loss(
    clocks: Mapping[int, DeviceClock], rate_tolerance: float
) -> dict[int, DeviceClock]:
    """Return clocks of one rate, with steps where samples were lost.

    Parameters
    ----------
    clocks : mapping of int to DeviceClock
        Clock of each run of a stream, fitted with ``hides_loss``. A tick is a sample.
    rate_tolerance : float
        Largest relative error of the stated rate.

    Returns
    -------
    dict of int to DeviceClock
        The clock of the longest run gives the rate if it fits all runs to within `STEP_NS`.
    """
    lateness = {run: _lateness(clock) for run, clock in clocks.items()}
    slope = max(clocks.values(), key=lambda clock: clock.span_ns).slope - 1
    if any(np.ptp(y - slope * x) > STEP_NS for x, y in lateness.values()):
        least = _least_slope(lateness.values())
        slope = min(max(least, -rate_tolerance), rate_tolerance)
    return {run: _with_steps(clocks[run], y - slope * x, slope) for run, (x, y) in lateness.items()}


def _lateness(clock: DeviceClock) -> tuple[Floats, Floats]:
    """Return the nominal time and the lateness at the knots of a clock, ns."""
    x = clock.knots[0] * (NS / clock.tick_hz)
    return x, clock.knots[1] + (clock.slope - 1) * x


def _least_slope(lateness: Collection[tuple[Floats, Floats]]) -> float:
    """Return the least slope of the lateness in a long window: a loss only makes it larger."""
    slopes = []
    for x, y in lateness:
        last = max(x[-1] - _RATE_WINDOW_NS / 2, x[0] + 1)
        for start in np.arange(x[0], last, _RATE_WINDOW_NS / 2):
            inside = (x >= start) & (x <= start + _RATE_WINDOW_NS)
            if inside.sum() >= _MIN_KNOTS:
                slopes.append((float(np.ptp(x[inside])), fit_line(x[inside], y[inside])[0]))
    longest = max((span for span, _ in slopes), default=0.0)
    return min((slope for span, slope in slopes if span >= longest / 2), default=0.0)


def _with_steps(clock: DeviceClock, y: Floats, slope: float) -> DeviceClock:
    """Return the clock with a slope, and steps of at least `STEP_NS` that follow `y`.

    A loss never makes samples earlier, so that what falls again was a delay.
    """
    lasting = np.minimum.accumulate(y[::-1])[::-1]
    level, ticks, values = lasting[0], [0.0], [lasting[0]]
    distance_ns = abs(y[0] - level)
    middles = np.floor((clock.knots[0][1:] + clock.knots[0][:-1]) / 2) + 0.5
    for i, middle in enumerate(middles.tolist(), 1):
        if lasting[i] - level >= STEP_NS:
            ticks += [middle - _STEP_MARGIN, middle + _STEP_MARGIN]
            values += [level, lasting[i]]
            level = lasting[i]
        distance_ns = max(distance_ns, abs(y[i] - level))
    knots = np.array(ticks), np.array(values)
    spread_ns = clock.spread_ns + float(distance_ns) / SPREAD_SD
    return replace(clock, slope=1 + slope, knots=knots, spread_ns=spread_ns)
