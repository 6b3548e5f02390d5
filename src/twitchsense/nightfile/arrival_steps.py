"""Finds steps of the host's clock in the stored order of the values of one device.

Values are stored in the order of their arrival, so a time before the one of the value before is a
step back. Bluetooth ends a connection after a silence of 32 s at most, so a longer one within a
connection is a step forward. Smaller steps forward look like a loss here; the ticks of the device
show them (`clock_steps`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from twitchsense.model.channels import NS
from twitchsense.nightfile.clock_steps import ClockStretch

#: Smallest step back (ns).
_MIN_BACK_NS: Final = NS // 20
#: Longest silence (ns) in a connection: the longest supervision timeout, and some delay.
_MAX_SILENCE_NS: Final = 35 * NS
#: Values on each side of a step by which the usual time between two is known.
_NEIGHBOURS: Final = 100
#: After a silence that was a delay, the values come at once: in less than this share of the time
#: that they usually take.
_MIN_SHARE: Final = 0.5
#: Assumed duration (ns) of a reconnection during which the clock was set back.
_RECONNECT_NS: Final = NS
#: Shortest part (ns) of a stretch on either side of a step.
_MIN_PART_NS: Final = NS

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ArrivalSteps:
    """Steps of the host's clock, by row.

    Attributes
    ----------
    rows : ndarray of int64, shape (steps,)
        First row after each step.
    sizes_ns : ndarray of int64, shape (steps,)
    at_ns : ndarray of int64, shape (steps,)
        Arrival of the last value before each step, without the steps before.
    is_exact : ndarray of bool, shape (steps,)
        Whether the step lies within a connection, so that its size is known.
    replaced_ns : dict of int to int
        Arrival without steps of the rows whose own says nothing, by row: the time of one is
        damaged, or it came between two steps that follow each other. It is that of the next row
        whose time can be used, so that the value counts as delivered late.
    """

    rows: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    sizes_ns: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    at_ns: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    is_exact: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    replaced_ns: dict[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def without(self, row: int, arrival_ns: int) -> int:
        """Return an arrival without the steps before it, ns."""
        if row in self.replaced_ns:
            return self.replaced_ns[row]
        if not len(self.rows):
            return arrival_ns
        return arrival_ns - int(self.sizes_ns[: np.searchsorted(self.rows, row, "right")].sum())

    def restore(self, stretches: tuple[ClockStretch, ...]) -> tuple[ClockStretch, ...]:
        """Return stretches of times without steps as stretches of the host's clock."""
        restored = []
        totals = np.append(0, np.cumsum(self.sizes_ns)).tolist()
        exact = [True, *self.is_exact.tolist()]
        done = 0
        for stretch in stretches:
            low, high = np.searchsorted(self.at_ns, [stretch.first_ns, stretch.last_ns]).tolist()
            for part in range(low, high + 1):
                first = stretch.first_ns if part == low else int(self.at_ns[part - 1]) + 1
                last = stretch.last_ns if part == high else int(self.at_ns[part])
                if low < high and last - first < _MIN_PART_NS:
                    continue  # the stretch ends at the step
                restored.append(
                    replace(
                        stretch,
                        first_ns=first + totals[part],
                        last_ns=last + totals[part],
                        offset_ns=stretch.offset_ns + totals[part],
                        follows_known_step=stretch.follows_known_step
                        and all(exact[done : part + 1]),
                    )
                )
                done = part + 1
        return tuple(restored)


def find_arrival_steps(rows: Ints, connections: Ints, arrival_ns: Ints) -> ArrivalSteps:
    """Find the steps in the notifications of one device.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        Increasing.
    connections : ndarray of int64, shape (n,)
        Connection of each notification.
    arrival_ns : ndarray of int64, shape (n,)
        Arrival by the host's clock.

    Returns
    -------
    ArrivalSteps
    """
    # the median of increasing times is the time itself; a single other one is an error
    typical = median_filter(arrival_ns, 5, mode="nearest")
    sound = np.abs(arrival_ns - typical) <= _MAX_SILENCE_NS
    unsound_rows = rows[~sound]
    rows, connections, arrival_ns = rows[sound], connections[sound], arrival_ns[sound]
    change = np.diff(arrival_ns)
    same = np.diff(connections) == 0
    found = np.flatnonzero((change < -_MIN_BACK_NS) | (same & (change > _MAX_SILENCE_NS)))
    at, sizes, is_exact, total = [], [], [], 0
    kept = []
    for i in found.tolist():
        before = _intervals(change[max(0, i - _NEIGHBOURS) : i])
        after = _intervals(change[i + 1 : i + 1 + _NEIGHBOURS])
        near = np.concatenate([before, after])
        typical_ns = float(np.median(near)) if len(near) else 0.0
        came_at_once = len(before) and len(after) and after.mean() < _MIN_SHARE * before.mean()
        if change[i] > 0 and came_at_once:
            continue
        size = int(change[i]) - (round(typical_ns) if same[i] else _RECONNECT_NS)
        kept.append(i)
        at.append(int(arrival_ns[i]) - total)
        sizes.append(size)
        is_exact.append(bool(same[i]))
        total += size
    steps = ArrivalSteps(
        rows[np.array(kept, np.int64) + 1],
        np.array(sizes, np.int64),
        np.array(at, np.int64),
        np.array(is_exact, np.bool_),
    )
    for row in unsound_rows.tolist() if len(rows) else ():
        following = min(int(np.searchsorted(rows, row)), len(rows) - 1)
        at_ns = steps.without(int(rows[following]), int(arrival_ns[following]))
        steps.replaced_ns[row] = at_ns
    return steps


def _intervals(changes: Ints) -> Ints:
    """Return the changes between two values that are no steps of the clock."""
    return changes[(changes >= -_MIN_BACK_NS) & (changes <= _MAX_SILENCE_NS)]
