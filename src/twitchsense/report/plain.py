"""Foreign text made fit to show: printable, and not endless."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup

from twitchsense.text import printable

_LONGEST: Final = 1000


def plain(text: str, limit: int = _LONGEST) -> str:
    """Return text without invisible characters (such as those that turn text around)."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return printable(short)


def show(value: Any) -> Any:
    """Return a value as the page shows it; our own markup as it is."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
