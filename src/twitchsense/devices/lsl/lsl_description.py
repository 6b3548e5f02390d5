"""The description of an LSL stream: which of its channels can be recorded, and their units.

LSL (Lab Streaming Layer) describes a stream in XML: name, type, rate, format of the samples, and
in ``desc/channels`` label, unit and type of each channel (as the XDF specification lists them).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from twitchsense.devices.contract import PacketError
from twitchsense.devices.streams import (
    MS2_PER_G,
    SampleClock,
    StreamDescription,
    StreamKind,
    Timing,
    Unit,
)
from twitchsense.model.units import parse_unit

#: Kind of a channel, by the beginning of its type.
_KINDS: Final[tuple[tuple[str, StreamKind], ...]] = (
    ("emg", "emg"), ("exg", "emg"), ("acc", "acc"), ("ecg", "ecg"), ("ekg", "ecg"),
    ("gyr", "gyro"), ("mag", "mag"),
)  # fmt: skip
#: Unit of a kind, and counts per unit by the unit of the channel.
_SCALES: Final[Mapping[str, tuple[Unit, Mapping[str, float]]]] = {
    "emg": ("uV", {"nv": 1e3, "uv": 1.0, "mv": 1e-3, "v": 1e-6}),
    "ecg": ("mV", {"nv": 1e6, "uv": 1e3, "mv": 1.0, "v": 1e-3}),
    "acc": ("g", {"g": 1.0, "mg": 1e3, "ms2": MS2_PER_G}),
}
#: Little-endian types of the samples, by the name of their format.
DTYPES: Final[Mapping[str, str]] = {
    "float32": "<f4", "double64": "<f8", "int8": "<i1", "int16": "<i2", "int32": "<i4",
    "int64": "<i8",
}  # fmt: skip
_N_AXES: Final = 3
_AXIS: Final = re.compile(r"(?:^|[^a-z])([xyz])$|([XYZ])$")
#: Ticks per second of the timestamps that a position holds.
TICK_HZ: Final = 1_000_000
#: Largest deviation of a regular timestamp, in periods of sampling.
TIMESTAMP_TOLERANCE: Final = 0.1
#: Largest relative error of the nominal rate.
_RATE_TOLERANCE: Final = 0.02
_MAX_BYTES: Final = 4_000_000
_MAX_CHANNELS: Final = 1024


@dataclass(frozen=True, slots=True)
class LslStream:
    """Channels of one kind.

    Attributes
    ----------
    stream : StreamDescription
    columns : tuple of int
        Their places among the channels of the LSL stream.
    """

    stream: StreamDescription
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LslLayout:
    """What an LSL stream consists of.

    Attributes
    ----------
    dtype : dtype
        Of a value, little-endian.
    channels : int
        Number of channels.
    fs : float
        Nominal sampling rate, Hz.
    streams : tuple of LslStream
        Channels that can be recorded, one item for each kind.
    problems : tuple of str
        Why others cannot.
    """

    dtype: np.dtype[np.generic]
    channels: int
    fs: float
    streams: tuple[LslStream, ...]
    problems: tuple[str, ...]


def parse_description(xml: bytes, options: Mapping[str, str], *, regular: bool) -> LslLayout:
    """Parse the description of a stream.

    Parameters
    ----------
    xml : bytes
        The description with that of the channels.
    options : mapping of str to str
        ``kind`` and ``unit`` of channels whose description states none.
    regular : bool
        Whether the timestamps are those of a clock, and not of the arrival at the sender.

    Returns
    -------
    LslLayout

    Raises
    ------
    PacketError
        If it is no description of a stream, or not one of a signal.
    """
    try:
        root = ET.fromstring(xml[:_MAX_BYTES])
        channels = int(root.findtext("channel_count", ""))
        fs = float(root.findtext("nominal_srate", ""))
    except (ET.ParseError, ValueError) as error:
        raise PacketError("description", f"is not that of an LSL stream ({error})") from error
    dtype = DTYPES.get((root.findtext("channel_format") or "").strip())
    if dtype is None:
        raise PacketError("format", "the stream holds text, not a signal")
    if not 0 < fs <= TICK_HZ:
        raise PacketError("rate", "the stream states no sampling rate, as markers do")
    if not 0 < channels <= _MAX_CHANNELS:
        raise PacketError("channels", f"{channels} channels")
    described: list[ET.Element | None] = list(root.findall("desc/channels/channel"))
    if len(described) != channels:
        described = [None] * channels
    of_stream = (root.findtext("type") or "").strip()
    by_kind: dict[StreamKind, list[int]] = {}
    unknown: dict[str, int] = {}
    for i, channel in enumerate(described):
        text = _text(channel, "type") or of_stream
        kind = _kind(text) or _kind(of_stream) or _kind(options.get("kind", ""))
        if kind is None:
            unknown[text] = unknown.get(text, 0) + 1
        else:
            by_kind.setdefault(kind, []).append(i)
    problems = [
        f"{n} channels are of the type {text!r} (EMG, ACC, ECG, GYRO and MAG are known; "
        "--option kind=emg states it)"
        for text, n in unknown.items()
    ]
    timing = _timing(fs) if regular else None
    streams = []
    for kind, columns in by_kind.items():
        found = _make_stream(kind, columns, described, fs, timing, options)
        if isinstance(found, str):
            problems.append(found)
        else:
            streams.append(found)
    return LslLayout(np.dtype(dtype), channels, fs, tuple(streams), tuple(problems))


def _make_stream(
    kind: StreamKind,
    columns: list[int],
    described: list[ET.Element | None],
    fs: float,
    timing: Timing,
    options: Mapping[str, str],
) -> LslStream | str:
    """Return the stream of the channels of one kind, or why there is none."""
    texts = {_text(described[i], "unit") for i in columns}
    if len(texts) > 1:
        return f"the {kind} channels have different units ({', '.join(sorted(texts))})"
    text = texts.pop() or options.get("unit", "")
    unit, scales = _SCALES.get(kind, ("count", {}))
    counts_per_unit = scales.get(parse_unit(text))
    if counts_per_unit is None:
        if text and scales:
            return f"the unit {text!r} of the {kind} channels is not known"
        unit, counts_per_unit = "count", 1.0
    if kind not in ("emg", "ecg"):
        if len(columns) > _N_AXES:
            return f"{len(columns)} {kind} channels; send each sensor as a stream of its own"
        columns = _sorted_axes(columns, described)
    stream = StreamDescription(
        name=kind,
        kind=kind,
        width=len(columns),
        fs=fs,
        unit=unit,
        counts_per_unit=counts_per_unit,
        timing=timing,
        resolution=1.0 / counts_per_unit,
        fs_tolerance=_RATE_TOLERANCE,
    )
    return LslStream(stream, tuple(columns))


def _timing(fs: float) -> SampleClock:
    return SampleClock(
        TICK_HZ, "last", epoch="clock of the sending computer", jitter_s=TIMESTAMP_TOLERANCE / fs
    )


def _kind(text: str) -> StreamKind | None:
    return next((kind for begin, kind in _KINDS if text.casefold().startswith(begin)), None)


def _text(channel: ET.Element | None, tag: str) -> str:
    return "" if channel is None else (channel.findtext(tag) or "").strip()


def _sorted_axes(columns: list[int], described: list[ET.Element | None]) -> list[int]:
    """Return the columns in the order x, y, z, if their labels name all the axes."""
    found = [_AXIS.search(_text(described[i], "label")) for i in columns]
    axes = [(match[1] or match[2]).lower() for match in found if match is not None]
    if len(set(axes)) != len(columns):
        return columns
    return [column for _, column in sorted(zip(axes, columns, strict=True))]


def stream_identity(xml: bytes) -> tuple[str, str, str, str]:
    """Return name, type, source id and host of a stream.

    Parameters
    ----------
    xml : bytes
        Its description.

    Returns
    -------
    tuple of str
        Empty where it states none.
    """
    root = ET.fromstring(xml[:_MAX_BYTES])
    texts = tuple(
        (root.findtext(tag) or "").strip() for tag in ("name", "type", "source_id", "hostname")
    )
    return cast("tuple[str, str, str, str]", texts)
