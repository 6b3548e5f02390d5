"""Reads the values of devices that are recorded by their driver, and what was said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from twitchsense.devices.contract import Direction, Message
from twitchsense.nightfile.arrival_steps import ArrivalSteps, find_arrival_steps
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.row_format import MAX_NUMBER, is_sound
from twitchsense.nightfile.schema import damaged_error

#: Values that are read at once.
BATCH_VALUES: Final = 4000
_DIRECTIONS: Final = {str(d): d for d in Direction}


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """A device that was recorded by its driver.

    Attributes
    ----------
    id : int
        Row in table ``device``.
    key, name : str
    kind : str
        Kind of the driver.
    versions : tuple of int
        Versions of the driver that recorded it.
    settings : mapping of str to str
        What the user said of it: ``leg``, ``gain``, ...
    """

    id: int
    key: str
    name: str
    kind: str
    versions: tuple[int, ...]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name for messages."""
        return self.name or self.key

    @property
    def leg(self) -> str | None:
        """Leg that the device is on, or None."""
        return valid_leg(self.settings.get("leg"))


def valid_leg(leg: str | None) -> str | None:
    """Return a leg that names of channels can contain, or None."""
    return leg if leg in ("left", "right") else None


def read_devices(reader: NightFileReader) -> list[StoredDevice]:
    """Return the devices recorded by their driver, in the order of recording.

    Parameters
    ----------
    reader : NightFileReader

    Returns
    -------
    list of StoredDevice

    Raises
    ------
    InputError
        If the file is damaged.
    """
    names = reader.device_names()
    settings = read_settings(reader)
    devices: dict[int, StoredDevice] = {}
    for _, number, _, kind, version in reader.rows("connection"):
        if number not in names:
            raise damaged_error(reader.path, f"the description of device {number} is missing")
        key, name = names[number]
        before = devices.get(number)
        versions = (*(before.versions if before else ()), version)
        devices[number] = StoredDevice(
            number, key, name, kind, tuple(dict.fromkeys(versions)), settings.get(key, {})
        )
    return list(devices.values())


def read_settings(reader: NightFileReader) -> dict[str, dict[str, str]]:
    """Return what the user said of each device; the latest setting of a key counts.

    Parameters
    ----------
    reader : NightFileReader

    Returns
    -------
    dict of str to dict of str to str
        By device key.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    names = reader.device_names()
    settings: dict[str, dict[str, str]] = {}
    for _, device, _, key, value in reader.rows("device_setting"):
        if device in names:
            settings.setdefault(names[device][0], {})[key] = value
    return settings


class ValueReader:
    """Reads the values of one device in their order.

    Parameters
    ----------
    reader : NightFileReader
    device : StoredDevice

    Attributes
    ----------
    corrupt : int
        Values damaged in the file, left out.
    last_row : int
        Last row that was read.
    dropped : int
        Values that the host received but could not store, by the numbers that are missing.
    """

    def __init__(self, reader: NightFileReader, device: StoredDevice) -> None:
        self.corrupt = 0
        self.last_row = 0
        self.dropped = 0
        self._reader = reader
        self._device = device
        self._steps = ArrivalSteps()
        self._next: dict[int, int] = {}  # by connection

    def remove_clock_steps(self) -> ArrivalSteps:
        """Find the steps of the host's clock, and leave them out of the arrivals from now on.

        Returns
        -------
        ArrivalSteps

        Raises
        ------
        InputError
            If the file is damaged.
        """
        blocks, after = [np.empty((0, 3), np.int64)], 0
        while rows := self._reader.query(
            "SELECT id, connection, arrival_ns FROM value NOT INDEXED WHERE id > ? "
            "AND direction = 'notify' AND typeof(arrival_ns) = 'integer' "
            "AND arrival_ns BETWEEN 0 AND ? AND connection IN "
            "(SELECT id FROM connection WHERE device = ?) ORDER BY id LIMIT ?",
            after,
            MAX_NUMBER,
            self._device.id,
            BATCH_VALUES,
        ):
            blocks.append(np.array(rows, np.int64))
            after = rows[-1][0]
        table = np.concatenate(blocks)
        self._steps = find_arrival_steps(table[:, 0], table[:, 1], table[:, 2])
        return self._steps

    def messages(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[int, Message]]:
        """Yield the values.

        Parameters
        ----------
        after : int
            Row after which to begin.
        limit : int, optional
            Maximum number of rows to read.

        Yields
        ------
        row : int
            Row in table ``value``.
        message : Message

        Raises
        ------
        InputError
            If the file is damaged.
        """
        query = self._reader.query
        uuids = dict(self._reader.rows("characteristic"))
        while (limit is None or limit > 0) and (
            rows := query(
                "SELECT id, connection, number, characteristic, direction, arrival_ns, data, crc "
                "FROM value NOT INDEXED WHERE id > ? AND connection IN "
                "(SELECT id FROM connection WHERE device = ?) ORDER BY id LIMIT ?",
                after,
                self._device.id,
                BATCH_VALUES if limit is None else min(limit, BATCH_VALUES),
            )
        ):
            limit = None if limit is None else limit - len(rows)
            after = self.last_row = int(rows[-1][0])
            for row in rows:
                message = self._read_row(row, uuids)
                if message is not None:
                    yield row[0], message

    def _read_row(self, row: tuple[Any, ...], uuids: Mapping[int, str]) -> Message | None:
        row_id, *cells, crc = row
        if not is_sound("value", None, tuple(cells), crc):
            self.corrupt += 1
            return None
        connection, number, characteristic, word, arrival_ns, data = cells
        direction, uuid = _DIRECTIONS.get(word), uuids.get(characteristic)
        if direction is None or uuid is None:
            self.corrupt += 1
            return None
        expected = self._next.get(connection, 0)
        self.dropped += max(0, number - expected)
        self._next[connection] = number + 1
        arrival_ns = self._steps.without(row_id, arrival_ns)
        return Message(uuid, direction, data, arrival_ns)
