"""One recorder for each wearable: a second one would take the connection over."""

from __future__ import annotations

import getpass
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twitchsense.errors import InputError
from twitchsense.nightfile.lock import WriterLock

log = logging.getLogger(__name__)


@contextmanager
def claim(address: str) -> Iterator[None]:
    """Keep other recorders of this user and computer off a wearable.

    The system takes the claim back when its holder dies. Where no lock can be made, the
    wearable is recorded without.

    Raises
    ------
    InputError
        If another process, or this one, records it already.
    """
    name = re.sub(r"[^0-9A-Za-z]+", "-", address) or "-"
    try:
        lock = WriterLock(_folder() / name)
    except InputError as error:
        raise InputError(address, error.problem, "end that first") from error
    except (OSError, KeyError) as error:
        log.warning("cannot keep other recorders off %s (%s)", address, error)
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _folder() -> Path:
    """Return a folder of this user that is emptied when the computer starts."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        place = Path(runtime, "twitchsense")
    else:
        place = Path(tempfile.gettempdir(), f"twitchsense-{getpass.getuser()}")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place
