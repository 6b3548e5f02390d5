"""Samples on disk instead of in memory.

A night of EMG takes hundreds of megabytes. Readers write the samples of each
channel to an anonymous temporary file, and segments read them back.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from twitchsense.errors import InputError
from twitchsense.model.channels import Samples

_FLOAT: Final = np.dtype(np.float32)


class SampleFileError(InputError):
    """The temporary file cannot be written or read."""


class _Handle:
    """An open temporary file, closed when the last object that refers to it is deleted."""

    __slots__ = ("file",)

    def __init__(self) -> None:
        # unbuffered: blocks are large, and readers use the file descriptor
        self.file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115

    def __del__(self) -> None:
        file = getattr(self, "file", None)
        if file is not None:
            file.close()


class SampleFile:
    """A temporary file to which rows of samples are appended.

    Parameters
    ----------
    width : int
        Number of columns.
    dtype : dtype
        Type of the values on disk.

    Attributes
    ----------
    rows : int
        Number of rows written.

    Raises
    ------
    SampleFileError
        If the file cannot be created.
    """

    def __init__(self, width: int, dtype: DTypeLike = _FLOAT) -> None:
        self.width = width
        self.dtype = np.dtype(dtype)
        self.rows = 0
        try:
            self._handle = _Handle()
        except OSError as error:
            raise _cannot_write(error) from error

    def append(self, samples: NDArray[Any]) -> None:
        """Append rows.

        Parameters
        ----------
        samples : ndarray, shape (n, width)

        Raises
        ------
        SampleFileError
            If the disk is full.
        """
        data = np.ascontiguousarray(samples, self.dtype).reshape(-1).view(np.uint8).data
        try:
            while data:
                data = data[self._handle.file.write(data) :]
        except OSError as error:
            raise _cannot_write(error) from error
        self.rows += len(samples)

    def samples(self, start: int, stop: int) -> FileSamples:
        """Return a range of rows as the samples of a segment.

        Parameters
        ----------
        start, stop : int
            Rows ``[start, stop)``.

        Returns
        -------
        FileSamples
        """
        return FileSamples(self._handle, start, stop - start, self.width)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return a range of rows.

        Parameters
        ----------
        start, stop : int
            Rows ``[start, stop)``.

        Returns
        -------
        ndarray, shape (n, width)

        Raises
        ------
        SampleFileError
            If the file has been truncated.
        """
        return _read(self._handle, start, stop, self.width, self.dtype)


@dataclass(frozen=True, slots=True)
class FileSamples:
    """Samples of one segment in a temporary file.

    Reads do not move a file position, so threads can share an instance.

    Attributes
    ----------
    handle : _Handle
        The open file.
    first : int
        Row of the first sample.
    count : int
        Number of samples.
    width : int
        Number of columns.
    """

    handle: _Handle
    first: int
    count: int
    width: int

    def __len__(self) -> int:
        return self.count

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, as in `SampleReader`.

        Parameters
        ----------
        start, stop : int
            Indices ``[start, stop)`` in the segment.

        Returns
        -------
        ndarray of float32, shape (n, width)

        Raises
        ------
        SampleFileError
            If the file has been truncated.
        """
        start, stop, _ = slice(start, stop).indices(self.count)
        first = self.first
        return _read(self.handle, first + start, first + stop, self.width, _FLOAT)


def _read(handle: _Handle, start: int, stop: int, width: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    row = width * dtype.itemsize
    want, offset = max(0, stop - start) * row, start * row
    data = np.empty(want, np.uint8)
    view = data.data
    done = 0
    while done < want:  # preadv may return fewer bytes than requested
        got = os.preadv(handle.file.fileno(), [view[done:]], offset + done)
        if got == 0:
            raise SampleFileError("temporary file of samples", "was cut short", "read again")
        done += got
    return data.view(dtype).reshape(-1, width)


def _cannot_write(error: OSError) -> SampleFileError:
    try:
        folder = tempfile.gettempdir()
    except OSError:  # none can be written
        folder = ""
    return SampleFileError(
        f"temporary folder {folder}".strip(),
        f"cannot keep the samples ({error.strerror or error})",
        "free some space or set TMPDIR to a folder that has it",
    )
