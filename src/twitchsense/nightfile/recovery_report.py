"""What was recovered of a damaged night file, and the packets and values that are missing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from twitchsense.nightfile.row_format import RECEIVED


@dataclass(frozen=True, slots=True)
class MissingRange:
    """Packets or values that are in no page, though their numbers were given.

    Attributes
    ----------
    device : str
        Key of the device.
    count : int
    after_ns, before_ns : int
        Arrival (UTC) of the packets before and after them.
    """

    device: str
    count: int
    after_ns: int
    before_ns: int


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What was recovered.

    Attributes
    ----------
    recovered : dict of str to int
        Number of rows by table.
    missing : tuple of MissingRange
        In the order of devices and time.
    remarks : tuple of str
        What could not be used, and what was assumed.
    """

    recovered: dict[str, int]
    missing: tuple[MissingRange, ...]
    remarks: tuple[str, ...]

    @property
    def n_received(self) -> int:
        """Number of packets and values."""
        return sum(self.recovered.get(table, 0) for table in RECEIVED)

    @property
    def n_missing(self) -> int:
        """Number of packets and values that are missing."""
        return sum(gap.count for gap in self.missing)


def missing_ranges(db: sqlite3.Connection) -> tuple[MissingRange, ...]:
    """Return the packets and values that were given a number but are not in a night file.

    Parameters
    ----------
    db : sqlite3.Connection
        The recovered night.

    Returns
    -------
    tuple of MissingRange
        In the order of devices and time.
    """
    return (*_missing_packets(db), *_missing_values(db))


def _missing_packets(db: sqlite3.Connection) -> list[MissingRange]:
    """Return the packets that were neither recovered nor given up by the recorder."""
    missing = []
    boots = db.execute(
        "SELECT boot.id, key FROM boot JOIN device ON device.id = device ORDER BY boot.id"
    ).fetchall()
    for boot, key in boots:
        losses = db.execute(
            "SELECT first, last FROM loss WHERE boot = ? AND last IS NOT NULL", (boot,)
        ).fetchall()
        first = db.execute(
            "SELECT seq, time_ns FROM start WHERE boot = ? ORDER BY id", (boot,)
        ).fetchone()
        found = db.execute(
            "SELECT seq, arrival_ns FROM packet WHERE boot = ? ORDER BY seq", (boot,)
        )
        missing += _gaps(key, first, found, losses)
    return missing


def _missing_values(db: sqlite3.Connection) -> list[MissingRange]:
    """Return the values whose numbers are missing."""
    missing = []
    connections = db.execute(
        "SELECT connection.id, key, time_ns FROM connection JOIN device "
        "ON device.id = device ORDER BY connection.id"
    ).fetchall()
    for connection, key, time_ns in connections:
        found = db.execute(
            "SELECT number, arrival_ns FROM value WHERE connection = ? ORDER BY number",
            (connection,),
        )
        missing += _gaps(key, (0, time_ns), found, [])
    return missing


def _gaps(
    key: str,
    first: tuple[int, int] | None,
    found: sqlite3.Cursor,
    losses: list[tuple[int, int]],
) -> list[MissingRange]:
    """Return the gaps in numbers, given with their arrival, without the losses."""
    gaps = []
    expected, before_ns = first if first is not None else (None, 0)
    for number, arrival_ns in found:
        if expected is not None and number > expected:
            given_up = sum(
                max(0, min(last, number - 1) - max(start, expected) + 1) for start, last in losses
            )
            count = number - expected - given_up
            if count > 0:
                gaps.append(MissingRange(key, count, before_ns, arrival_ns))
        expected, before_ns = max(expected or 0, number + 1), arrival_ns
    return gaps
