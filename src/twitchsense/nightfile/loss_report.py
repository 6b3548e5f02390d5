"""Which frames of a night were received, which are lost and why, and which are unresolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twitchsense.model.intervals import RangeSet
from twitchsense.nightfile.reader import NightFileReader


@dataclass(frozen=True, slots=True)
class BootLossReport:
    """Frames of one boot of one device, by sequence number.

    Attributes
    ----------
    device : str
        Key of the device.
    count : int
        Boot count.
    begin : int
        The first frame that belongs to the night.
    received : int
        Number of frames received from `begin` on.
    end : int
        One past the highest known sequence number.
    lost : dict of str to int
        Number of frames given up, by reason.
    unresolved : tuple of (int, int)
        First and last frame of each range that was neither received nor given up.
    unbounded_loss : str
        Reason for which an unknown number of frames after `end` is lost, or empty.
    """

    device: str
    count: int
    begin: int
    received: int
    end: int
    lost: dict[str, int] = field(default_factory=dict)
    unresolved: tuple[tuple[int, int], ...] = ()
    unbounded_loss: str = ""


def read_loss_reports(path: Path) -> list[BootLossReport]:
    """Return the loss reports of all boots in a night file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of BootLossReport
        In the order in which the boots were recorded.

    Raises
    ------
    InputError
        If the file is damaged or not a night file.
    """
    reader = NightFileReader(path)
    try:
        starts, losses = reader.rows("start"), reader.rows("loss")
        return [_report(reader, b.id, b.device, b.count, starts, losses) for b in reader.boots]
    finally:
        reader.close()


def _report(
    reader: NightFileReader,
    boot: int,
    device: str,
    count: int,
    starts: list[tuple[Any, ...]],
    losses: list[tuple[Any, ...]],
) -> BootLossReport:
    # ranges instead of single numbers, because a damaged number may leave a gap of billions
    firsts = [seq for _, row, seq, _ in starts if row == boot]
    begin = min(firsts, default=0)
    received = reader.query(
        "SELECT seq FROM packet WHERE boot = ? AND seq >= ? AND typeof(seq) = 'integer' "
        "ORDER BY seq",
        boot,
        begin,
    )
    resolved = RangeSet((n, n + 1) for (n,) in received)
    lost: dict[str, int] = {}
    unbounded_loss = ""
    for _, row, first, last, reason, _ in losses:
        if row != boot:
            continue
        if last is None:
            unbounded_loss = reason
            continue
        # frames that were given up and arrived nevertheless are not lost
        fresh = resolved.gaps(first, last + 1)
        lost[reason] = lost.get(reason, 0) + sum(stop - start for start, stop in fresh)
        for start, stop in fresh:
            resolved.add(start, stop)
    end = max(resolved.stop, begin)
    unresolved = tuple((start, stop - 1) for start, stop in resolved.gaps(begin, end))
    return BootLossReport(
        device, count, begin, len(received), end, lost, unresolved, unbounded_loss
    )
