"""OpenSignals text files of BITalino and biosignalsplux (PLUX).

The header is a JSON object with one entry for each device. The rows hold a sequence number
and the counts of the converter; the maker publishes how they become volts (data sheets of
the EMG sensors: ``EMG = (count / 2^n - 1/2) * VCC / gain``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.tables.header_words import channel_name, find_leg, unique_names
from twitchsense.io.tables.row_clock import RowClock
from twitchsense.io.tables.transfer import Transfer
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import FileHead, is_number, to_number
from twitchsense.model.map_pairs import typed_map
from twitchsense.model.notes import Note

#: Supply voltage (V) and gain of the EMG sensor by the beginning of the device's name.
_SENSORS: Final = {"bitalino": (3.3, 1009.0), "muscleban": (2.5, 1100.0), "": (3.0, 1000.0)}
#: Resolution (bits) of channels where the header does not state it.
_DEFAULT_BITS: Final = {"bitalino": 10, "": 16}


def opensignals_text(head: FileHead) -> CsvDialect | None:
    """Recognise an OpenSignals text file."""
    if not head.lines or "OpenSignals Text File" not in head.lines[0].text:
        return None
    end = next((line for line in head.lines if "EndOfHeader" in line.text), None)
    header = next((line for line in head.lines if line.text.lstrip("# ").startswith("{")), None)
    try:
        devices = json.loads(header.text.lstrip("# ")) if header else None
    except (ValueError, RecursionError):
        devices = None
    if end is None or not isinstance(devices, dict) or not devices:
        raise InputError(
            head.source,
            "the header of this OpenSignals file is damaged",
            "export the recording again",
            "line 2",
        )
    names: list[str] = []
    ours: dict[str, str] = {}
    transfers: dict[str, Transfer] = {}
    others: dict[str, str] = {}
    for device in devices.values():
        add_device(head.source, device, names, ours, transfers, others)
    first = next(iter(devices.values()))
    headers = unique_names(names)
    clock = RowClock(
        read_rate(first), start_of(first), is_utc=False, counter=headers[0],
        modulus=_sequence_modulus(first),
    )  # fmt: skip
    converted = _check_counts(head, end.end, headers, ours, transfers)
    hidden = tuple(h for h in headers if h not in transfers)
    return CsvDialect(
        headers, end.number, end.end, "\t", "OpenSignals (PLUX, BITalino)", ours, {}, transfers,
        row_clock=clock, ignored=hidden, notes=(*converted, *_other_sensors_note(others)),
        no_signal=no_emg_sensor(others),
    )  # fmt: skip


def _check_counts(
    head: FileHead,
    body: int,
    headers: tuple[str, ...],
    ours: dict[str, str],
    transfers: dict[str, Transfer],
) -> list[Note]:
    """Read columns of decimals as mV, in place; refuse counts beyond the stated resolution."""
    rows = head.rows(body, "\t", 200)
    notes = []
    for header, name in ours.items():
        transfer, i = transfers[header], headers.index(header)
        if transfer.offset == 0:  # converted, by the header
            continue
        counts = np.array([to_number(r[i]) for r in rows if len(r) > i and is_number(r[i])])
        counts = counts[np.isfinite(counts)]  # a number such as 1e999 is a gap, and tells nothing
        if (counts % 1 != 0).any():
            ours[header] = name.removesuffix("uv") + "mv"
            transfers[header] = Transfer()
            notes.append(Note("unit", f"{header} holds no counts and is read as converted to mV"))
        elif len(counts) and (
            counts.min() < 0 or counts.max() * transfer.factor > -2 * transfer.offset
        ):
            raise InputError(
                head.source,
                f"holds {counts.max():g}, which is no count of the resolution in the header",
                "export the recording again, as converted values",
                f"column {header}",
            )
    return notes


def read_rate(device: Mapping[str, Any]) -> float:
    """Return the sampling rate of a device in Hz, 0 if its header does not state it.

    Parameters
    ----------
    device : mapping
        Its part of the header.
    """
    try:
        rate = float(device["sampling rate"])
    except (KeyError, TypeError, ValueError):
        return 0.0
    return rate if rate > 0 else 0.0


def emg_transfer(device_name: str, bits: int) -> Transfer:
    """Return how counts become microvolts.

    Parameters
    ----------
    device_name : str
        Such as ``bitalino_rev`` or ``biosignalsplux``.
    bits : int
        Resolution of the channel.
    """
    name = device_name.casefold()
    volts, gain = next(v for key, v in _SENSORS.items() if name.startswith(key))
    factor = volts / gain * 1e6
    return Transfer(factor / 2**bits, -factor / 2)


def start_of(device: Mapping[str, Any]) -> int:
    """Return the local start of a recording in ns since 1970; 0 if it is not stated."""
    text = f"{device.get('date', '')} {device.get('time', '')}"
    match = re.match(r"(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+(?:\.\d+)?)", text)
    if match is None:
        return 0
    day, clock = "-".join(match.groups()[:3]), ":".join(match.groups()[3:5])
    try:
        start = pd.Timestamp(f"{day} {clock}").value
    except ValueError:
        return 0
    return int(start) + round(float(match[6]) * 1e9)


def add_device(
    source: str,
    device: Mapping[str, Any],
    names: list[str],
    ours: dict[str, str],
    transfers: dict[str, Transfer],
    others: dict[str, str],
) -> None:
    """Add the columns of one device to those before.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    device : mapping
        Entry of the JSON header.
    names, ours, transfers, others
        Extended in place: headers, names of this package, transfers, and the sensors of columns
        that are not read.
    """
    try:
        columns = [str(c) for c in device["column"]]
        sensors = [str(s).upper() for s in device.get("sensor", [])]
    except (KeyError, TypeError) as error:
        raise InputError(
            source, "the header names no columns", "export the recording again", "header"
        ) from error
    name = str(device.get("device", ""))
    default = next(v for key, v in _DEFAULT_BITS.items() if name.casefold().startswith(key))
    resolution = device.get("resolution") or []
    channels = columns[len(columns) - len(sensors) :]
    labels = device.get("label") or channels
    for i, (column, sensor) in enumerate(zip(channels, sensors, strict=False)):
        header = column if column not in names else f"{column} ({device.get('device name', name)})"
        columns[columns.index(column)] = header
        k = len(resolution) - len(sensors) + i
        bits = int(resolution[k]) if 0 <= k < len(resolution) else default
        transfers[header] = emg_transfer(name, bits)
        if "EMG" in sensor:  # EMG, EMGBIT, EMGBITREV, fEMG
            number = sum(v.startswith("emg") for v in ours.values()) + 1
            label = str(labels[i]) if i < len(labels) else ""
            ours[header] = channel_name(f"emg{number}", find_leg(label), "uv")
            if int(device.get("convertedValues", 0) or 0):
                ours[header] = channel_name(f"emg{number}", find_leg(label), "mv")
                transfers[header] = Transfer()
        else:
            others[header] = sensor
    names += columns


def no_emg_sensor(others: Mapping[str, str]) -> tuple[str, str]:
    """Return the problem and the cure of a file of OpenSignals without an EMG sensor.

    Parameters
    ----------
    others : mapping of str to str
        Sensor of each column that is not read, as the file names it.
    """
    return f"a file of OpenSignals without an EMG sensor: {_listed(others)}", _cure(others)


def _other_sensors_note(others: Mapping[str, str]) -> tuple[Note, ...]:
    if not others:
        return ()
    return (Note("unread", f"left out: {_listed(others)}; {_cure(others)}"),)


def _listed(others: Mapping[str, str]) -> str:
    return ", ".join(f"{header} ({sensor})" for header, sensor in others.items()) or "no sensor"


def _cure(others: Mapping[str, str]) -> str:
    """Return what to do about sensors that are not read."""
    raw = [header for header, sensor in others.items() if sensor in ("RAW", "")]
    cures = [f"if {raw[0]} is EMG, state it ({typed_map(raw[0], 'emg1_uv')})"] if raw else []
    if any("ACC" in sensor or "XYZ" in sensor for sensor in others.values()):
        cures.append("accelerometers need a calibration: give a table in g (acc_x_g)")
    return "; ".join(cures) or "EMG is read, and other sensors are not"


def _sequence_modulus(device: Mapping[str, Any]) -> int | None:
    """Return the number of values of the sequence number, where the header states its bits."""
    resolution, columns = device.get("resolution") or [], device.get("column") or []
    if len(resolution) == len(columns) and resolution:
        return 1 << int(resolution[0])
    return None
