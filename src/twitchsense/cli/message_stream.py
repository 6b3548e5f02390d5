"""Standard error for the messages of a command: what cannot be written is dropped.

Its reader may have gone (``2>&1 | tee``), or the disk of the file that it is redirected to may be
full. Neither is a reason to end a recording, or to report a failure when the results are complete.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class _RawMessages(io.RawIOBase):
    """Bytes for a stream that drops them if it cannot be written."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._stream.fileno())

    def isatty(self) -> bool:
        return bool(self._stream.isatty())

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        with suppress(OSError):
            while rest:
                written = self._stream.write(rest)
                if not written:  # it does not block, and takes no more at present
                    break
                rest = rest[written:]
        return size


@contextmanager
def stderr_that_never_fails() -> Iterator[None]:
    """Drop messages that cannot be written to standard error while the context is open.

    A stream with which a caller has replaced standard error is left alone.
    """
    usual = sys.__stderr__
    buffer = getattr(usual, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # without PYTHONUNBUFFERED it has a buffer
    if usual is None or sys.stderr is not usual or not isinstance(raw, io.RawIOBase):
        yield
        return
    sys.stderr = io.TextIOWrapper(
        _RawMessages(raw),
        encoding=usual.encoding,
        errors=usual.errors,
        write_through=True,
    )
    try:
        yield
    finally:
        sys.stderr = usual
