"""The book of a night: which frames came, which are lost and why, and whether that is all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from twitchsense.store.nightread import NightReader


@dataclass(frozen=True, slots=True)
class BootBook:
    """Frames of one boot of one device.

    Attributes
    ----------
    device : str
    count : int
        Boot count.
    begin : int
        The first frame that belongs to the night.
    received : int
        Frames from there on.
    end : int
        One past the highest number known.
    lost : mapping of str to int
        Frames given up, by reason.
    open : tuple of (first, last)
        Ranges that neither came nor were given up.
    open_end : str
        Reason why frames after `end` are lost in unknown number, or empty.
    """

    device: str
    count: int
    begin: int
    received: int
    end: int
    lost: dict[str, int] = field(default_factory=dict)
    open: tuple[tuple[int, int], ...] = ()
    open_end: str = ""


def read_books(path: Path) -> list[BootBook]:
    """Return the books of all boots in a night file.

    Raises
    ------
    InputError
    """
    reader = NightReader(path)
    try:
        return [_book(reader, s.id, s.device, s.count) for s in reader.sources]
    finally:
        reader.close()


def _book(reader: NightReader, boot: int, device: str, count: int) -> BootBook:
    rows = reader.query("SELECT seq FROM packet WHERE boot = ? ORDER BY seq", boot)
    came = [int(str(r[0])) for r in rows]
    noted = reader.query("SELECT min(seq) FROM start WHERE boot = ?", boot)[0][0]
    begin = 0 if noted is None else int(str(noted))
    losses = reader.query("SELECT first, last, reason FROM loss WHERE boot = ? ORDER BY id", boot)
    have = {n for n in came if n >= begin}
    lost: dict[str, int] = {}
    given_up: set[int] = set()
    open_end = ""
    for first, last, reason in losses:
        if last is None:
            open_end = str(reason)
            continue
        # what came after all, although it was given up, is not lost
        fresh = set(range(int(str(first)), int(str(last)) + 1)) - have - given_up
        lost[str(reason)] = lost.get(str(reason), 0) + len(fresh)
        given_up |= fresh
    end = max([*came[-1:], *given_up], default=begin - 1) + 1
    holes = sorted(set(range(begin, end)) - have - given_up)
    return BootBook(device, count, begin, len(have), end, lost, _ranges(holes), open_end)


def _ranges(numbers: list[int]) -> tuple[tuple[int, int], ...]:
    ranges: list[tuple[int, int]] = []
    for n in numbers:
        if ranges and ranges[-1][1] == n - 1:
            ranges[-1] = (ranges[-1][0], n)
        else:
            ranges.append((n, n))
    return tuple(ranges)
