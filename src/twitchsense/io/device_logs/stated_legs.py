"""The leg of each device of a night file, as recorded or as the user states it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from twitchsense.devices.v1.v1_driver import V1Driver
from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.model.channels import Leg
from twitchsense.text import printable

_LEGS: Final = get_args(Leg)


def apply_stated_legs(
    recorded: Mapping[str, str | None],
    names: Mapping[str, tuple[str, str]],
    mapping: ColumnMapping,
    source: str,
) -> tuple[dict[str, str | None], list[str]]:
    """Return the leg of each device.

    Parameters
    ----------
    recorded : mapping of str to str or None
        Leg that the file says, by device key.
    names : mapping of str to tuple of (str, str)
        Address and name of each device, by its key.
    mapping : ColumnMapping
        `legs` states the leg of a device by its key or as ``--device`` names it, `leg` that of
        devices without one. If all devices have the same leg, `leg` replaces it.
    source : str
        Name of the file in messages.

    Returns
    -------
    legs : dict of str to str or None
    notes : list of str
        On each leg that is not the recorded one.

    Raises
    ------
    InputError
        If `leg` contradicts a night with devices on both legs, a leg is not one, or a name is
        that of several devices or a second one of the same device.
    """
    stated: dict[str, str] = {}
    for text, leg in mapping.legs.items():
        keys = [text] if text in recorded else [k for k in recorded if _is(text, k, *names[k])]
        if len(keys) > 1 or any(stated.get(key, leg) != leg for key in keys):
            raise InputError(
                "legs", f"{printable(text)} does not name one device", cure_legs(recorded)
            )
        stated |= dict.fromkeys(keys, leg)
        mapping.devices |= {text} if keys else set()
    mapping.unnamed_devices |= {k: leg for k, leg in recorded.items() if k not in stated}
    others = {key: leg for key, leg in recorded.items() if key not in stated}
    if mapping.leg is not None and others and None not in others.values():
        if len(set(others.values())) > 1:
            devices = ", ".join(f"{printable(key)} {leg}" for key, leg in others.items())
            raise InputError(
                source,
                f"has devices on both legs ({devices}), so that one --leg cannot be right",
                f"leave out --leg, or {cure_legs(others)}",
            )
        stated |= dict.fromkeys(others, mapping.leg)
    for key, leg in stated.items():
        if leg not in _LEGS:
            raise InputError(
                "legs", f"'{leg}' is not a leg", "write left or right", f"device {printable(key)}"
            )
    notes = [
        f"device {printable(key)}: {leg} leg, as stated, in place of {recorded[key]} in the file"
        for key, leg in stated.items()
        if recorded[key] not in (None, leg)
    ]
    return {**recorded, **stated}, notes


def cure_legs(devices: Mapping[str, str | None]) -> str:
    """Return the cure that names the setting ``legs`` with the key and leg of each device.

    Parameters
    ----------
    devices : mapping of str to str or None
        Leg that the file says, by device key.

    Returns
    -------
    str
    """
    line = ", ".join(f'"{printable(key)}" = "{leg or "left"}"' for key, leg in devices.items())
    return f"correct legs = {{{line}}} in a file for --settings"


def _is(text: str, key: str, address: str, name: str) -> bool:
    """Return whether a text names a device, as for ``--device``, ignoring case."""
    wanted, key, address, name = (t.casefold() for t in (text, key, address, name))
    if wanted and wanted in (key, address, name):
        return True
    own_kind = key.partition(":")[0] if ":" in key else V1Driver.kind
    kind, _, rest = wanted.partition(":")
    return kind == own_kind and (rest.strip() == address or name.endswith(rest.strip()))
