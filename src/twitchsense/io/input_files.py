"""The files that a capture consists of, for its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from twitchsense.nightfile.lock import beside

#: Endings of the files that belong to a header of the same name.
_COMPANIONS: Final = {
    ".vhdr": (".vmrk", ".eeg", ".dat"),
    ".ahdr": (".amrk", ".eeg"),
    ".set": (".fdt",),
    ".lay": (".dat",),
    ".cdt": (".cdt.dpa", ".cdt.dpo", ".cdt.cef"),
}


def input_files(path: Path) -> list[Path]:
    """Return the files of a capture: itself, and those that belong to it.

    Parameters
    ----------
    path : Path
        A file, or a folder such as ``.mff`` or a BIDS data set.

    Returns
    -------
    list of Path
        Sorted; files that do not exist are left out, except `path` itself.
    """
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file())
    suffix = path.suffix.casefold()
    companions = [path.with_name(path.stem + end) for end in _COMPANIONS.get(suffix, ())]
    if suffix == ".night":
        log = beside(path, "-wal")  # packets that are not yet in the night file
        companions += [log] if log.is_file() and log.stat().st_size else []
    return [path, *(p for p in companions if p.is_file())]


def hash_capture(path: Path) -> str:
    """Return the SHA-256 of a capture in hexadecimal digits.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        That of its bytes; with several files, that of the list of their hashes.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    digests = []
    for file in input_files(path):
        with file.open("rb") as data:
            digests.append(hashlib.file_digest(data, "sha256").hexdigest())
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
