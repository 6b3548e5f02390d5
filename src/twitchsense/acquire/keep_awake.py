"""Keeps the computer from going to sleep while a night is recorded, where possible."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

log = logging.getLogger(__name__)

#: Time (s) within which systemd-inhibit exits if there is no login service.
_STARTUP_S: Final = 0.5


#: For the user, if sleep cannot be prevented.
SUSPEND_WARNING: Final = (
    "this computer may suspend in the night, which ends the recording. Switch automatic suspend "
    "off in the power settings of the desktop, leave the lid open and the charger connected"
    + (
        "; or, with systemd, until the next start: sudo systemctl mask --runtime sleep.target "
        "suspend.target hibernate.target"
        if sys.platform.startswith("linux")
        else ""
    )
)


@contextmanager
def keep_awake() -> Iterator[bool]:
    """Prevent the computer from sleeping until the end of the block.

    Yields
    ------
    bool
        Whether sleep is prevented.
    """
    if sys.platform == "win32":
        import ctypes

        continuous, system_required = 0x80000000, 0x00000001
        kernel = ctypes.windll.kernel32
        kernel.SetThreadExecutionState(continuous | system_required)
        try:
            yield True
        finally:
            kernel.SetThreadExecutionState(continuous)
        return
    command = inhibit_command()
    process = None
    if command is not None:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            log.info("cannot prevent this computer from sleeping: %s", error)
    try:
        yield process is not None and _keeps_running(process)
    finally:
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            process.terminate()
            process.wait()


def _keeps_running(process: subprocess.Popen[bytes]) -> bool:
    """Return whether the process is still running after `_STARTUP_S`."""
    try:
        process.wait(_STARTUP_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def inhibit_command() -> list[str] | None:
    """Return a command that prevents sleep while it runs, or None if there is none."""
    if sys.platform == "darwin":
        return ["caffeinate", "-i", "-w", str(os.getpid())]
    if shutil.which("systemd-inhibit"):
        # cat exits when this process closes its end of the pipe, even if it is killed
        options = ["--what=sleep:idle", "--who=twitchsense", "--why=recording a night"]
        return ["systemd-inhibit", *options, "cat"]
    return None
