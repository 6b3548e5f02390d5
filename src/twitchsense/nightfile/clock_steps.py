"""Finds steps of the host's clock, by the ticks of a device.

While the host's clock runs evenly, the lateness of the least delayed frames stays on one level,
apart from the drift of the device's crystal. A step of the host's clock moves the level for good.
A radio fade raises the lateness too, but it then falls as fast as the frames are caught up: it has
no level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS

#: Length (s) of the windows of which only the smallest lateness is used.
STEP_WINDOW_S: Final = 2.0
#: Lengths (s) that are tried; the longer ones are for devices that deliver in bursts.
_WINDOWS_S: Final = (STEP_WINDOW_S, 10.0, 60.0)
#: Share of the windows that must stand on levels.
_MIN_LEVEL_SHARE: Final = 0.8
#: Minimum number of consecutive windows of a level, and of one at the start or end of a run.
_MIN_LEVEL_WINDOWS: Final = 5
_MIN_EDGE_WINDOWS: Final = 2
#: Range (ns) of the smallest step that is found, which depends on the jitter of delivery.
MIN_STEP_NS: Final = (0.05 * NS, 0.25 * NS)
#: Smallest step that is found, in standard deviations of the change between two windows.
_MIN_STEP_SD: Final = 8
#: Time (ns) beside a step in which the level is measured.
_EDGE_NS: Final = 60 * NS
#: Smallest error (ns) of a level.
_MIN_LEVEL_ERROR_NS: Final = 2e6
#: Relative rate change of a crystal with temperature.
_WANDER: Final = 5e-6
#: Standard deviation of a normal distribution, in median absolute deviations.
MAD_TO_SD: Final = 1.4826

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClockStretch:
    """A part of a run in which the host's clock ran evenly.

    Attributes
    ----------
    first_ns, last_ns : int
        First and last arrival in it, by the host's clock, ns.
    offset_ns : int
        Host's clock minus that in the run's reference stretch, ns.
    error_ns : int
        Standard error of the offset, ns.
    follows_known_step : bool
        Whether the size of the step before it is known, and not only the smallest one possible.
    """

    first_ns: int
    last_ns: int
    offset_ns: int = 0
    error_ns: int = 0
    follows_known_step: bool = True


@dataclass(frozen=True)
class ClockLevels:
    """The levels of the lateness of one run.

    Attributes
    ----------
    index : ndarray of int64, shape (n,)
        Level of each frame; -1 for one between two levels.
    offset_ns : ndarray of float64, shape (levels,)
        Lateness of each level, relative to the longest one.
    error_ns : ndarray of float64, shape (levels,)
        Standard error of the offsets.
    """

    index: Ints
    offset_ns: Floats
    error_ns: Floats


def least_late(x: Floats, y: Floats, window: float) -> Ints:
    """Return the index of the point with the smallest lateness in each window with points.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Time and lateness.
    window : float
        Length of a window, in the unit of `x`.

    Returns
    -------
    ndarray of int64, shape (windows,)
    """
    group = (x // window).astype(np.int64)
    order = np.lexsort((y, group))
    _, first = np.unique(group[order], return_index=True)
    return order[first]


def find_levels(
    nominal: Floats, lateness: Floats, rate_error: float, part: Ints
) -> ClockLevels | None:
    """Find the levels of the lateness.

    Parameters
    ----------
    nominal : ndarray of float64, shape (n,)
        Time of each frame by the device's ticks, increasing, ns.
    lateness : ndarray of float64, shape (n,)
        Arrival of each frame minus `nominal`, ns.
    rate_error : float
        Standard deviation of the relative rate of such clocks.
    part : ndarray of int64, shape (n,)
        Number of the known steps before each frame: frames between which one lies are never on
        one level.

    Returns
    -------
    ClockLevels or None
        None if all frames stand on one level.
    """
    for window_s in _WINDOWS_S:
        best = least_late(nominal, lateness, window_s * NS)
        x, y = nominal[best], lateness[best]
        if len(x) < 2 * _MIN_LEVEL_WINDOWS:
            return None
        level = _join_windows(x, y, rate_error, part[best])
        if np.mean(level >= 0) >= _MIN_LEVEL_SHARE:
            break
    else:
        return None
    slope, slope_error = _pooled_slope(x, y, level, rate_error)
    # with the rate of this crystal, fewer changes over an outage are steps
    level = _join_windows(x, y - slope * x, slope_error + _WANDER, part[best])
    count = int(level.max()) + 1
    steps, variances = _step_sizes(x, y - slope * x, level, slope_error + _WANDER)
    first = np.array([x[level == k][0] for k in range(count)])
    last = np.array([x[level == k][-1] for k in range(count)])
    reference = int(np.argmax(last - first))
    offsets = np.append(0.0, np.cumsum(steps))
    sums = np.append(0.0, np.cumsum(variances))
    errors = np.sqrt(np.abs(sums - sums[reference]))
    offsets -= offsets[reference]
    y = lateness - slope * nominal
    index = _level_of_points(nominal, y, part, x, level, offsets)
    floors = np.array([np.median(y[best][level == k]) for k in range(count)])
    index[y < floors[index] - MIN_STEP_NS[1]] = -1  # while the clock was back for a moment
    level_part = np.array([part[best][level == k][0] for k in range(count)])
    index[part != level_part[index]] = -1  # between two known steps that follow each other
    outside = (nominal < first[index]) | (nominal > last[index])
    index[outside & (y > floors[index] + MIN_STEP_NS[1])] = -1
    if count < 2 and (index >= 0).all():
        return None
    return ClockLevels(index, offsets, errors)


def _join_windows(x: Floats, y: Floats, rate_error: float, part: Ints) -> Ints:
    """Return the level of each window; -1 for a window on none."""
    changes = np.diff(y)
    spread = MAD_TO_SD * float(np.median(np.abs(changes - np.median(changes))))
    tolerance = float(np.clip(_MIN_STEP_SD * spread, *MIN_STEP_NS))
    breaks = np.abs(changes) > tolerance + 3 * rate_error * np.diff(x)
    breaks |= np.diff(part) != 0
    starts = np.flatnonzero(np.append(True, breaks))
    stops = np.append(starts[1:], len(x))
    level = np.full(len(x), -1)
    current, end = -1, 0
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        is_edge = start == 0 or stop == len(x)
        if stop - start < (_MIN_EDGE_WINDOWS if is_edge else _MIN_LEVEL_WINDOWS):
            continue
        if current >= 0:
            before = slice(max(0, end - _MIN_LEVEL_WINDOWS), end)
            change = float(np.median(y[start : start + _MIN_LEVEL_WINDOWS]) - np.median(y[before]))
            allowed = tolerance + 3 * rate_error * float(x[start] - x[end - 1])
        if current < 0 or abs(change) > allowed or part[start] != part[end - 1]:
            current += 1
        level[start:stop] = current
        end = stop
    return level


def _pooled_slope(x: Floats, y: Floats, level: Ints, prior: float) -> tuple[float, float]:
    """Return the slope that all levels have in common, and its standard error."""
    centred_x, centred_y = [], []
    for k in range(int(level.max()) + 1):
        xs, ys = x[level == k], y[level == k]
        centred_x.append(xs - xs.mean())
        centred_y.append(ys - np.median(ys))
    xs, ys = np.concatenate(centred_x), np.concatenate(centred_y)
    s_xx = float((xs**2).sum())
    slope = float((xs * ys).sum()) / s_xx
    for _ in range(3):  # without delayed windows
        rest = ys - slope * xs
        spread = MAD_TO_SD * float(np.median(np.abs(rest))) + 1e5
        kept = np.abs(rest) < 4 * spread
        s_xx = float((xs[kept] ** 2).sum())
        slope = float((xs[kept] * ys[kept]).sum()) / s_xx
    error = float(np.std(ys[kept] - slope * xs[kept])) / np.sqrt(s_xx)
    weight = prior**2 / (prior**2 + error**2)
    return slope * weight, float(min(3 * error, prior))


def _step_sizes(x: Floats, y: Floats, level: Ints, rate_error: float) -> tuple[Floats, Floats]:
    """Return each step between two levels, and its variance."""
    steps, variances = [], []
    for k in range(int(level.max())):
        before, after = np.flatnonzero(level == k), np.flatnonzero(level == k + 1)
        a = before[x[before] >= x[before[-1]] - _EDGE_NS]
        b = after[x[after] <= x[after[0]] + _EDGE_NS]
        steps.append(float(np.median(y[b]) - np.median(y[a])))
        spread = sum(float(np.median(np.abs(y[i] - np.median(y[i])))) ** 2 for i in (a, b))
        distance = float(np.mean(x[b]) - np.mean(x[a]))
        variances.append(
            MAD_TO_SD**2 * spread + 2 * _MIN_LEVEL_ERROR_NS**2 + (rate_error * distance) ** 2
        )
    return np.array(steps), np.array(variances)


def _level_of_points(
    x: Floats, y: Floats, part: Ints, window_x: Floats, level: Ints, offsets: Floats
) -> Ints:
    """Return the level of each point; -1 for points between two levels."""
    index = np.full(len(x), -1)
    count = int(level.max()) + 1
    ends = [(window_x[level == k][0], window_x[level == k][-1]) for k in range(count)]
    bounds = [int(np.searchsorted(x, first)) for first, _ in ends]
    for k in range(count):
        stop = int(np.searchsorted(x, ends[k][1], side="right"))
        index[bounds[k] : stop] = k
    for k in range(1, count):
        # points from the last of one level to the first of the next
        start = int(np.searchsorted(x, ends[k - 1][1], side="right"))
        stop = bounds[k]
        if stop <= start:
            continue
        floor = float(np.median(y[max(0, start - 50) : start])) - offsets[k - 1]
        middle = floor + (offsets[k - 1] + offsets[k]) / 2
        low = start + np.flatnonzero(y[start:stop] < middle)
        if part[start - 1] != part[stop]:
            split = start + int(np.count_nonzero(part[start:stop] < part[stop]))
        elif offsets[k] > offsets[k - 1]:
            split = int(low[-1]) + 1 if len(low) else start
        else:
            split = int(low[0]) if len(low) else stop
        index[start:split], index[split:stop] = k - 1, k
    index[: bounds[0]] = 0
    index[int(np.searchsorted(x, ends[-1][1], side="right")) :] = count - 1
    return index
