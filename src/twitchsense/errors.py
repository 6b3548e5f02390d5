"""Exceptions of this package; each message names the place and the cure.

Callers catch `TwitchsenseError`. The command line reports an `InputError` in a
single line with exit status 2, any other error with exit status 1.
"""

from __future__ import annotations

from twitchsense.text import printable, truncate


class TwitchsenseError(Exception):
    """Base class of all exceptions of this package."""


class InputError(TwitchsenseError):
    """An input of the user that cannot be used.

    Parameters
    ----------
    source : str
        File or argument at fault.
    problem : str
        Description of the problem.
    cure : str
        Remedy for the user.
    place : str, optional
        Location in the source: a line, a column, a key.
    """

    def __init__(self, source: str, problem: str, cure: str, place: str = "") -> None:
        self.source = _one_line(source)
        self.place = _one_line(place)
        self.problem = _one_line(problem)
        self.cure = _one_line(cure)
        where = f"{self.source}, {self.place}" if self.place else self.source
        super().__init__(f"{where}: {self.problem}; {self.cure}")


class MissingExtraError(TwitchsenseError):
    """An optional dependency that is not installed.

    Parameters
    ----------
    extra : str
        Name of the extra that installs it.
    purpose : str
        Feature that needs it, as the subject of the message.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'twitchsense[{extra}]'")


def _one_line(text: str, limit: int = 200) -> str:
    """Return text from outside as one printable line of limited length."""
    clean = " ".join(printable(text).split())
    return truncate(clean, limit)
