"""Channels of files whose signals have a label and a unit: EDF, XDF, what MNE reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.capture import IGNORE, ColumnMapping
from twitchsense.model.column_names import SCALES, ChannelPlan, is_signal_name, plan_channels
from twitchsense.model.notes import Note
from twitchsense.model.units import parse_unit

#: Factor from nV, which no column name contains, to µV.
_NANO: Final = 1e-3
#: Units of column names.
_UNITS: Final = frozenset(unit for units in SCALES.values() for unit in units)


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
        If two signals have one label, a unit is unknown or contradicts the name, or no
        signal has a known name.
    """
    names: dict[str, str] = {}
    index: dict[str, int] = {}
    factors: dict[str, float] = {}
    ignored: list[str] = []
    notes: list[str] = []
    for i, signal in enumerate(signals):
        if signal is None:
            continue
        name = mapping.rename(signal.label)
        if name == signal.label and signal.suggested and not _is_channel_name(name):
            name = signal.suggested
            notes.append(f"{source}: '{signal.label}' is {name}")
        elif name == signal.label and not _is_channel_name(name):
            ignored.append(signal.label)
            continue
        if name.casefold() == IGNORE:
            continue
        if signal.label in index:
            raise InputError(
                source, "two signals have the same name", "rename one", f"signal {signal.label}"
            )
        names[signal.label] = _with_unit(source, name, signal, notes)
        index[signal.label] = i
        factors[signal.label] = _NANO if parse_unit(signal.unit) == "nv" else 1.0
    if not names:
        raise InputError(
            source,
            f"no signal with a known name among: {', '.join(ignored) or 'none'}",
            f"map them (--map '{ignored[0] if ignored else 'EMG LAT'}=emg_left')",
            "header",
        )
    return SignalPlan(plan_channels(names, source), index, factors, tuple(ignored), tuple(notes))


def _with_unit(source: str, name: str, signal: LabelledSignal, notes: list[str]) -> str:
    """Add the unit in the header to a name without a unit; refuse a contradiction."""
    unit = parse_unit(signal.unit)
    base, _, named = name.casefold().rpartition("_")
    place = f"signal {signal.label}"
    if named not in _UNITS:
        if unit:
            return f"{name}_{'uv' if unit == 'nv' else unit}"
        said = f"the unknown unit '{signal.unit}'" if signal.unit else "no unit"
        example = f"{name}_g" if name.casefold().startswith("acc") else f"{name}_uv"
        raise InputError(
            source,
            f"has {said}",
            f"state the unit that it is in (--map '{signal.label}={example}')",
            place,
        )
    if unit and unit != named:
        raise InputError(
            source,
            f"is in {signal.unit} but is named {name}",
            f"name it without a unit (--map '{signal.label}={base}')",
            place,
        )
    if signal.unit and not unit:
        notes.append(
            Note(
                "signal",
                f"{source}: {signal.label}: unit '{signal.unit}' of the header is not known; "
                f"taken as {named} from its name",
                "state the unit with --map",
            )
        )
    return name


def _is_channel_name(label: str) -> bool:
    """Return whether a label is a channel name of the package, with or without a unit."""
    return is_signal_name(label) and re.fullmatch(r"\w+", label) is not None
