"""Labels, units and names of the channels of XDF streams, by the description in their header."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Final

from twitchsense.io.channels.labelled_signals import LabelledSignal, leg_suffix
from twitchsense.io.xdf.xdf_file import XdfStream

_EMG: Final = re.compile(r"emg", re.IGNORECASE)
_ACC: Final = re.compile(r"acc", re.IGNORECASE)
_AXIS: Final = re.compile(r"(?:^|[^a-z])([xyz])(?:$|[^a-z])|([XYZ])$")


def describe_channels(streams: Sequence[XdfStream]) -> list[LabelledSignal]:
    """Describe the channels of all streams, in order.

    Parameters
    ----------
    streams : sequence of XdfStream

    Returns
    -------
    list of LabelledSignal
        Labels do not repeat. A channel whose type is EMG or acceleration has a suggested name.
    """
    rows = zip(_labels(streams), _units(streams), _suggest(streams), strict=True)
    return [LabelledSignal(label, unit, name) for label, unit, name in rows]


def _labels(streams: Sequence[XdfStream]) -> list[str]:
    """Return a label for each channel of all streams, without repetition."""
    own = [
        (s.text("name"), (c.findtext("label") or "").strip() if c is not None else "", i)
        for s in streams
        for i, c in enumerate(_channels(s))
    ]
    labels = [label or f"{name} {i + 1}" for name, label, i in own]
    return [
        text if labels.count(text) == 1 else f"{name} {text}"
        for text, (name, _, _) in zip(labels, own, strict=True)
    ]


def _channels(stream: XdfStream) -> list[ET.Element | None]:
    """Return the description of each channel; None where it has none."""
    found: list[ET.Element | None] = list(stream.info.findall("desc/channels/channel"))
    return found if len(found) == stream.channels else [None] * stream.channels


def _units(streams: Sequence[XdfStream]) -> list[str]:
    return [
        "" if c is None else (c.findtext("unit") or "").strip()
        for s in streams
        for c in _channels(s)
    ]


def _suggest(streams: Sequence[XdfStream]) -> list[str]:
    """Return a name for each channel whose type is EMG or acceleration, else an empty text."""
    names: list[str] = []
    emg_count = acc_count = 0
    of_kind = [s for s in streams if any(_ACC.search(_type(s, c)) for c in _channels(s))]
    for stream in streams:
        acc_count += stream in of_kind
        number = str(acc_count) if len(of_kind) > 1 else ""
        for c in _channels(stream):
            label = "" if c is None else (c.findtext("label") or "").strip()
            leg = leg_suffix(label) or leg_suffix(stream.text("name"))
            axis = _AXIS.search(label)
            if _EMG.search(_type(stream, c)):
                emg_count += 1
                names.append(f"emg{emg_count}{leg}")
            elif _ACC.search(_type(stream, c)) and axis:
                names.append(f"acc{number}{leg}_{(axis[1] or axis[2]).lower()}")
            else:
                names.append("")
    return names


def _type(stream: XdfStream, channel: ET.Element | None) -> str:
    own = "" if channel is None else (channel.findtext("type") or "").strip()
    return own or stream.text("type")
