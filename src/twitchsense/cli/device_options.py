"""The options that name devices: ``--device``, ``--leg``, ``--gain``; and remembered names."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from twitchsense.cli.simulated_devices import split_device
from twitchsense.errors import InputError
from twitchsense.output_files import write_file
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.devices.contract import Driver

#: File of the remembered names, in the folder of the user's settings.
_FILE: Final = "devices.toml"
_MAX_NAME_LENGTH: Final = 40

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class RequestedDevice:
    """A device to record.

    Attributes
    ----------
    device : str
        Address, name, KIND or KIND:ID.
    settings : dict of str to str
        What the night file keeps of it: ``leg``, ``gain`` (counts per mV).
    address, name : str
        Of one of the devices of the simulator; empty for others.
    """

    device: str
    settings: dict[str, str] = field(default_factory=dict)
    address: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """Name for messages, without control characters."""
        return printable(self.name or self.device)


leg_option = click.option(
    "--leg",
    "legs",
    type=click.Choice(["left", "right"]),
    multiple=True,
    help="Leg that the device is on; give it once for all devices, or once for each.",
)
gain_option = click.option(
    "--gain",
    "gains",
    metavar="COUNTS",
    type=float,
    multiple=True,
    help="Counts per mV of EMG without a unit; once for all devices, or once for each.",
)


def tense_options(kept: str) -> Callable[[Command], Command]:
    """Return a decorator that adds ``--tense`` and ``--tensed-uv``.

    Parameters
    ----------
    kept : str
        End of the help of ``--tense``: what becomes of the measurement.

    Returns
    -------
    callable
    """
    tense = click.option(
        "--tense",
        is_flag=True,
        help=f"Measure EMG of the calf, tensed for 20 s and at rest for 20 s{kept}.",
    )
    tensed_uv = click.option(
        "--tensed-uv",
        metavar="UV",
        type=click.FloatRange(min=1, max=100_000),
        help="With --tense: RMS of your tensed calf (µV), known from another device; the gain of "
        "EMG without a unit follows.",
    )
    return lambda command: tense(tensed_uv(command))


def check_tense_options(tense: bool, tensed_uv: float | None) -> None:
    """Refuse ``--tensed-uv`` without ``--tense``.

    Parameters
    ----------
    tense : bool
    tensed_uv : float or None

    Raises
    ------
    InputError
    """
    if tensed_uv is not None and not tense:
        raise InputError("--tensed-uv", "belongs to --tense", "give both, or --gain alone")


def request_devices(
    devices: Sequence[str], legs: Sequence[str], gains: Sequence[float]
) -> list[RequestedDevice]:
    """Combine the options of a command line.

    Parameters
    ----------
    devices : sequence of str
        Devices, or remembered names.
    legs : sequence of str
        None, one for all devices, or one for each.
    gains : sequence of float
        Likewise.

    Returns
    -------
    list of RequestedDevice
        Of the simulator, one for each leg or gain; see `assign_simulated`.

    Raises
    ------
    InputError
        If the numbers of options do not match, a gain is not positive, or a device is named
        twice or cannot be combined with another.
    """
    for stated in gains:
        if not 0 < stated < math.inf:
            raise InputError("--gain", f"{stated:g} is not a gain", "give the counts per mV")
    remembered = read_remembered()
    requested = []
    names = [remembered.get(name, RequestedDevice(name)).device.casefold() for name in devices]
    for name in names:
        if names.count(name) > 1:
            cure = "name each device once (KIND:ID)"
            if split_device(name)[0]:
                legs = "--option peer=npg+twitchsense --leg left --leg right"
                cure = f"for two legs: --device sim {legs}"
            raise InputError("--device", f"{name} is named twice", cure)
    if any(split_device(name)[0] for name in names):
        if len(names) > 1:
            raise InputError("--device", "sim can't be combined with other devices", "name it once")
        # the simulator may have several devices
        devices = list(devices) * max(1, len(legs), len(gains))
    for i, name in enumerate(devices):
        known = remembered.get(name, RequestedDevice(name))
        settings = dict(known.settings)
        leg, gain = _of_device("--leg", legs, i, devices), _of_device("--gain", gains, i, devices)
        if leg is not None:
            settings["leg"] = str(leg)
        if gain is not None:
            settings["gain"] = f"{gain:.10g}"
        requested.append(RequestedDevice(known.device, settings))
    return requested


def parse_options(pairs: tuple[str, ...]) -> dict[str, str | int | float]:
    """Parse ``--option KEY=VALUE``.

    Parameters
    ----------
    pairs : tuple of str

    Returns
    -------
    dict
        Values that are numbers are int or float; one that begins with a 0 before other digits
        stays text, for it is a name.

    Raises
    ------
    InputError
        If a pair has no ``=`` or its key is not an identifier.
    """
    options: dict[str, str | int | float] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise InputError("--option", f"{pair!r} is not a pair", "write KEY=VALUE")
        options[key] = value
        if re.match(r"0\d", value):
            continue
        for kind in (float, int):
            with contextlib.suppress(ValueError):
                options[key] = kind(value)
    return options


def check_libraries(requested: Sequence[RequestedDevice]) -> None:
    """Load the library of LSL if a stream is to be recorded, before a file is written.

    Parameters
    ----------
    requested : sequence of RequestedDevice

    Raises
    ------
    MissingExtraError, AdapterError
        If it cannot be loaded.
    """
    if any(r.device.partition(":")[0].casefold() == "lsl" for r in requested):
        from twitchsense.acquire.lsl_adapter import load_pylsl

        load_pylsl()


def check_driver_options(
    options: dict[str, str], devices: Sequence[str], drivers: dict[str, Driver]
) -> None:
    """Check that the options are those of drivers.

    Parameters
    ----------
    options : dict of str to str
        Options of the command line.
    devices : sequence of str
        Devices, some of which may state their kind.
    drivers : dict of str to Driver
        Installed drivers.

    Raises
    ------
    InputError
        If no driver that may be meant has such an option.
    """
    stated = [d.partition(":")[0].casefold() for d in devices]
    meant = [drivers[k] for k in stated if k in drivers]
    if len(meant) < len(devices):
        meant = list(drivers.values())
    known = {key: text for driver in meant for key, text in driver.options.items()}
    for key in options:
        if key not in known:
            listed = ", ".join(f"{k} ({text})" for k, text in sorted(known.items())) or "none"
            raise InputError(
                "--option", f"no device has the option {key}", f"choose from: {listed}"
            )


def _of_device(option: str, values: Sequence[T], index: int, devices: Sequence[str]) -> T | None:
    if len(values) not in (0, 1, len(devices)):
        raise InputError(
            option,
            f"is given {len(values)} times for {len(devices)} devices",
            "give it once, or once for each device in their order",
        )
    if not values:
        return None
    return values[0] if len(values) == 1 else values[index]


# ---- remembered names ------------------------------------------------------------------------


def read_remembered() -> dict[str, RequestedDevice]:
    """Return the remembered devices, by name.

    Returns
    -------
    dict of str to RequestedDevice

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    path = _remembered_path()
    if not os.path.lexists(path):
        return {}
    from twitchsense.settings.toml_file import read_toml  # imports pydantic

    tables = read_toml(path)
    try:
        return {
            name: RequestedDevice(
                str(table["device"]),
                {key: str(table[key]) for key in ("leg", "gain") if key in table},
            )
            for name, table in tables.items()
        }
    except (KeyError, TypeError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "correct or delete it") from error


def remember(name: str, requested: RequestedDevice) -> Path:
    """Remember a device under a name.

    Parameters
    ----------
    name : str
        A later device of the same name replaces it.
    requested : RequestedDevice

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the name is not usable, or the file cannot be written.
    """
    usable = name.replace("-", "_").isidentifier() and len(name) <= _MAX_NAME_LENGTH
    if not usable or name in ("sim", "lsl"):
        raise InputError(
            "--remember", f"{name!r} is not a name", "use letters and digits, as in calf"
        )
    path = _remembered_path()
    if not path.is_absolute():  # "~" could not be expanded
        raise InputError("--remember", "there is no home folder", "set HOME or XDG_CONFIG_HOME")
    remembered = {**read_remembered(), name: requested}
    lines: list[str] = []
    for key, device in sorted(remembered.items()):
        lines.append(f"[{json.dumps(key, ensure_ascii=False)}]")
        for field_name, value in {"device": device.device, **device.settings}.items():
            lines.append(f"{field_name} = {json.dumps(value, ensure_ascii=False)}")
        lines.append("")
    return write_file(path, "\n".join(lines))


def _remembered_path() -> Path:
    return Path(click.get_app_dir("twitchsense")) / _FILE
