"""Notes of readers and of the analysis: those that question the result have a kind and a cure.

Most notes are information (gaps, battery, markers) and plain text. A note that questions the
result is a `Note`: text with what it questions and what to do. These come first everywhere: at
the end of ``analyze``, in ``summary.json`` and in the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, Literal, Self, cast, get_args

from twitchsense.text import truncate

#: Maximum number of characters of a note with its cure; a list of columns may be long.
_MAX_LENGTH: Final = 400


#: What a note questions, in order of importance.
NoteKind = Literal[
    "unit",  # the values contradict the unit of their column
    "signal",  # the signal is not usable, or not what the name of its column states
    "stages",  # the stages are of another time or of another night
    "unread",  # signal that was not read
    "times",  # times or rates that were not stated
    "rate",  # what the sampling rate does not show
    "wear",  # the sensor may not have been worn
    "sleep",  # sleep is estimated, or unknown
]
#: An absolute path up to its last separator, at the start of a word.
_FOLDERS: Final = re.compile(
    r"(?<![^\s\"'(“])(?:~|[A-Za-z]:|\\)?[\\/](?=[^\s\\/])(?:[^\\/:,;()\"\n]*[\\/])+"
)
#: A note on one channel: its name, and what is said of it.
_OF_CHANNEL: Final = re.compile(r"((?:emg|acc)\w*): (.*)", re.DOTALL)
#: Cures of several notes.
STATE_TIMES: Final = "state the times with --time-unit or --fs if this is wrong"
#: Needless where the start of the recording is stated.
GIVE_ZONE: Final = "clock times are known with --zone (such as Europe/Berlin)"
GIVE_STAGE_TIMES: Final = "give a hypnogram with times"


class Note(str):
    """A note that questions the result.

    Parameters
    ----------
    kind : NoteKind
        What it questions.
    text : str
    cure : str
        What to do; empty if the text says it.
    """

    __slots__ = ("cure", "kind")

    kind: NoteKind
    cure: str

    def __new__(cls, kind: NoteKind, text: str, cure: str = "") -> Self:
        """Create the text with its kind and cure."""
        note = super().__new__(cls, text)
        note.kind = kind
        note.cure = cure
        return note

    def __getnewargs__(self) -> tuple[NoteKind, str, str]:  # type: ignore[override]
        """Return the arguments of a copy, for `pickle` and `copy`."""
        return self.kind, str(self), self.cure


def with_source(source: str, note: str) -> str:
    """Return a note with its file before it; a `Note` keeps its kind and cure.

    Parameters
    ----------
    source : str
        Name of the file.
    note : str

    Returns
    -------
    str
    """
    return _edited(note, f"{source}: {note}")


def without_folders(note: str) -> str:
    """Return a note with file names instead of paths; a `Note` keeps its kind and cure.

    Parameters
    ----------
    note : str
        Many notes begin with the path of a file and a colon.

    Returns
    -------
    str
    """
    place, colon, text = note.partition(": ")
    is_absolute = place.startswith(("/", "\\", "~", ".")) or place[1:3] in (":\\", ":/")
    name = PurePosixPath(PureWindowsPath(place).as_posix()).name
    if colon and ("/" in place or "\\" in place) and (is_absolute or "." in name):
        return _edited(note, f"{name}: {_FOLDERS.sub('', text)}")
    return _edited(note, _FOLDERS.sub("", note))


def join_channels(notes: Iterable[str]) -> list[str]:
    """Join the notes that say the same of several channels, at the place of the first.

    Parameters
    ----------
    notes : iterable of str
        Those of one channel begin with its name and a colon.

    Returns
    -------
    list of str
        Such as ``emg3–emg8: ...``.
    """
    of_text: dict[tuple[str, str, str], list[str]] = {}
    for note in notes:
        match = _OF_CHANNEL.fullmatch(note)
        kind, cure = (note.kind, note.cure) if isinstance(note, Note) else ("", "")
        of_text.setdefault((kind, match[2] if match else note, cure), []).append(
            match[1] if match else ""
        )
    joined: list[str] = []
    for (kind, text, cure), channels in of_text.items():
        names = [name for name in dict.fromkeys(channels) if name]
        whole = f"{channel_range(names)}: {text}" if names else text
        joined.append(Note(cast("NoteKind", kind), whole, cure) if kind else whole)
    return joined


def channel_range(names: Sequence[str]) -> str:
    """Return names of channels in short: ``emg1, emg3–emg8``.

    Parameters
    ----------
    names : sequence of str
    """
    parts: list[list[str]] = []
    last = ("", -1)
    for name in names:
        stem = name.rstrip("0123456789")
        number = int(name[len(stem) :] or -2)
        if last == (stem, number - 1):
            parts[-1].append(name)
        else:
            parts.append([name])
        last = stem, number
    return ", ".join(
        f"{part[0]}–{part[-1]}" if len(part) > 2 else ", ".join(part) for part in parts
    )


def _edited(note: str, text: str) -> str:
    return Note(note.kind, text, note.cure) if isinstance(note, Note) else text


def main_notes(notes: Iterable[str]) -> list[Note]:
    """Return the notes that question the result, in order of importance, each with its cure.

    Parameters
    ----------
    notes : iterable of str
        All notes of a recording and of its analysis.

    Returns
    -------
    list of Note
        The most important first; notes of one kind keep their order. The cure is at the end
        of the text.
    """
    order = get_args(NoteKind)
    found = [note for note in dict.fromkeys(notes) if isinstance(note, Note)]
    return [_with_cure(note) for note in sorted(found, key=lambda note: order.index(note.kind))]


def _with_cure(note: Note) -> Note:
    text = truncate(note, _MAX_LENGTH - len(note.cure))
    return Note(note.kind, f"{text}; {note.cure}" if note.cure else text)
