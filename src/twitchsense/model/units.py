"""Units as they stand in the headers of files, and as column names contain them."""

from __future__ import annotations

import re
from typing import Final

#: Metric prefixes of volts: the micro sign and the Greek letter mu are both in use, and are
#: also found as UTF-8 read as Latin-1, as code page 437 and as Shift JIS.
_MICRO: Final = ("\xb5", "\u03bc", "\xc2\xb5", "\xce\xbc", "\xe6", "\x83\xca")
_VOLTS: Final = re.compile(r"(nano|micro|milli|[num])?[ -]?(?:volts?|v)")
_PREFIXES: Final = {"": "v", "n": "nv", "nano": "nv", "u": "uv", "micro": "uv", "m": "mv",
                    "milli": "mv"}  # fmt: skip
_ACCELERATION: Final = {
    "g": "g",
    "mg": "mg",
    "milli-g": "mg",
    "millig": "mg",
    "m/s2": "ms2",
    "m/s^2": "ms2",
    "m/s**2": "ms2",
    "m/s/s": "ms2",
    "m/s\xb2": "ms2",
    "m/s\xc2\xb2": "ms2",
    "m.s-2": "ms2",
    "m s-2": "ms2",
    "m*s^-2": "ms2",
    "m s^-2": "ms2",
    "ms-2": "ms2",
    "ms^-2": "ms2",
    "ms2": "ms2",
}


def parse_unit(text: str) -> str:
    """Return the unit of a column name for a unit in a header.

    Parameters
    ----------
    text : str
        Such as ``µV``, ``uVolt``, ``mV``, ``Volt``, ``m/s²``.

    Returns
    -------
    str
        ``nv``, ``uv``, ``mv``, ``v``, ``g``, ``mg`` or ``ms2``; empty if the unit is not
        one of these.
    """
    unit = text.strip().casefold()
    if unit in _ACCELERATION:
        return _ACCELERATION[unit]
    for sign in _MICRO:
        if unit.startswith(sign.casefold()):
            unit = "u" + unit.removeprefix(sign.casefold())
            break
    match = _VOLTS.fullmatch(unit)
    return _PREFIXES[match[1] or ""] if match else ""
