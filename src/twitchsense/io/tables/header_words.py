"""Words in foreign headers: units, legs, axes, and names of channels for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from twitchsense.io.channels.signal_labels import SIDES
from twitchsense.io.tables.transfer import Transfer

#: Units as programs write them, without brackets and in lower case: kind, unit, factor to it.
_UNITS: Final = {
    "uv": ("emg", "uv", 1.0),
    "microvolt": ("emg", "uv", 1.0),
    "microvolts": ("emg", "uv", 1.0),
    "nv": ("emg", "uv", 1e-3),
    "mv": ("emg", "mv", 1.0),
    "millivolts": ("emg", "mv", 1.0),
    "v": ("emg", "v", 1.0),
    "volts": ("emg", "v", 1.0),
    "g": ("acc", "g", 1.0),
    "mg": ("acc", "mg", 1.0),
    "m/s2": ("acc", "ms2", 1.0),
    "ms-2": ("acc", "ms2", 1.0),
}


def read_unit(text: str) -> tuple[str, str, Transfer | None] | None:
    """Return what a unit in a header means.

    Parameters
    ----------
    text : str
        Such as ``[mG]`` or ``m/(s^2)``.

    Returns
    -------
    kind : {'emg', 'acc'}
    unit : str
        Of this package.
    transfer : Transfer or None
        To this unit, if it is another one.
    """
    clean = re.sub(r"[\s()\[\]^*]", "", text.casefold())
    clean = clean.replace("\u03bc", "u").replace("\u00b5", "u").replace("\u00b2", "2")
    clean = clean.replace("m/s/s", "m/s2")
    found = _UNITS.get(clean)
    if found is None:
        return None
    kind, unit, factor = found
    return kind, unit, None if factor == 1 else Transfer(factor)


def find_leg(label: str) -> str:
    """Return ``left`` or ``right`` if a label names one of them, else an empty string.

    Parameters
    ----------
    label : str
        Such as ``TIB.ANT. RT`` or ``EMG links``.
    """
    words = re.split(r"[\W_]+", label.casefold())
    # single letters of other languages are names of channels too (A to G)
    sides = {SIDES[word] for word in words if word in SIDES and (len(word) > 1 or word in "lr")}
    return sides.pop() if len(sides) == 1 else ""


def channel_name(stem: str, leg: str, *parts: str) -> str:
    """Return a column name of this package.

    Parameters
    ----------
    stem : str
        Such as ``emg1`` or ``acc``.
    leg : str
        ``left``, ``right`` or empty.
    *parts : str
        Axis and unit.
    """
    return "_".join(part for part in (stem, leg, *parts) if part)


def nominal_rate(names: Iterable[str]) -> int:
    """Return the sampling rate in Hz that a file of such columns usually has.

    Parameters
    ----------
    names : iterable of str
    """
    of_acc = [name.strip().casefold().startswith("acc") for name in names]
    return 100 if of_acc and all(of_acc) else 1000


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that differ: those that occur several times get the number of their column.

    Parameters
    ----------
    names : sequence of str
    """
    counts = Counter(names)
    return tuple(
        f"{name} (column {i + 1})" if name and counts[name] > 1 else name
        for i, name in enumerate(names)
    )
