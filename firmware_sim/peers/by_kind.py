"""Simulated peripherals by the kind of their driver, for `record --device sim`."""

from __future__ import annotations

from typing import Any, Final

from firmware_sim.peers.ganglion import Ganglion
from firmware_sim.peers.gforce import GForce
from firmware_sim.peers.movesense import MovesenseSensor
from firmware_sim.peers.myo import Myo
from firmware_sim.peers.npg_lite import NpgLite
from firmware_sim.peers.peripheral_model import PeripheralModel
from firmware_sim.peers.polar import PolarSensor
from firmware_sim.peers.twitchsense_v1 import WearableV1

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
        Arguments of the model, if it is one.

    Returns
    -------
    list of PeripheralModel

    Raises
    ------
    ValueError
        If there is no model of a kind.
    """
    names = kinds.split("+")
    for name in names:
        if name not in MODELS:
            raise ValueError(f"no simulated device {name!r}; choose from {', '.join(MODELS)}")
    return [MODELS[name](**options) for name in names]
