"""The installed drivers: entry points of the group ``twitchsense.devices``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Final

from twitchsense.devices.contract import Advertised, Driver
from twitchsense.errors import InputError

log = logging.getLogger(__name__)

#: Group of the entry points. The name of each is the `kind` of its driver, its value the class.
ENTRY_POINT_GROUP: Final = "twitchsense.devices"


def installed_drivers() -> dict[str, Driver]:
    """Return all drivers that can be loaded, by kind.

    Returns
    -------
    dict of str to Driver
        Sorted by kind. A driver that fails to load is left out, with a warning in the log.
    """
    drivers: dict[str, Driver] = {}
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda e: e.name):
        try:
            drivers[entry.name] = entry.load()()
        except Exception as error:  # of a package that this one does not know
            log.warning("the driver %s (%s) cannot be loaded: %r", entry.name, entry.value, error)
    return drivers


def get_driver(kind: str) -> Driver:
    """Return the driver of a kind of device.

    Parameters
    ----------
    kind : str
        In upper or lower case.

    Returns
    -------
    Driver

    Raises
    ------
    InputError
        If no such driver is installed.
    """
    drivers = installed_drivers()
    driver = drivers.get(kind.casefold())
    if driver is None:
        raise InputError(
            "--device",
            f"no driver for {kind!r}",
            f"choose one of {', '.join(drivers)}, or install the package of the driver",
        )
    return driver


def recognize(advertised: Advertised, drivers: Mapping[str, Driver]) -> Driver | None:
    """Return the driver that recognises an advertisement best.

    Parameters
    ----------
    advertised : Advertised
    drivers : mapping of str to Driver
        Drivers to choose from, by kind.

    Returns
    -------
    Driver or None
        None if no driver recognises it.
    """
    best: Driver | None = None
    best_score = 0.0
    for driver in drivers.values():
        score = driver.recognize(advertised)
        if score > best_score:
            best, best_score = driver, score
    return best
