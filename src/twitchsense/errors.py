"""Exceptions of this package; each message names the place and the cure.

Callers catch `TwitchsenseError`. The command line reports each in a single line, and ends with its
exit status.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Final

from twitchsense.text import printable, truncate

#: Options of the command line that Python functions take as arguments, and their values.
_VALUES: Final = {
    "map": r"'[^']+'(?:\"'\"'[^']*')*",  # an apostrophe stands in quotation marks of its own
    "kinds": r"'[^']+'",
    "fs": r"[\d.]*\d",
    "gain": r"[\d.]*\d",
    "zone": r"\w+/\w+",
    "time-unit": r"(?:ms|us|ns|s)\b",
    "start": r"'[^']+'|[\d:T+-]+",
    "via": "mne",
    "stages": r"'[^']+'|yasa|[\w=,]+\w",
    "skip-rows": r"\d+",
    "columns": r"[\w,]+\w,\w+",
}
#: Options that have another name in Python.
_PYTHON_NAMES: Final = {
    "map": "columns",
    "time-unit": "time_unit",
    "skip-rows": "skip_rows",
    "columns": "names",
}
_OPTION: Final = re.compile(
    "|".join(rf"--(?:{name})\b(?: (?:{value}))?" for name, value in _VALUES.items())
)


class TwitchsenseError(Exception):
    """Base class of all exceptions of this package.

    Attributes
    ----------
    exit_status : int
        Of the command line: 2 for what the user can change, 1 otherwise.
    """

    exit_status = 1

    @property
    def command_message(self) -> str:
        """Text for users of the command line: one line."""
        return str(self)


class InputError(TwitchsenseError):
    """An input of the user that cannot be used.

    Its text names the arguments of Python functions; `command_message` names the options of
    the command line.

    Parameters
    ----------
    source : str
        File or argument at fault.
    problem : str
        Description of the problem.
    cure : str
        Remedy for the user, with options as on the command line (``--fs 1000``).
    place : str, optional
        Location in the source: a line, a column, a key.
    """

    exit_status = 2

    def __init__(self, source: str, problem: str, cure: str, place: str = "") -> None:
        self.source = _one_line(source)
        self.place = _one_line(place)
        self.problem = _one_line(problem)
        self.cure = _one_line(cure)
        super().__init__(_to_python(self.command_message))

    @property
    def command_message(self) -> str:
        """Text for users of the command line: one line."""
        where = f"{self.source}, {self.place}" if self.place else self.source
        return f"{where}: {self.problem}; {self.cure}"


class MissingExtraError(TwitchsenseError):
    """An optional dependency that is not installed.

    Parameters
    ----------
    extra : str
        Name of the extra that installs it.
    purpose : str
        Feature that needs it, as the subject of the message.
    """

    exit_status = 2

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra: {install_command(extra)}")


def install_command(extra: str) -> str:
    """Return a shell command that installs an extra into the environment of this Python.

    Parameters
    ----------
    extra : str

    Returns
    -------
    str
        It works in any folder, and names the folder that twitchsense was installed from.
    """
    package = f"{_installed_from() or 'twitchsense'}[{extra}]"
    from importlib.util import find_spec

    python = sys.executable or "python3"
    pip = [python, "-m", "pip", "install"]
    if find_spec("pip") is None:  # as in environments of uv
        pip = ["uv", "pip", "install", "--python", python]
    return f"{shlex.join(pip)} {shlex.quote(package)}"


def _installed_from() -> str:
    """Return the folder that twitchsense was installed from; empty if it was an index."""
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        origin = json.loads(distribution("twitchsense").read_text("direct_url.json") or "{}")
        url = urlsplit(origin["url"])
        folder = url2pathname(url.path) if "dir_info" in origin and url.scheme == "file" else ""
    except (PackageNotFoundError, ValueError, KeyError, TypeError):
        return ""
    return folder if (Path(folder) / "pyproject.toml").is_file() else ""


def _to_python(message: str) -> str:
    """Return a message with arguments of Python functions in place of options."""
    return _OPTION.sub(_argument, message).replace("another --out", "another directory")


def _argument(option: re.Match[str]) -> str:
    name, _, value = option[0].removeprefix("--").partition(" ")
    name = _PYTHON_NAMES.get(name, name)
    value = value.replace("'\"'\"'", "\0").strip("'").replace("\0", "'")
    if not value:
        return f"the argument {name}"
    if name in ("columns", "kinds"):
        theirs, _, ours = value.rpartition("=")
        if len(theirs) > 2 and theirs[0] == theirs[-1] == '"':
            theirs = theirs[1:-1].replace('""', '"')
        return f"{name}={{{theirs!r}: {ours!r}}}"
    if name == "names":
        return f"names={value.split(',')}"
    return f"{name}={value}" if name in ("fs", "gain", "skip_rows") else f"{name}={value!r}"


def _one_line(text: str, limit: int = 200) -> str:
    """Return text from outside as one printable line of limited length."""
    clean = " ".join(printable(text).split())
    return truncate(clean, limit)
