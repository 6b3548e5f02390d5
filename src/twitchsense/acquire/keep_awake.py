"""Keeps the computer awake while a night is recorded, where the system has a way."""

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

_GIVES_UP_S: Final = 0.5


@contextmanager
def keep_awake() -> Iterator[bool]:
    """Hold off sleep until the end of the block; tell whether that is possible here."""
    if sys.platform == "win32":
        import ctypes

        continuous, system = 0x80000000, 0x00000001
        kernel = ctypes.windll.kernel32
        kernel.SetThreadExecutionState(continuous | system)
        try:
            yield True
        finally:
            kernel.SetThreadExecutionState(continuous)
        return
    command = _command()
    helper = None
    if command is not None:
        try:
            helper = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            log.info("cannot hold off sleep: %s", error)
    try:
        yield helper is not None and _stays(helper)
    finally:
        if helper is not None:
            if helper.stdin is not None:
                helper.stdin.close()
            helper.terminate()
            helper.wait()


def _stays(helper: subprocess.Popen[bytes]) -> bool:
    """Tell whether it works: without a login service it gives up within a moment."""
    try:
        helper.wait(_GIVES_UP_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _command() -> list[str] | None:
    """Return a command that holds off sleep for as long as we live."""
    if sys.platform == "darwin":
        return ["caffeinate", "-i", "-w", str(os.getpid())]
    if shutil.which("systemd-inhibit"):
        # cat ends with our end of its pipe, even if we are killed
        why = ["--what=sleep:idle", "--who=twitchsense", "--why=recording a night"]
        return ["systemd-inhibit", *why, "cat"]
    return None
