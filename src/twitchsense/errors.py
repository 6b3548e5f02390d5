"""The one small vocabulary of errors: each names the place and the cure.

`TwitchsenseError` is what a caller catches. The command line turns
`InputError` into exit status 2 with a single line, everything else into 1.
"""

from __future__ import annotations

from twitchsense.text import printable


class TwitchsenseError(Exception):
    """Base of every error this library raises on purpose."""


class InputError(TwitchsenseError):
    """Something the user gave cannot be used.

    Parameters
    ----------
    source : str
        The file (or argument) at fault.
    problem : str
        What is wrong, in plain words.
    cure : str
        What the user can do about it.
    place : str, optional
        Where in the source: a line, a column, a key.
    """

    def __init__(self, source: str, problem: str, cure: str, place: str = "") -> None:
        self.source = _one_line(source)
        self.place = _one_line(place)
        self.problem = _one_line(problem)
        self.cure = _one_line(cure)
        where = f"{self.source}, {self.place}" if self.place else self.source
        super().__init__(f"{where}: {self.problem}; {self.cure}")


class MissingExtraError(TwitchsenseError):
    """An optional library is needed and is not installed."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'twitchsense[{extra}]'")


def _one_line(text: str, limit: int = 200) -> str:
    """Make hostile text safe to print: one line, printable, not endless."""
    clean = " ".join(printable(text).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
