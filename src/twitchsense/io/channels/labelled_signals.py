"""Channels of files whose signals have a label and a unit: EDF, XDF, what MNE reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import IGNORE, ColumnMapping
from twitchsense.io.channels.signal_labels import is_other_muscle, parse_leg_label, suggest_names
from twitchsense.model.column_names import (
    SCALES,
    ChannelPlan,
    is_signal_name,
    plan_channels,
)
from twitchsense.model.map_pairs import typed_map
from twitchsense.model.notes import Note
from twitchsense.model.units import parse_unit

#: Factor from nV, which no column name contains, to µV.
_NANO: Final = 1e-3
#: Labels of EMG that name no muscle and no side.
_BARE_EMG: Final = re.compile(r"emg[\s._-]*\d*", re.IGNORECASE)
#: Units of column names.
_UNITS: Final = frozenset(unit for units in SCALES.values() for unit in units)
_LEG: Final = re.compile(r"(?:^|[^a-z])(left|right)(?:$|[^a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LabelledSignal:
    """A signal as its file describes it.

    Attributes
    ----------
    label : str
    unit : str
        As it stands in the file; may be empty.
    suggested : str
        Name without a unit, if the file says that it is EMG or acceleration.
    """

    label: str
    unit: str
    suggested: str = ""


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """Channels among labelled signals.

    Attributes
    ----------
    channels : tuple of ChannelPlan
        `ChannelPlan.names` are labels.
    index : dict of str to int
        Position in the file of each label in `channels`.
    factors : dict of str to float
        Factor from the values in the file to the unit of the channel plan, of each label.
    ignored : tuple of str
        Labels of the other signals.
    notes : tuple of str
        Remarks for the user.
    """

    channels: tuple[ChannelPlan, ...]
    index: dict[str, int]
    factors: dict[str, float]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def plan_signals(
    source: str, signals: Sequence[LabelledSignal | None], mapping: ColumnMapping
) -> SignalPlan:
    """Find the channels among labelled signals.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    signals : sequence of LabelledSignal or None
        None is a signal that is not for the user, such as annotations.
    mapping : ColumnMapping

    Returns
    -------
    SignalPlan

    Raises
    ------
    InputError
        If a unit is unknown or contradicts the name, or no signal has a known name.
    """
    names: dict[str, str] = {}
    index: dict[str, int] = {}
    factors: dict[str, float] = {}
    ignored: list[str] = []
    labels = unique_labels(signals)
    suggested, notes = _suggest(source, signals, labels, mapping)
    for i, signal in enumerate(signals):
        if signal is None:
            continue
        label = labels[i]
        name = mapping.rename(label)
        if name == label:
            name = suggested.get(i, label if _is_channel_name(label) else "")
        if not name:
            ignored.append(label)
            continue
        if name.casefold() == IGNORE:
            continue
        names[label] = _with_unit(source, name, label, signal, notes)
        index[label] = i
        factors[label] = _NANO if parse_unit(signal.unit) == "nv" else 1.0
    if not names:
        shown = ignored[0] if ignored else "EMG LAT"
        raise InputError(
            source,
            f"no signal with a known name among: {', '.join(ignored) or 'none'}"
            + "".join(f" ({note.partition(': ')[2]})" for note in notes),
            f"map them ({typed_map(shown, 'acc_x' if 'acc' in shown.casefold() else 'emg_left')})",
            "header",
        )
    return SignalPlan(plan_channels(names, source), index, factors, tuple(ignored), tuple(notes))


def unique_labels(signals: Sequence[LabelledSignal | None]) -> list[str]:
    """Return labels that differ: those that occur several times get the number of their signal.

    Parameters
    ----------
    signals : sequence of LabelledSignal or None

    Returns
    -------
    list of str
        Empty for None.
    """
    counts = Counter(signal.label for signal in signals if signal is not None)
    return [
        ""
        if signal is None
        else f"{signal.label} (signal {i})"
        if counts[signal.label] > 1
        else signal.label
        for i, signal in enumerate(signals, 1)
    ]


def _suggest(
    source: str,
    signals: Sequence[LabelledSignal | None],
    labels: Sequence[str],
    mapping: ColumnMapping,
) -> tuple[dict[int, str], list[str]]:
    """Return names by position for signals that are not mapped, and notes on them.

    The name that the file suggests comes first, then that of a usual label. An empty name
    leaves a signal out: EMG of the chin, and EMG of no known muscle beside that of the legs.
    """
    names: dict[int, str] = {}
    unnamed: list[tuple[int, str, str]] = []
    left_out: list[str] = []
    mapped = {i for i, label in enumerate(labels) if label and mapping.preview(label) != label}
    for i, signal in enumerate(signals):
        if signal is None:
            continue
        own = _is_channel_name(signal.label)
        if i not in mapped and signal.suggested and not own:
            leg = parse_leg_label(signal.label)
            side = leg.side if leg and not _names_side(signal.suggested) else ""
            names[i] = f"{signal.suggested}_{side}" if side else signal.suggested
        elif i not in mapped and own and is_other_muscle(signal.label):
            names[i] = ""
            left_out.append(signal.label)
        elif not own or not _names_side(signal.label):
            unnamed.append((i, signal.label, parse_unit(signal.unit) or signal.unit))
    found = suggest_names(unnamed)
    taken = {mapping.preview(labels[i]).casefold() for i in mapped}
    suggested = {
        i: name
        for i, name in found.names.items()
        if i not in mapped and not any(other.startswith(name) for other in taken)
    }
    if any(name.startswith("emg") for name in suggested.values()):
        others = [
            i
            for i, label, _ in unnamed
            if i not in mapped and i not in suggested and _BARE_EMG.fullmatch(label)
        ]
        names |= dict.fromkeys(others, "")
        left_out += [labels[i] for i in others]
    names |= suggested
    notes: list[str] = [f"{source}: '{labels[i]}' is {name}" for i, name in names.items() if name]
    if left_out:
        notes.append(
            Note(
                "unread",
                f"{source}: {', '.join(left_out)}: not taken for EMG of a leg; without a side it "
                "is usually that of the chin",
                f"{typed_map(left_out[0], 'emg1')} reads it",
            )
        )
    single = [labels[i] for i in found.electrodes if i not in mapped]
    if single:
        notes.append(
            Note(
                "unread",
                f"{source}: {', '.join(single)} may be single electrodes, of which only the "
                "difference is the EMG of a muscle",
                f"{typed_map(single[0], 'emg_left')} reads one as it is",
            )
        )
    return names, notes


def _with_unit(source: str, name: str, label: str, signal: LabelledSignal, notes: list[str]) -> str:
    """Add the unit in the header to a name without a unit; refuse a contradiction."""
    unit = parse_unit(signal.unit)
    base, _, named = name.casefold().rpartition("_")
    place = f"signal {label}"
    if named not in _UNITS:
        if unit:
            return f"{name}_{'uv' if unit == 'nv' else unit}"
        said = f"the unknown unit '{signal.unit}'" if signal.unit else "no unit"
        example = f"{name}_g" if name.casefold().startswith("acc") else f"{name}_uv"
        raise InputError(
            source,
            f"has {said}",
            f"state the unit that it is in ({typed_map(label, example)})",
            place,
        )
    if unit and unit != named:
        raise InputError(
            source,
            f"is in {signal.unit} but is named {name}",
            f"name it without a unit ({typed_map(label, base)})",
            place,
        )
    if signal.unit and not unit:
        notes.append(
            Note(
                "signal",
                f"{source}: {label}: unit '{signal.unit}' of the header is not known; "
                f"taken as {named} from its name",
                "state the unit with --map",
            )
        )
    return name


def _is_channel_name(label: str) -> bool:
    """Return whether a label is a channel name of the package, with or without a unit."""
    return is_signal_name(label) and re.fullmatch(r"\w+", label) is not None


def _names_side(label: str) -> bool:
    """Return whether a label names a leg as column names of the package do."""
    return re.search(r"left|right", label, re.IGNORECASE) is not None


def leg_suffix(label: str) -> str:
    """Return ``_left`` or ``_right`` if a label has that word, else an empty string."""
    side = _LEG.search(label)
    return f"_{side[1].lower()}" if side else ""
