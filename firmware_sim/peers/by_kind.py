"""Simulated peripherals by the kind of their driver, for `record --device sim`."""

from __future__ import annotations

import inspect
from collections import ChainMap
from typing import Any, Final

from firmware_sim.peers.ganglion import Ganglion
from firmware_sim.peers.gforce import GForce
from firmware_sim.peers.movesense import MovesenseSensor
from firmware_sim.peers.myo import Myo
from firmware_sim.peers.npg_lite import NpgLite
from firmware_sim.peers.peripheral_model import PeripheralModel
from firmware_sim.peers.polar import PolarSensor
from firmware_sim.peers.twitchsense_v1 import WearableV1
from firmware_sim.wearable.plug import check_options

#: Model of each kind.
MODELS: Final[dict[str, type[PeripheralModel]]] = {
    "ganglion": Ganglion,
    "gforce": GForce,
    "movesense": MovesenseSensor,
    "myo": Myo,
    "npg": NpgLite,
    "polar": PolarSensor,
    "twitchsense": WearableV1,
}


def make_models(kinds: str, **options: Any) -> list[PeripheralModel]:
    """Return models.

    Parameters
    ----------
    kinds : str
        Kinds joined by ``+``: ``npg``, ``npg+twitchsense``.
    **options
        Arguments of the models; each takes those that it has.

    Returns
    -------
    list of PeripheralModel

    Raises
    ------
    ValueError
        If there is no model of a kind, or none that has an option.
    """
    names = kinds.split("+")
    for name in names:
        if name not in MODELS:
            raise ValueError(f"no simulated device {name!r}; choose from {', '.join(MODELS)}")
    arguments = {
        name: {p.name: p.default for p in inspect.signature(MODELS[name]).parameters.values()}
        for name in names
    }
    check_options(kinds, options, dict(ChainMap(*arguments.values())))
    return [
        MODELS[name](**{key: options[key] for key in arguments[name] if key in options})
        for name in names
    ]
