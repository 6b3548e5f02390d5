"""Writes raw logs, in the format that `twitchsense.io.device_logs.raw_log` reads."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Final

from twitchsense.devices.contract import Message
from twitchsense.errors import InputError
from twitchsense.model.channels import NS

log = logging.getLogger(__name__)

_HEADER: Final = ("time_s", "characteristic", "direction", "hex")


class RawLogWriter:
    """A raw log that is being written.

    Parameters
    ----------
    path : Path
        It must not exist.

    Attributes
    ----------
    n_values : int
        Number of values written.

    Raises
    ------
    InputError
        If it exists or cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("x", buffering=1, newline="", encoding="utf-8")
        except FileExistsError as error:
            raise InputError(str(path), "already exists", "choose another name") from error
        except OSError as error:
            raise InputError(
                str(path), f"cannot be written ({error.strerror or error})", "choose another name"
            ) from error
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._failed = False
        self.n_values = 0
        self._write(_HEADER)

    def write(self, message: Message) -> None:
        """Append a value. A disk error ends the log with a warning; the recording continues."""
        time_s = f"{message.arrival_ns // NS}.{message.arrival_ns % NS // 1000:06d}"
        self._write((time_s, message.characteristic, str(message.direction), message.data.hex()))
        self.n_values += not self._failed

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:
            self._fail(error)

    def _write(self, row: tuple[str, ...]) -> None:
        if self._failed:
            return
        try:
            self._writer.writerow(row)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._failed = True
        log.warning("%s: the raw log ends here (%s); the recording continues", self._path, error)
