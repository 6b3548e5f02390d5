"""The check before bed: each fault is named with its cure, and a good signal passes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

import twitchsense as ts
from twitchsense.acquire.status import SessionStatus
from twitchsense.cli.app import main
from twitchsense.live.device_check import check_channels, check_link
from twitchsense.settings import Settings

FS, SECONDS = 1000.0, 20
RNG = np.random.default_rng(7)
T = np.arange(int(FS * SECONDS)) / FS
QUIET = RNG.normal(0, 3, len(T))


def check_emg(samples, fs=FS, **options):
    recording = ts.Recording.from_arrays({"emg1_uv": (samples, fs)})
    return check_channels(recording, Settings(), **options)


def test_a_quiet_signal_passes():
    (result,) = check_emg(QUIET)
    assert result.ok
    assert result.text.startswith("noise at rest 2.")


@pytest.mark.parametrize("mains_hz", [50.0, 60.0, 50.03])
def test_hum_is_named_and_is_no_noise(mains_hz):
    hum = 60 * np.sin(2 * np.pi * mains_hz * T) + 10 * np.sin(2 * np.pi * 3 * mains_hz * T)
    noise, found = check_emg(QUIET + hum)
    assert "mains hum of" in found.text
    assert "unplug chargers" in found.text
    assert not found.ok
    assert noise.ok
    assert re.search("of 4[123] µV", found.text)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (QUIET * 12, "noise at rest 3[45] µV, where at most 15 can be judged"),
        (np.clip(QUIET, -4, 4), "at the limit of the amplifier"),
        (np.repeat(RNG.normal(0, 3, 5), len(T) // 5), "no signal; connect"),
    ],
)
def test_faults_are_named_with_a_cure(samples, said):
    results = check_emg(samples)
    assert not all(r.ok for r in results)
    text = " ".join(r.text for r in results if not r.ok)
    assert re.search(said, text)
    assert ";" in text


def test_emg_without_a_unit_is_judged_by_contact_alone():
    (result,) = check_emg(np.rint(QUIET * 50), has_unit=False)
    assert result.ok
    assert "different values" in result.text
    (clipped,) = check_emg(np.clip(np.rint(QUIET * 50), -200, 200), has_unit=False)
    assert not clipped.ok


@pytest.mark.parametrize(("gravity", "ok"), [(1.0, True), (0.5, False), (4.0, False)])
def test_acceleration_is_judged_by_gravity(gravity, ok):
    axes = RNG.normal(0, 0.005, (2000, 3)) + [0, 0, gravity]
    recording = ts.Recording.from_arrays(
        {f"acc_{axis}_g": (axes[:, i], 100.0) for i, axis in enumerate("xyz")}
    )
    (result,) = check_channels(recording, Settings())
    assert result.ok is ok


@pytest.mark.parametrize(
    ("changes", "topic", "ok"),
    [
        ({}, "radio", True),
        ({}, "battery", True),
        ({"battery": 20}, "battery", False),
        ({"battery": None}, "battery", True),
        ({"rssi": -92}, "radio", False),
        ({"n_connections": 2}, "radio", False),
        ({"seconds": {"emg": 12.0}}, "radio", False),
    ],
)
def test_battery_and_radio(changes, topic, ok):
    usual = {"battery": 90, "rssi": -60, "n_connections": 1, "seconds": {"emg": 19.9}}
    results = check_link(SessionStatus(**{**usual, **changes}), 20.0)
    (result,) = [r for r in results if r.topic == topic]
    assert result.ok is ok


@pytest.mark.slow  # in real time
def test_check_of_a_simulated_device(monkeypatch):
    pytest.importorskip("bumble")
    monkeypatch.setattr("twitchsense.cli.before_night.CHECK_S", 6.0)
    done = CliRunner().invoke(
        main, ["check", "--device", "sim", "--option", "peer=npg", "--json", "-q"]
    )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert not found["ok"]
    topics = {r["topic"]: r["ok"] for r in found["results"]}
    assert topics == {
        "emg1": True, "emg2": True, "emg3": True, "unit": False, "radio": True, "battery": True,
    }  # fmt: skip
