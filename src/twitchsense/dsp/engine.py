"""Which engine runs: compiled kernels, or numpy and scipy. Both give the same bits.

``auto`` (the default) takes the compiled kernels if they were built for this installation. The
environment variable ``TWITCHSENSE_ENGINE`` or ``--engine`` of the command line selects one of
them; processes that are started later follow.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from twitchsense.dsp.native import ENGINES
from twitchsense.dsp.native.loading import load_library
from twitchsense.errors import InputError

#: Environment variable with the name of the engine.
VARIABLE: Final = "TWITCHSENSE_ENGINE"


def select_engine(name: str) -> None:
    """Select the engine of this process and of the processes that it starts.

    Parameters
    ----------
    name : str
        One of `ENGINES`.

    Raises
    ------
    InputError
        If there is no such engine, or ``native`` is not available.
    """
    _check_name(name)
    os.environ[VARIABLE] = name


def _check_name(name: str) -> None:
    """Refuse an engine that does not exist or is not available."""
    if name not in ENGINES:
        raise InputError(VARIABLE, f"no engine is called {name!r}", f"use {', '.join(ENGINES)}")
    if name == "native" and (reason := why_not_native()):
        cure = "install twitchsense where there is a C compiler, or use auto"
        raise InputError(VARIABLE, reason, cure)


@contextmanager
def engine(name: str) -> Iterator[None]:
    """Select an engine within a ``with`` block.

    Parameters
    ----------
    name : str
        One of `ENGINES`.
    """
    before = os.environ.get(VARIABLE)
    select_engine(name)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def kernels() -> ctypes.CDLL | None:
    """Return the compiled kernels, or None if numpy and scipy are to be used.

    Returns
    -------
    ctypes.CDLL or None

    Raises
    ------
    InputError
        If the environment variable names an engine that does not exist or is not available.
    """
    name = os.environ.get(VARIABLE) or "auto"
    if name == "scipy":
        return None
    _check_name(name)
    return None if why_not_native() else load_library()


def engine_name() -> str:
    """Return the name of the engine that runs: ``native`` or ``scipy``."""
    return "scipy" if kernels() is None else "native"


@lru_cache(maxsize=1)
def why_not_native() -> str:
    """Return why the compiled kernels cannot be used; empty if they can.

    The answer is kept: filters ask for every packet, and the name of the library is a hash of
    all sources.
    """
    try:
        load_library()
    except OSError as error:
        return f"the compiled engine is not available: {error}"
    return ""
