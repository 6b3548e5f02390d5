"""Leg EMG, chin EMG and acceleration among the labels that sleep laboratories use.

A label is split into words; a word may join side and muscle (``LLEG``, ``RAT``, ``PLMl``). One
word that is not known makes the label that of another signal.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Words for the sides, in the languages of the programs.
SIDES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("l", "lt", "left", "li", "lks", "links", "linke", "linkes", "sx", "sin", "sinistra",
         "sinistro", "g", "gauche", "izq", "izda", "izquierda"), "left"),
    **dict.fromkeys(
        ("r", "rt", "right", "re", "rechts", "rechte", "rechtes", "dx", "dex", "destra", "destro",
         "d", "droit", "droite", "der", "dcha", "derecha"), "right"),
}  # fmt: skip
_LEG_WORD: Final = r"legs?|tib(?:ialis|ial|ant)?|plms?|bein|jambe?|pierna|gamba"
#: Muscle words that are too short to be known without a side: the anterior tibial muscle.
_SHORT: Final = r"at|ta"
#: Words that say nothing about side and muscle.
_NEUTRAL: Final = frozenset(("emg", "ref", "ant", "anterior", "m", "muscle", "bip", "bipolar"))
_WORD: Final = re.compile(
    rf"(?P<before>left|right|l|r)?(?P<leg>{_LEG_WORD}|{_SHORT})"
    r"(?P<after>left|right|li|re|sx|dx|l|r|g|d)?"
)
_SIGN: Final = re.compile(r"[^+]+[+-]")
_CHIN: Final = re.compile(
    r"chin\d*|subm\w*|ment(?:al\w*|on|um)?\d*|kinn|menton\w*|masseter|arm\w*|fds|edc|fdi"
)
#: Words of signals that are neither EMG nor acceleration.
_OTHER_SIGNALS: Final = frozenset(
    ("eeg", "eog", "ecg", "ekg", "ppg", "pleth", "pulse", "hr", "spo", "sao", "resp",
     "respiration", "airflow", "flow", "pressure", "thorax", "thor", "abdomen", "abdo", "snore",
     "mic", "temp", "temperature", "light", "gyro", "mag", "magnetometer", "battery", "trigger")
)  # fmt: skip
#: Derivations of EEG and EOG, such as ``C3-A2`` and ``E1:M2``.
_DERIVATION: Final = re.compile(
    r"(?:fp|[cfopte])[\dz]{1,2}\s*[-:/]\s*(?:[am]|fp|[cfopt])[\dz]{1,2}"
)
_AXIS: Final = re.compile(
    r"(?:acc(?:el(?:eration|erometer)?)?)?[\s._:-]*([xyz])(?:[\s_-]*axis)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class LegLabel:
    """What a label says about an EMG channel of a leg.

    Attributes
    ----------
    side : {'left', 'right', ''}
        Empty if the label names no side, or both.
    electrode : int
        Number at the end of the label of a single electrode, where ``+`` is 1 and ``-`` is 2; 0
        if there is none, or a pair.
    """

    side: str
    electrode: int


def parse_leg_label(label: str) -> LegLabel | None:
    """Return what a label says about EMG of a leg, or None if it is that of another signal.

    Parameters
    ----------
    label : str
        Such as ``EMG LAT``, ``Leg/L``, ``RLEG+-RLEG-`` or ``PLMr``.

    Returns
    -------
    LegLabel or None
    """
    sides: list[str] = []
    numbers: list[int] = []
    legs = short = 0
    words = re.findall(r"[^\W\d_]+\d*|\d+", label.casefold())
    for word in words:
        bare = word.rstrip("0123456789")
        if bare != word:
            numbers.append(int(word[len(bare) :][:9]))
        match = _WORD.fullmatch(bare)
        if bare in SIDES:
            sides.append(SIDES[bare])
        elif match:
            legs += 1
            short += match["leg"] in ("at", "ta")
            sides += [SIDES[s] for s in (match["before"], match["after"]) if s]
        elif bare and bare not in _NEUTRAL:
            return None
    # one electrode of a pair: ``LAT+``, not ``LAT+-LAT-``
    if _SIGN.fullmatch(label.strip()):
        numbers.append(1 + label.strip().endswith("-"))
    # derivations of the CAP Sleep Database: SX1-SX2, DX1-DX2
    pair = [w[:-1] for w in words] in (["sx", "sx"], ["dx", "dx"])
    if not (legs or pair) or (short and not sides):
        return None
    side = sides[0] if len(set(sides)) == 1 else ""
    return LegLabel(side, numbers[0] if len(numbers) == 1 else 0)


def is_other_muscle(label: str) -> bool:
    """Return whether a label names the chin or the arm.

    Parameters
    ----------
    label : str
    """
    words = re.findall(r"[^\W_]+", label.casefold())
    return any(_CHIN.fullmatch(word) for word in words)


def is_not_of_the_leg(label: str) -> bool:
    """Return whether a label names another signal of a sleep laboratory or of a device.

    Parameters
    ----------
    label : str
        Such as ``EEG C3-A2``, ``ECG`` or ``SpO2``; a label that says nothing gives False.
    """
    folded = label.casefold().strip()
    words = re.findall(r"[^\W\d_]+", folded)
    is_named = any(word in _OTHER_SIGNALS for word in words)
    return is_named or is_other_muscle(label) or _DERIVATION.fullmatch(folded) is not None


@dataclass(frozen=True, slots=True)
class LabelNames:
    """Names that labels suggest.

    Attributes
    ----------
    names : dict of int to str
        Name of a signal, without a unit, by its position.
    electrodes : tuple of int
        Positions of single electrodes of one muscle, of which only the difference is EMG.
    """

    names: dict[int, str]
    electrodes: tuple[int, ...]


def suggest_names(labels: Sequence[tuple[int, str, str]]) -> LabelNames:
    """Find EMG of the legs and the axes of an accelerometer among labels.

    Parameters
    ----------
    labels : sequence of (int, str, str)
        Position, label and unit of signals; known units as `twitchsense.model.units.parse_unit`
        returns them.

    Returns
    -------
    LabelNames
    """
    names = _axes(labels)
    found: dict[int, LegLabel] = {}
    for position, label, unit in labels:
        parsed = parse_leg_label(label)
        # an unknown unit with a V in it is one of voltage, which the user must state
        if parsed is not None and (not unit or "v" in unit.casefold()):
            found[position] = parsed
    of_side: dict[str, list[int]] = defaultdict(list)
    for position, leg in found.items():
        of_side[leg.side].append(position)
    electrodes: list[int] = []
    for side, positions in of_side.items():
        numbered = [p for p in positions if found[p].electrode]
        if len(numbered) > 1 or (numbered and not side):
            electrodes += numbered
            positions = [p for p in positions if p not in numbered]
        for count, position in enumerate(positions, 1):
            stem = "emg" if side and count == 1 else f"emg{count}"
            names[position] = f"{stem}_{side}" if side else stem
    return LabelNames(names, tuple(electrodes))


def _axes(labels: Sequence[tuple[int, str, str]]) -> dict[int, str]:
    """Return the names of the three axes of one accelerometer, if there is exactly one."""
    axes = {
        position: match[1].casefold()
        for position, label, unit in labels
        if unit in ("g", "mg", "ms2") and (match := _AXIS.fullmatch(label.strip()))
    }
    if Counter(axes.values()) != {"x": 1, "y": 1, "z": 1}:
        return {}
    return {position: f"acc_{axis}" for position, axis in axes.items()}
