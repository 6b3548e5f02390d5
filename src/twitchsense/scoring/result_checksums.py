"""Checksums of a result directory, so that damaged or mixed files are not reported as a night.

``summary.json`` holds under `KEY` the SHA-256 of the other files that are read back, and its own:
that of its content without `KEY`, in any layout. Directories that earlier versions wrote have no
checksums and are not checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from twitchsense.errors import InputError

#: Key of the checksums in ``summary.json``, by file name.
KEY: Final = "sha256_of_files"
_SUMMARY: Final = "summary.json"


def add_checksums(summary: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a summary with the checksums of its directory.

    Parameters
    ----------
    summary : mapping
        Content of ``summary.json`` as `json.loads` returns it.
    files : mapping of str to bytes
        Content of the other files, by name.

    Returns
    -------
    dict
    """
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return {**summary, KEY: {**sums, _SUMMARY: _digest(summary)}}


def check_summary(summary: Mapping[str, Any], path: Path, cure: str) -> None:
    """Refuse a summary that is not as it was written.

    Parameters
    ----------
    summary : mapping
        Content of ``summary.json``.
    path : Path
    cure : str
        Remedy in the message.

    Raises
    ------
    InputError
    """
    if KEY not in summary:
        return
    content = {name: value for name, value in summary.items() if name != KEY}
    sums = summary[KEY]
    if not isinstance(sums, dict) or sums.get(_SUMMARY) != _digest(content):
        raise InputError(str(path), "was changed or damaged after analyze wrote it", cure)


def check_file(summary: Mapping[str, Any], path: Path, content: bytes, cure: str) -> None:
    """Refuse a file of a result directory that does not belong to its summary.

    Parameters
    ----------
    summary : mapping
        Content of ``summary.json``.
    path : Path
    content : bytes
        Of the file.
    cure : str
        Remedy in the message.

    Raises
    ------
    InputError
    """
    if KEY in summary and summary[KEY].get(path.name) != hashlib.sha256(content).hexdigest():
        problem = "was changed or damaged, or belongs to another analysis than summary.json"
        raise InputError(str(path), problem, cure)


def _digest(summary: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()
