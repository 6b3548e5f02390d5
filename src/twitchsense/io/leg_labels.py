"""Labels that sleep laboratories give to the EMG of the legs: ``LAT``, ``Leg/R``, ``EMG Tib-L``.

A label is a site and a side, in either order and with any signs between them. A new word is
one entry of `_SITES` or `_SIDES`.
"""

from __future__ import annotations

import re
from typing import Final, Literal

#: Leg of a label; ``both`` if it names both, ``unknown`` if it names a leg without its side.
LabelledLeg = Literal["left", "right", "both", "unknown"]

#: Words for the leg or its tibialis anterior, in lower case without signs.
_SITES: Final = (
    "leg", "legs", "limb", "lowerleg", "tib", "tibia", "tibial", "tibialis", "tibant", "anttib",
    "tibialisant", "tibialisanterior", "anteriortibialis", "ta", "at", "plm", "plms", "plmd", "lm",
    "lms", "bein", "beine", "jambe", "gamba", "pierna", "been", "calf",
)  # fmt: skip
_SIDES: Final = {
    "left": ("l", "left", "lt", "li", "links", "sx", "sin", "gauche", "izq", "izquierda"),
    "right": ("r", "right", "rt", "re", "rechts", "dx", "droit", "droite", "der", "derecha"),
}
_LEGS: Final[dict[str, LabelledLeg]] = {
    form: "left" if side == "left" else "right"
    for side, words in _SIDES.items()
    for word in words
    for site in _SITES
    for form in (word + site, site + word)
}
#: Two letters that also name other things are no leg without its side.
_SITES_ALONE: Final = frozenset(_SITES) - {"at", "ta", "lm", "been", "limb", "calf"}
_EMG: Final = re.compile(r"^s?emg|\bs?emg\b|s?emg$")
#: Both sides beside one site: ``Leg L-R``.
_BOTH: Final = re.compile(
    r"(?:emg\W*)?(?:(?:legs?|tib|plms?|lm)\W*(?:l\W+r|r\W+l)|(?:l\W+r|r\W+l)\W*(?:legs?|tib|plms?|lm))"
)
_REFERENCE: Final = re.compile(r"(?:ref|gnd|avg)$")
#: Number of an electrode or a signal, or its sign.
_NUMBER: Final = re.compile(r"[\d+]+$")


def leg_of_label(label: str) -> LabelledLeg | None:
    """Return the leg that a label names.

    Parameters
    ----------
    label : str
        As it stands in the file.

    Returns
    -------
    {'left', 'right', 'both', 'unknown'} or None
        ``both`` for a signal between the legs (``LAT-RAT``); ``unknown`` for a leg without
        its side, and for numbers in its place (``PLM1``, also ``LAT1``, which may be one of
        the two electrodes of a leg); None for a label that names no leg.
    """
    whole = _bare(label)
    if whole in _LEGS:
        return _LEGS[whole]
    # a derivation such as LAT1-LAT2, LLeg+-LLeg- or LAT-Ref
    parts = [part for part in re.split(r"[-/:]", label) if _bare(part) or _NUMBER.search(part)]
    legs = [_LEGS.get(_NUMBER.sub("", _bare(part))) for part in parts]
    if len(parts) == 2:
        named = [leg for leg in legs if leg is not None]
        reference = _bare(parts[1]) in ("", "ref", "gnd", "avg", "a1", "a2", "m1", "m2")
        if len(named) == 2:
            return named[0] if named[0] == named[1] else "both"
        if len(named) == 1 and legs[0] is not None and reference:
            numbered = _NUMBER.search(_bare(parts[0])) is not None
            return "unknown" if numbered else legs[0]
    if _BOTH.fullmatch(label.lower()):
        return "both"
    site = _NUMBER.sub("", whole)
    numbered = site != whole
    if site in _LEGS or site in (_SITES if numbered else _SITES_ALONE):
        return "unknown"
    return None


def _bare(label: str) -> str:
    """Return letters and digits in lower case, without EMG and the reference."""
    words = _EMG.sub("", label.lower().replace("_", " "))
    letters = re.sub(r"[^a-z0-9+]", "", words).rstrip("+")
    return _REFERENCE.sub("", _EMG.sub("", letters))
