"""Sampling rates that the lines above the rows state, beside a time column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from twitchsense.io.text.csv_head import HeadLine

#: Words of a rate, perhaps its unit, the number, and its unit or the end of the field.
_RATE: Final = re.compile(
    r"(?:(?:sampl\w*|measurement|acquisition)[ _-]*(?:rate|freq\w*)|abtast(?:rate|frequenz)"
    r"|\bfs\b|\bat\b(?= *\d+ *hz))"
    r"\s*(?:[\[(]?(?P<before>k?hz)[\])]?)?[\s:=,;\"]*(?P<number>\d+(?:\.\d+)?)"
    r"\s*(?:(?P<after>k?hz)\b|[\s,;\"]*$)",
    re.IGNORECASE,
)


def stated_rate(lines: Sequence[HeadLine]) -> float | None:
    """Return the sampling rate that lines state, in Hz.

    Parameters
    ----------
    lines : sequence of HeadLine
        The header of a text file, with the comments in it.

    Returns
    -------
    float or None
        None if they state no rate, or several.
    """
    rates = set()
    for line in lines:
        for match in _RATE.finditer(line.text):
            unit = match["after"] or match["before"] or "hz"
            rates.add(float(match["number"]) * (1000 if unit.casefold() == "khz" else 1))
    return rates.pop() if len(rates) == 1 else None
