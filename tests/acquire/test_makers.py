"""Devices of several makers in one night: each is recorded and read with its own clock."""

from __future__ import annotations

import re

import numpy as np
import pytest

import twitchsense as ts
from firmware_sim.peers.by_kind import MODELS, make_models
from firmware_sim.peers.ganglion import Ganglion
from firmware_sim.peers.npg_lite import NpgLite
from firmware_sim.peers.polar import PolarSensor
from tests.acquire.peer_recording import query, record_peers

pytestmark = pytest.mark.slow  # records every kind of device


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    path = tmp_path_factory.mktemp("makers") / "a.night"
    models = [Ganglion(), NpgLite(), PolarSensor("sense")]
    made = record_peers(
        path,
        models,
        ["ganglion", "npg", "polar"],
        60,
        settings={"ganglion": {"leg": "left"}, "npg": {"gain": "500", "leg": "right"}},
    )
    return path, made


def test_all_are_recorded_without_loss(night):
    path, made = night
    for status in made.status:
        assert status.valid_s > 45, status
        assert "0 % lost" in status.loss_text
        assert status.n_connections == 1
    kinds = query(path, "SELECT driver FROM connection ORDER BY driver")
    assert [kind for (kind,) in kinds] == ["ganglion", "npg", "polar"]


def test_all_are_read_with_their_values(night):
    path, made = night
    recording = ts.read(path)
    names = {c.name: c.fs for c in recording.channels}
    assert {n for n in names if n.startswith("acc")} == {"acc"}  # that of Ganglion is too slow
    assert sum(n.startswith("emg") for n in names) == 4 + 3
    assert names["acc"] == pytest.approx(104, rel=2e-3)
    (segment,) = recording.segments_of("acc")
    got = segment.samples.read(0, len(segment.samples))
    sent = made.peripherals[2].model.sent["acc"].array()
    (at,) = np.flatnonzero((np.abs(sent[:, None] - got[0]) < 1e-3).all(axis=(1, 2)))[:1]
    np.testing.assert_allclose(got, sent[at : at + len(got)], atol=1e-3)


def test_every_kind_of_device_is_recorded_and_read(tmp_path):
    """Those that are not in the other night, each with the loss that it can show."""
    path = tmp_path / "a.night"
    kinds = ["gforce", "movesense", "myo"]
    night = record_peers(path, make_models("+".join(kinds)), kinds, 30, settings={
        "gforce": {"gain": "500"}, "myo": {"gain": "50"},
    })  # fmt: skip
    assert sorted({*MODELS} - {"ganglion", "npg", "polar", "twitchsense"}) == kinds
    for status in night.status:
        assert status.valid_s > 20, status
        assert (status.n_connections, status.last_error) == (1, "")
    gforce, movesense, _ = night.status
    assert gforce.loss_text == "shorter loss cannot be seen with this device"
    assert movesense.loss_text == "0 % lost, known exactly"
    channels = ts.read(path).channels
    assert sum(c.kind == "emg" for c in channels) == 16
    assert sum(c.kind == "acc" for c in channels) == 2


def test_the_notes_name_each_device(night):
    path, _ = night
    notes = "\n".join(ts.read(path).notes)
    assert re.search("Ganglion-54ca, acc: not analysed: .*10 Hz", notes)
    assert (
        "Polar Sense 0A1B2C3D, acc: 0 % lost, known exactly; times by the device's clock" in notes
    )
