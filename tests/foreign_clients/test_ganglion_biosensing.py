"""ganglion-biosensing 0.1.7 (MIT) unpacks the packets of the simulated Ganglion.

Its function is called alone: the client needs bluepy, which runs on Linux with root alone. It
takes the low bits of negative values for a magnitude, which neither the firmware nor OpenBCI's
own clients do; the bits behind its number are compared.
"""

from __future__ import annotations

import sys
import types

import pytest

from firmware_sim.peers.ganglion import RECEIVE, Ganglion
from tests.foreign_clients.packages import importable, install
from twitchsense.devices.ganglion.ganglion_driver import GanglionDriver
from twitchsense.devices.ganglion.ganglion_frames import unpack_values
from twitchsense.testing import SimulatedSession

pytestmark = pytest.mark.slow  # runs other people's clients


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ganglion")
    for requirement in ("ganglion-biosensing==0.1.7", "bitstring==3.1.9"):
        folder = install(requirement, folder)
    bluepy = types.ModuleType("bluepy.btle")
    bluepy.Scanner = bluepy.DefaultDelegate = bluepy.Peripheral = object
    with pytest.MonkeyPatch.context() as patch, importable(folder):
        patch.setitem(sys.modules, "bluepy", types.ModuleType("bluepy"))
        patch.setitem(sys.modules, "bluepy.btle", bluepy)
        from bitstring import BitArray
        from ganglion_biosensing.util.bluetooth import decompress_signed

        yield lambda data: decompress_signed(data[0], BitArray(bytes(data[1:])))


@pytest.mark.parametrize("acc", ["yes", "no"])
def test_ganglion_biosensing_unpacks_the_same_bits(client, acc):
    session = SimulatedSession(GanglionDriver(), Ganglion("2.0.1", seed=4))
    session.open({"acc": acc})
    session.run(3)
    packets = [m.data for m in session.log if m.characteristic == RECEIVE]
    packets = [data for data in packets if 1 <= data[0] <= 200]
    bits = 18 if acc == "yes" else 19
    assert len(packets) > 290
    negative = 0
    for data in packets:
        ours = unpack_values(data, bits)
        for mine, theirs in zip(
            ours.ravel(), (v for half in client(data) for v in half), strict=True
        ):
            if mine >= 0:
                assert mine == theirs
            else:
                assert mine % (1 << bits) == 1 - theirs
                negative += 1
    assert negative > 500
