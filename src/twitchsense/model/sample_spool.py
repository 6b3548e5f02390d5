"""Samples of a night on disk instead of in memory.

A night of EMG is hundreds of megabytes. Readers write what they read to an
anonymous temporary file, one for each channel, and segments read back from it.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from twitchsense.errors import TwitchsenseError
from twitchsense.model.recording import Samples

_FLOAT: Final = np.dtype(np.float32)


class SpoolError(TwitchsenseError):
    """The temporary file could not be written."""


class _Handle:
    """An open temporary file that is closed with its last user."""

    __slots__ = ("file",)

    def __init__(self) -> None:
        # unbuffered: blocks are large, and readers use the descriptor alone
        self.file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115

    def __del__(self) -> None:
        file = getattr(self, "file", None)
        if file is not None:
            file.close()


class Spool:
    """Rows of samples, appended one block after the other.

    Parameters
    ----------
    width : int
        Columns of a row.
    dtype : dtype
        Of the values on disk.
    """

    def __init__(self, width: int, dtype: DTypeLike = _FLOAT) -> None:
        self.width = width
        self.dtype = np.dtype(dtype)
        self.rows = 0
        try:
            self._handle = _Handle()
        except OSError as error:
            raise _no_room(error) from error

    def append(self, samples: NDArray[Any]) -> None:
        """Add rows, shape ``(n, width)``.

        Raises
        ------
        SpoolError
            If the disk is full.
        """
        data = np.ascontiguousarray(samples, self.dtype).reshape(-1).view(np.uint8).data
        try:
            while data:
                data = data[self._handle.file.write(data) :]
        except OSError as error:
            raise _no_room(error) from error
        self.rows += len(samples)

    def samples(self, start: int, stop: int) -> SpooledSamples:
        """Return a reader of rows ``[start, stop)``."""
        return SpooledSamples(self._handle, start, stop - start, self.width)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows ``[start, stop)``, shape ``(n, width)``."""
        return _read(self._handle, start, stop, self.width, self.dtype)


@dataclass(frozen=True, slots=True)
class SpooledSamples:
    """Samples of one segment in a temporary file.

    Reads name their place in the file, so threads can share a reader.
    """

    handle: _Handle
    first: int
    count: int
    width: int

    def __len__(self) -> int:
        return self.count

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, shape ``(n, width)``, float32."""
        start, stop, _ = slice(start, stop).indices(self.count)
        first = self.first
        return _read(self.handle, first + start, first + stop, self.width, _FLOAT)


def _read(handle: _Handle, start: int, stop: int, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    row = width * dtype.itemsize
    want, offset = max(0, stop - start) * row, start * row
    data = bytearray(want)
    view = memoryview(data)
    done = 0
    while done < want:  # the kernel may return less than asked for
        got = os.preadv(handle.file.fileno(), [view[done:]], offset + done)
        if got == 0:
            raise SpoolError("the temporary file of samples was cut short; read again")
        done += got
    return np.frombuffer(data, dtype).reshape(-1, width)


def _no_room(error: OSError) -> SpoolError:
    reason = error.strerror or str(error)
    return SpoolError(
        f"cannot keep samples in the temporary folder {tempfile.gettempdir()} ({reason}); "
        "free some space or set TMPDIR to a folder that has it"
    )
