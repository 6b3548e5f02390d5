"""Sets of whole numbers that come mostly in order, kept as ranges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class RangeSet:
    """A set of integers as sorted, disjoint ranges ``[first, stop)``."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for first, stop in ranges:
            self.add(first, stop)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number < self._stops[at]

    def __len__(self) -> int:
        return sum(self._stops) - sum(self._starts)

    @property
    def stop(self) -> int:
        """One past the highest number, or 0."""
        return self._stops[-1] if self._stops else 0

    @property
    def first(self) -> int | None:
        """The lowest number."""
        return self._starts[0] if self._starts else None

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The ranges ``[first, stop)``."""
        return list(zip(self._starts, self._stops, strict=True))

    def add(self, first: int, stop: int | None = None) -> None:
        """Add one number, or all of ``[first, stop)``."""
        stop = first + 1 if stop is None else stop
        if stop <= first:
            return
        low = bisect_right(self._starts, first) - 1
        if low < 0 or self._stops[low] < first:
            low += 1
        high = low
        while high < len(self._starts) and self._starts[high] <= stop:
            high += 1
        if high > low:
            first = min(first, self._starts[low])
            stop = max(stop, self._stops[high - 1])
        self._starts[low:high] = [first]
        self._stops[low:high] = [stop]

    def end_of_run(self, first: int) -> int:
        """Return one past the last number of the unbroken run from `first`."""
        at = bisect_right(self._starts, first) - 1
        return self._stops[at] if at >= 0 and first < self._stops[at] else first

    def holes(self, first: int, stop: int) -> list[tuple[int, int]]:
        """Return the ranges of ``[first, stop)`` that are not in the set."""
        holes = []
        at = max(0, bisect_right(self._starts, first) - 1)
        for start, end in zip(self._starts[at:], self._stops[at:], strict=True):
            if start >= stop:
                break
            if start > first:
                holes.append((first, start))
            first = max(first, end)
        if first < stop:
            holes.append((first, stop))
        return holes
