"""Foreign text made fit to show: it steers no terminal, turns nothing around, runs nowhere."""

from __future__ import annotations

from typing import Final

#: What may begin a formula in a spreadsheet, full-width forms included.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def printable(text: str, instead: str = " ") -> str:
    """Return text without control characters, marks that turn text around, and the like."""
    return "".join(c if c.isprintable() else instead for c in text)


def harmless(text: str) -> str:
    """Defuse what a spreadsheet would run as a formula."""
    return "'" + text if text[:1] in _FORMULA else text
