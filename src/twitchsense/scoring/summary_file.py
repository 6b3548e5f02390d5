"""The summary that `analyze` left in a directory, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from twitchsense.errors import InputError

CURE: Final = "run analyze again into this directory"
_MOST_BYTES: Final = 200_000_000  # a summary or table larger than this is not ours
_PARTS: Final = ("sleep_onset", "by_kind", "valid_s", "clock", "provenance", "notes")


def read_summary(directory: Path) -> dict[str, Any]:
    """Return the content of a result's ``summary.json``.

    Raises
    ------
    InputError
        If it is missing or is no summary.
    """
    path = directory / "summary.json"
    try:
        facts = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), f"is no JSON ({error})", CURE) from error
    if not isinstance(facts, dict) or any(
        not isinstance(facts.get(part), (dict, list)) for part in _PARTS
    ):
        raise InputError(str(path), "is no summary of analyze", CURE)
    return facts


def read_text(path: Path) -> str:
    """Return the text of a result file.

    Raises
    ------
    InputError
        If it is missing, far too large, or can't be read.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(str(path), "is far too large", CURE)
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise InputError(str(path), "is missing", "give a directory that analyze wrote") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read ({error})", CURE) from error
