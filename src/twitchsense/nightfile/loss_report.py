"""The book of a night: which frames came, which are lost and why, and whether that is all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from twitchsense.nightfile.ranges import RangeSet
from twitchsense.nightfile.reader import NightReader


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
    # ranges, not numbers: one damaged number could stand for billions
    noted = reader.query("SELECT min(seq) FROM start WHERE boot = ?", boot)[0][0]
    begin = 0 if noted is None else int(str(noted))
    came = reader.query(
        "SELECT seq FROM packet WHERE boot = ? AND seq >= ? ORDER BY seq", boot, begin
    )
    settled = RangeSet((int(str(n)), int(str(n)) + 1) for (n,) in came)
    losses = reader.query("SELECT first, last, reason FROM loss WHERE boot = ? ORDER BY id", boot)
    lost: dict[str, int] = {}
    open_end = ""
    for first, last, reason in losses:
        if last is None:
            open_end = str(reason)
            continue
        # what came after all, although it was given up, is not lost
        fresh = settled.holes(int(str(first)), int(str(last)) + 1)
        lost[str(reason)] = lost.get(str(reason), 0) + sum(stop - start for start, stop in fresh)
        for start, stop in fresh:
            settled.add(start, stop)
    end = max(settled.stop, begin)
    holes = tuple((start, stop - 1) for start, stop in settled.holes(begin, end))
    return BootBook(device, count, begin, len(came), end, lost, holes, open_end)
