"""A lock on each wearable: a second recorder would take over its connection."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from twitchsense.errors import InputError
from twitchsense.nightfile.lock import WriterLock, lock_folder

log = logging.getLogger(__name__)


@contextmanager
def lock_device(address: str) -> Iterator[None]:
    """Prevent other recorders of this user on this computer from using a wearable.

    The operating system releases the lock when the process that holds it dies. Where no lock
    can be created, a warning is logged and the wearable is recorded without one.

    Parameters
    ----------
    address : str
        Bluetooth address of the wearable.

    Raises
    ------
    InputError
        If another process, or this one, is already recording it.
    """
    name = re.sub(r"[^0-9A-Za-z]+", "-", address) or "-"
    try:
        lock = WriterLock(lock_folder() / name)
    except InputError as error:
        raise InputError(address, error.problem, "stop that recording first") from error
    except OSError as error:
        log.warning("cannot prevent other recorders from using %s (%s)", address, error)
        yield
        return
    try:
        yield
    finally:
        lock.release()
