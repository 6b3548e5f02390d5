"""Parse TOML that a user wrote; whatever the parser raises becomes a refusal."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from twitchsense.errors import InputError
from twitchsense.regular_file import MAX_SETTINGS_BYTES, read_limited

#: Maximum number of dots in a line: `tomllib` takes the square of the parts of a key.
_MAX_DOTS: Final = 1000


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        Tables by key.

    Raises
    ------
    InputError
        If the file cannot be read, is larger than 1 MB, or is not TOML.
    """
    source = str(path)
    raw = read_limited(path, source, MAX_SETTINGS_BYTES)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(source, "is not UTF-8 text", "save it as UTF-8") from error
    return parse_toml(text, source)


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Parse TOML.

    Parameters
    ----------
    text : str
    source : str
        Name of the file in messages.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If the text is not TOML, is nested too deeply, or has an integer of too many digits.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MAX_DOTS:
            raise InputError(source, "has too many dots", "correct that line", f"line {number}")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise InputError(source, "is nested too deeply", "give a TOML file") from error
    except ValueError as error:  # of the syntax, and of integers with over 4300 digits
        raise InputError(source, f"is not valid TOML ({error})", "correct that place") from error
