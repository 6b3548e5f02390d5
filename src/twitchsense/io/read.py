"""`read`: captures of any format, DataFrames and MNE objects become one `Recording`."""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.bids.bids_names import find_recording
from twitchsense.io.channels.capture import Capture, ColumnMapping
from twitchsense.io.channels.constant_runs import never_changing_notes
from twitchsense.io.channels.local_start import STATE_OFFSET
from twitchsense.io.device_logs.stated_legs import cure_legs
from twitchsense.io.formats import find_format
from twitchsense.io.input_files import hash_capture, input_files
from twitchsense.io.merge import merge
from twitchsense.io.mne_raw import MneCapture, is_raw, name_of_raw
from twitchsense.io.tables.frame import FRAME, hash_frame, open_frame
from twitchsense.io.tables.time_reading import TIME_UNITS
from twitchsense.model.channels import NS, Channel, Leg
from twitchsense.model.column_names import channel_sort_key
from twitchsense.model.notes import GIVE_ZONE, Note, join_channels, without_folders
from twitchsense.model.recording import Recording
from twitchsense.model.stated_start import check_zone, parse_start
from twitchsense.regular_file import check_regular_file, unreadable
from twitchsense.text import printable
from twitchsense.threads import BackgroundThread

if TYPE_CHECKING:
    from typing import TypeAlias

    from mne.io import BaseRaw

    #: What becomes a recording, or a part of one.
    Source: TypeAlias = str | os.PathLike[str] | pd.DataFrame | BaseRaw

log = logging.getLogger(__name__)


def read(
    *paths: Source | Sequence[Source],
    columns: Mapping[str, str] | None = None,
    legs: Mapping[str, str] | None = None,
    zone: str | None = None,
    via: str | None = None,
    time_unit: str | None = None,
    fs: float | None = None,
    leg: str | None = None,
    start: str | datetime | None = None,
    gain: float | None = None,
    skip_rows: int = 0,
    names: Sequence[str] = (),
) -> Recording:
    """Read a capture, or several files of one recording.

    Parameters
    ----------
    *paths : path, DataFrame, mne.io.Raw, or sequence of these
        Files of any format of `twitchsense.io.formats`, or a folder of a BIDS data set. A
        DataFrame has the columns of a capture; its index is the time column if it holds
        times. The order does not matter.
    columns : mapping of str to str, optional
        Foreign column names to those of the package, as in ``--map``; a column that is
        mapped to ``ignore`` is left out.
    legs : mapping of str to {'left', 'right'}, optional
        Leg of each channel whose name does not contain it, or, by its key, of a device of a
        night file, in place of the one that the file says.
    zone : str, optional
        IANA time zone of the wearer. EDF stores local time only, so its UTC is known only
        with a zone.
    via : {'mne'}, optional
        Read the files by MNE-Python, for formats that only it knows (extra ``mne``).
    time_unit : {'s', 'ms', 'us', 'ns'}, optional
        Unit of the time column of text and Parquet files.
    fs : float, optional
        Sampling rate in Hz of a text or Parquet file without a time column, or with one whose
        times have two readings.
    leg : {'left', 'right'}, optional
        Leg of all channels for which neither their name nor `legs` gives one. It replaces the
        leg that a night file holds, if its devices all have the same.
    start : str or datetime, optional
        Clock time of the first row of the recording, in place of that in the files: ISO 8601
        with an offset, or local time of `zone`. For files without a clock, or with a wrong one.
    gain : float, optional
        Counts per mV of EMG in counts: columns such as ``emg1_count``, and nights of devices
        whose EMG has no unit. It replaces the gain that a night file holds.
    skip_rows : int, optional
        Number of lines of text files to leave out before the header or the first row.
    names : sequence of str, optional
        Column names of text files without a header, as in ``time_s``, ``emg1_uv``; a column
        named ``ignore`` is left out.

    Returns
    -------
    Recording
        The samples stay in temporary files, so that memory is bounded. Segments keep the
        time axis of ``time_s``; with clock times and times of day, zero is the first row.

    Raises
    ------
    InputError
        If a file cannot be read. The message names the file, the line or column, and the
        cure.
    MissingExtraError
        If a format needs a library that is not installed.

    Examples
    --------
    >>> recording = read("emg.csv", "acc.csv", zone="Europe/Berlin")  # doctest: +SKIP
    """
    items = [x for p in paths for x in (p if isinstance(p, (list, tuple)) else [p])]
    if not items:
        raise InputError("read", "no file given", "give at least one capture")
    if zone is not None:
        check_zone(zone)
    stated_ns = None if start is None else parse_start(start, zone)
    mapping = ColumnMapping(
        columns,
        time_unit=_check_unit(time_unit),
        fs=_check_fs(fs),
        gain=_check_gain(gain),
        skip_rows=_check_skip_rows(skip_rows),
        names=names,
        leg=leg,
        legs=legs,
    )
    opened: list[_Opened] = []
    files: list[Path] = []
    with BackgroundThread() as thread:
        for item in items:
            if isinstance(item, pd.DataFrame):
                frame = open_frame(item, mapping, zone)
                opened.append(_Opened(frame, FRAME, thread.start(hash_frame, item)))
            elif is_raw(item):
                name = name_of_raw(item)
                opened.append(_Opened(MneCapture(item, name, mapping, zone), name, lambda: ""))
            else:
                files.append(_to_path(item))
        for path in files if via else expand_folders(files):
            opened.append(_open_file(path, mapping, zone, via, thread))
        captures = [item.capture for item in opened]
        sizes = [item.size for item in opened]
        if len(set(sizes)) < len(sizes):  # otherwise no two files are the same
            _refuse_repeated(opened)
        mapping.check_used(captures[0].source, [h for c in captures for h in c.headers])
        try:
            merged = merge(captures)
        except OSError as error:
            raise unreadable(captures[0].source, error) from error
    digests = [digest for item in opened if (digest := item.sha256())]
    constant = [
        replace(found, headers=tuple(h for h in found.headers if mapping.can_rename(h)))
        for found in (data.never_changing for data in merged.data)
        if found is not None
    ]
    notes = [*merged.notes, *never_changing_notes(constant)]
    if stated_ns is not None:
        notes = [_without_zone_cure(note) for note in notes]
    legs = {name: side for name, side in (legs or {}).items() if name not in mapping.devices}
    if leg is not None:
        for data in merged.data:
            if data.channel.leg is None:
                legs.setdefault(data.channel.name, leg)
        if leg not in {data.channel.leg or leg for data in merged.data}:
            other = "left" if leg == "right" else "right"
            problem = f"leg: {leg} has no effect, since all channels are named {other}"
            notes.append(Note("unread", problem, "correct the names by --map"))
    mne_names = {
        plan.name: tuple(plan.names)
        for capture in captures
        if isinstance(capture, MneCapture)
        for plan in capture.plans
    }
    named = [replace(d.channel, mne_names=mne_names.get(d.channel.name, ())) for d in merged.data]
    channels = _assign_legs(named, legs, mapping.unnamed_devices, notes)
    recording = Recording(
        channels,
        tuple(s for d in merged.data for s in d.segments),
        merged.start_utc_ns,
        zone,
        source=", ".join(sorted(item.name for item in opened)),
        sha256=_join_hashes(digests),
        covers_ns=merged.covers_ns,
    )
    if stated_ns is not None:
        recording = _with_start(recording, stated_ns, notes)
    notes = join_channels(map(without_folders, notes))
    for note in notes:
        log.info(note)
    return replace(recording, notes=tuple(notes))


def _with_start(recording: Recording, stated_ns: int, notes: list[str]) -> Recording:
    """Set the UTC (ns) of the first row; add a note if the files state another."""
    zero_ns = stated_ns - recording.start_ns
    if recording.start_utc_ns is not None and recording.start_utc_ns != zero_ns:
        notes.append(
            f"start: as stated; the files say {(recording.start_utc_ns - zero_ns) / NS:+.3f} s, "
            "and so do times of day in other notes"
        )
    return replace(recording, start_utc_ns=zero_ns)


def _without_zone_cure(note: str) -> str:
    """Return a note as plain text if it asks for the zone of a start that is stated."""
    needless = isinstance(note, Note) and note.cure in (GIVE_ZONE, STATE_OFFSET)
    return str(note) if needless else note


@dataclass(frozen=True, slots=True)
class _Opened:
    """A capture, the name of its file, and its content.

    Attributes
    ----------
    sha256 : callable
        Returns the hash of the content, computed once; empty if it is unknown.
    size : int
        Bytes of the files; 0 if there are none.
    """

    capture: Capture
    name: str
    sha256: Callable[[], str]
    size: int = 0


def _refuse_repeated(opened: Sequence[_Opened]) -> None:
    """Raise InputError if two captures have the same content."""
    digests = [item.sha256() for item in opened]
    for item, digest in zip(reversed(opened), reversed(digests), strict=True):
        if digest and digests.count(digest) > 1:
            raise InputError(
                item.capture.source, "the same file is given twice", "give each file once"
            )


def _to_path(item: object) -> Path:
    if isinstance(item, (str, os.PathLike)):
        return Path(item)
    raise InputError(
        "recording",
        f"is an object of the type {type(item).__name__}",
        "give a path, a DataFrame or an mne.io.Raw; an array goes into "
        "Recording.from_arrays({'emg1_uv': (samples, fs)})",
    )


def _open_file(
    path: Path, mapping: ColumnMapping, zone: str | None, via: str | None, thread: BackgroundThread
) -> _Opened:
    source = display_name(path)
    capture_format = find_format(path, source, via)
    if not path.is_dir():
        check_regular_file(path, source)
    try:
        capture = capture_format.open(path, source, mapping, zone)
        size = sum(file.stat().st_size for file in input_files(path))
    except OSError as error:
        raise unreadable(source, error) from error
    return _Opened(capture, path.name, thread.start(_hash_file, path, source), size)


def _hash_file(path: Path, source: str) -> str:
    try:
        return hash_capture(path)
    except OSError as error:
        raise unreadable(source, error) from error


def expand_folders(paths: Sequence[Path]) -> list[Path]:
    """Replace each folder that holds a recording of a BIDS data set by its files.

    Parameters
    ----------
    paths : sequence of Path

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If a folder holds several recordings.
    """
    files: list[Path] = []
    for path in paths:
        inside = find_recording(path, display_name(path)) if path.is_dir() else []
        files += inside or [path]
    return files


def display_name(path: Path) -> str:
    """Return a path as messages show it: shortened to its name if it is very long."""
    text = str(path)
    return text if len(text) <= 100 else f".../{path.name[-96:]}"


def hash_files(paths: Sequence[Path]) -> str:
    """Return the hash of a recording's files, equal to `Recording.sha256` of `read`.

    Parameters
    ----------
    paths : sequence of Path

    Returns
    -------
    str
        SHA-256 in hexadecimal digits, independent of the order of `paths`.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    digests = []
    for path in expand_folders(paths):
        if not path.is_dir():
            check_regular_file(path, display_name(path))
        digests.append(_hash_file(path, display_name(path)))
    return _join_hashes(digests)


def _join_hashes(digests: Sequence[str]) -> str:
    """Return one hash of all files, independent of their order."""
    if len(digests) < 2:
        return "".join(digests)
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def _check_skip_rows(count: int) -> int:
    if count < 0:
        raise InputError("skip_rows", f"{count} is negative", "give a number of lines")
    return count


def _check_gain(gain: float | None) -> float | None:
    if gain is not None and not 0 < gain < math.inf:
        raise InputError("gain", f"{gain:g} is not a gain", "give the counts per mV")
    return gain


def _check_unit(unit: str | None) -> str | None:
    if unit is not None and unit not in TIME_UNITS:
        raise InputError(
            "time unit", f"'{unit}' is not known", f"use one of: {', '.join(TIME_UNITS)}"
        )
    return unit


def _check_fs(fs: float | None) -> float | None:
    if fs is not None and not 0 < fs < float("inf"):
        raise InputError("fs", f"{fs:g} is not a sampling rate", "give a positive rate in Hz")
    return fs


def _assign_legs(
    channels: Sequence[Channel],
    legs: Mapping[str, str],
    unnamed_devices: Mapping[str, str | None],
    notes: list[str],
) -> tuple[Channel, ...]:
    """Set the leg of channels whose name does not contain it; return them sorted."""
    names = {c.name for c in channels}
    for name, leg in legs.items():
        if leg not in get_args(Leg):
            raise InputError(
                "legs", f"'{leg}' is not a leg", "write left or right", f"channel {name}"
            )
        if name not in names and unnamed_devices and not name.startswith(("emg", "acc")):
            raise InputError(
                "legs",
                f"no device or channel {printable(name)} in this recording",
                cure_legs(unnamed_devices),
            )
        if name not in names:
            notes.append(Note("unread", f"legs: no channel {name} in this recording"))
    assigned = []
    for channel in channels:
        wanted = legs.get(channel.name, channel.leg)
        if channel.leg is not None and wanted != channel.leg:
            raise InputError(
                "legs",
                f"says {wanted}, but the name of the channel says {channel.leg}",
                "correct one of them",
                f"channel {channel.name}",
            )
        assigned.append(replace(channel, leg=cast("Leg | None", wanted)))
    return tuple(sorted(assigned, key=channel_sort_key))
