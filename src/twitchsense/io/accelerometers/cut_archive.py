"""Files in a zip archive whose end is missing, as after an interrupted copy.

The list of files stands at the end of an archive. Without it, the header before each file tells
its name, and the last file is decompressed as far as it goes.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO, Final

#: Header of a file: signature, version, flags, method, time, date, checksum, compressed and full
#: size, lengths of the name and of an extra field.
_HEADER: Final = struct.Struct("<4s5H3I2H")
_SIGNATURE: Final = b"PK\x03\x04"
_DEFLATED: Final = 8
#: Bit of the flags: the file is encrypted.
_ENCRYPTED: Final = 1
_CHUNK_BYTES: Final = 1 << 16
#: Most files that are looked for.
_MAX_FILES: Final = 100


def files_of_cut_archive(path: Path) -> dict[str, int]:
    """Return where the compressed data of each file begins, by its name.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to int
        Offsets in bytes; empty if this is no archive of compressed files.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    found: dict[str, int] = {}
    with path.open("rb") as file:
        while len(found) < _MAX_FILES:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                break
            signature, _, flags, method, *_, name_bytes, extra_bytes = _HEADER.unpack(head)
            if signature != _SIGNATURE or method != _DEFLATED or flags & _ENCRYPTED:
                break
            name = file.read(name_bytes).decode("utf-8", "replace")
            file.seek(extra_bytes, 1)
            found[name] = file.tell()
            end = _end_of_deflated(file)
            if end is None:
                break
            # a file of unknown size is followed by its checksum and size, with a signature
            file.seek(end)
            following = file.read(20)
            file.seek(end + max(0, following.find(_SIGNATURE)))
    return found


def _end_of_deflated(file: BinaryIO) -> int | None:
    """Return where the compressed data ends; None if the file is cut before."""
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    while data := file.read(_CHUNK_BYTES):
        while data:
            decoder.decompress(data, 1 << 20)
            if decoder.eof:
                return file.tell() - len(decoder.unused_data)
            data = decoder.unconsumed_tail
    return None


class CutFile:
    """A file in an archive, which ends where the archive ends.

    Parameters
    ----------
    path : Path
        Of the archive.
    offset : int
        From `files_of_cut_archive`.
    """

    def __init__(self, path: Path, offset: int) -> None:
        self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        self._file = path.open("rb")
        self._file.seek(offset)

    def __enter__(self) -> CutFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer than `size` only at the end.

        Parameters
        ----------
        size : int

        Raises
        ------
        OSError
            If the archive cannot be read.
        zlib.error
            If it is damaged otherwise.
        """
        parts: list[bytes] = []
        while size and not self._decoder.eof:
            data = self._decoder.unconsumed_tail or self._file.read(_CHUNK_BYTES)
            if not data:
                break
            parts.append(self._decoder.decompress(data, size))
            size -= len(parts[-1])
        return b"".join(parts)
