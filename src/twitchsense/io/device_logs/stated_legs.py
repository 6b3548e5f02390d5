"""The leg of each device of a night file, as recorded or as the user states it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.model.channels import Leg
from twitchsense.text import printable

_LEGS: Final = get_args(Leg)


def apply_stated_legs(
    recorded: Mapping[str, str | None], mapping: ColumnMapping, source: str
) -> tuple[dict[str, str | None], list[str]]:
    """Return the leg of each device.

    Parameters
    ----------
    recorded : mapping of str to str or None
        Leg that the file says, by device key.
    mapping : ColumnMapping
        `legs` states the leg of a device by its key, `leg` that of devices without one. If all
        devices have the same leg, `leg` replaces it.
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
        If `leg` contradicts a night with devices on both legs, or a leg is not one.
    """
    mapping.devices |= set(recorded)
    stated: dict[str, str] = {k: leg for k, leg in mapping.legs.items() if k in recorded}
    others = {key: leg for key, leg in recorded.items() if key not in stated}
    if mapping.leg is not None and others and None not in others.values():
        if len(set(others.values())) > 1:
            devices = ", ".join(f"{printable(key)} {leg}" for key, leg in others.items())
            line = ", ".join(f'"{printable(key)}" = "{leg}"' for key, leg in others.items())
            raise InputError(
                source,
                f"has devices on both legs ({devices}), so that one --leg cannot be right",
                f"leave out --leg, or correct legs = {{{line}}} in a file for --settings",
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
