"""Write numbers of the report in one format: three significant digits, intervals, units."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final, TypeGuard

from markupsafe import Markup, escape

from twitchsense.text import display_text

_UNIT = r"(?: ?%| (?:per h|per min|µV|mg|g/s|g|ms|s|min|h|Hz)\b)"
_NUMBER = r"[−<]?\d[\d,.:]*"
#: A number with its unit and interval; each part but the number may be missing.
_QUANTITY: Final = re.compile(
    rf"{_NUMBER}(?:[–-]{_NUMBER})?{_UNIT}*(?: \({_NUMBER}–{_NUMBER}{_UNIT}*\))?"
)
_SPAN: Final = Markup('<span class="unbroken">{}</span>')


def is_finite(value: Any) -> TypeGuard[float]:
    """Return whether a value of ``summary.json`` is a finite number."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def as_dict(value: Any) -> dict[str, Any]:
    """Return a block of ``summary.json``; empty if it is damaged."""
    return value if isinstance(value, dict) else {}


def format_number(value: Any) -> str:
    """Return a number with about three significant digits.

    Parameters
    ----------
    value : float
        Of any type; text and missing numbers give a dash.

    Returns
    -------
    str
        ``0``, ``0.003``, ``0.45``, ``9.1``, ``38.6``, ``1,204``; never ``0.`` or ``1e-05``.
        A number below 0.0005 is ``<0.001``.
    """
    if not is_finite(value):
        return "–"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.0005:
        return "<0.001"
    decimals = 0 if size >= 99.95 else 1 if size >= 0.95 else 2 if size >= 0.095 else 3
    return f"{value:,.{decimals}f}".replace("-", "−")


def format_interval(value: Any, low: Any, high: Any, unit: str = "") -> str:
    """Return a number with its unit and interval.

    Parameters
    ----------
    value, low, high : float
    unit : str

    Returns
    -------
    str
        Such as ``9.1 per h (7.1–11.5)``; only the value if the interval is unknown.
    """
    number = format_number(value)
    if unit and number != "–":
        number = f"{number} {unit}"
    if number != "–" and is_finite(low) and is_finite(high):
        number += f" ({format_number(low)}–{format_number(high)})"
    return number


def join_words(parts: Sequence[str], last: str = "and") -> str:
    """Return ``a``, ``a and b``, ``a, b and c``, or with another word before the last."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def unbroken(text: str) -> Markup:
    """Return text as markup in which no line breaks inside a number, its unit or its interval.

    Parameters
    ----------
    text : str

    Returns
    -------
    Markup
    """
    parts: list[str] = []
    end = 0
    shown = display_text(text)
    for match in _QUANTITY.finditer(shown):
        if match[0].isdigit():
            continue
        parts += [escape(shown[end : match.start()]), _SPAN.format(match[0])]
        end = match.end()
    return Markup("").join([*parts, escape(shown[end:])])
