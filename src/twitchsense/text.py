"""Make text from files and devices safe to display: terminals, pages and spreadsheets."""

from __future__ import annotations

from typing import Final

#: First characters that make a spreadsheet read a cell as a formula, full-width forms included.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def printable(text: str, instead: str = " ") -> str:
    """Replace control characters, bidirectional overrides and other invisible characters.

    Parameters
    ----------
    text : str
    instead : str
        Replacement for each character that `str.isprintable` refuses.

    Returns
    -------
    str
        Text of the same number of characters if `instead` is a single character.
    """
    return "".join(c if c.isprintable() else instead for c in text)


def truncate(text: str, max_length: int) -> str:
    """Return `text`, cut to `max_length` characters; a cut text ends with an ellipsis."""
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def display_text(text: str, max_length: int = 1000) -> str:
    """Return text of bounded length without invisible characters.

    Parameters
    ----------
    text : str
    max_length : int
        Longer text is cut to this number of characters.

    Returns
    -------
    str
    """
    return printable(truncate(text, max_length))


def escape_formula(text: str) -> str:
    """Prefix an apostrophe to text that a spreadsheet would evaluate as a formula."""
    return "'" + text if text[:1] in _FORMULA else text
