"""The check before bed: each fault is named with its cure, and a good signal passes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.nightfile.value_builders import npg_values, write_values
from twitchsense.acquire.status import SessionStatus
from twitchsense.cli.app import main
from twitchsense.cli.before_night import CheckFailedError
from twitchsense.live.device_check import CheckResult, check_channels, check_link
from twitchsense.settings import Settings

FS, SECONDS = 1000.0, 20
RNG = np.random.default_rng(7)
T = np.arange(int(FS * SECONDS)) / FS
USUAL = {"battery": 90, "rssi": -60, "n_connections": 1, "seconds": {"emg": 19.9}}
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
        (QUIET * 12, "noise at rest 3[45] µV, where at most 30 can be judged"),
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


def test_a_leg_that_moves_is_noticed():
    rest = RNG.normal(0, 0.005, (2000, 3)) + [0, 0, 1.0]
    bump = rest.copy()
    bump[1000:1080] += [0.2, 0, 0]  # one jerk is no reason to check again
    kick = rest.copy()
    kick[600:1400, 0] += 0.4 * np.sin(2 * np.pi * 1.5 * np.arange(800) / 100)
    noise = RNG.normal(0, 0.1, (2000, 3)) + [0, 0, 1.0]
    for axes, said in ((rest, ""), (bump, ""), (kick, "moved for 50%"), (noise, "too noisy")):
        recording = ts.Recording.from_arrays(
            {f"acc_{axis}_g": (axes[:, i], 100.0) for i, axis in enumerate("xyz")}
        )
        (result,) = check_channels(recording, Settings())
        assert result.ok is (not said)
        assert said in result.text


def test_a_muscle_that_is_tense_is_noticed_and_twitches_are_not():
    twitches = QUIET.copy()
    for at in range(500, len(T) - 500, 600):  # 100 per minute
        twitches[at : at + 100] += RNG.normal(0, 60, 100)
    assert [r.ok for r in check_emg(twitches)] == [True]
    tense = QUIET.copy()
    tense[8000:14000] += RNG.normal(0, 40, 6000)
    noise, found = check_emg(tense)
    assert noise.ok
    assert "the muscle was tense for" in found.text
    assert not found.ok


@pytest.mark.parametrize(
    ("changes", "topic", "ok"),
    [
        ({}, "radio", True),
        ({}, "battery", True),
        ({"battery": 20}, "battery", False),
        ({"battery": None}, "battery", None),
        ({"rssi": -92}, "radio", False),
        ({"n_connections": 2}, "radio", False),
        ({"seconds": {"emg": 12.0}}, "radio", False),
    ],
)
def test_battery_and_radio(changes, topic, ok):
    results = check_link(SessionStatus(**{**USUAL, **changes}), 20.0)
    (result,) = [r for r in results if r.topic == topic]
    assert result.ok is ok


@pytest.mark.slow  # in real time
def test_check_of_a_simulated_device(monkeypatch):
    pytest.importorskip("bumble")
    monkeypatch.setattr("twitchsense.cli.before_night.CHECK_S", 5.0)
    done = CliRunner().invoke(
        main, ["check", "--device", "sim", "--option", "peer=npg+polar", "--json", "-q"]
    )
    assert done.exit_code == 3, done.output
    found = json.loads(done.stdout)
    assert not found["ok"]
    topics = {(r["device"][:3], r["topic"]): r["ok"] for r in found["results"]}
    emg = {("NPG", name): True for name in ("emg1", "emg2", "emg3")}
    assert topics.items() >= {**emg, ("NPG", "unit"): False, ("Pol", "acc"): True}.items()
    assert {("NPG", "radio"), ("Pol", "radio")} <= topics.keys()


def test_every_device_is_checked_and_a_fault_is_status_3(monkeypatch):
    async def record(requested, settings, options, path, duration_s, requests=()):
        if requested.device == "npg:b":
            raise CheckFailedError("npg:b was not found in 30 s (no answer); is it on?")
        write_values(path, npg_values(QUIET[:1000]), settings=dict(settings))
        return SessionStatus(**{**USUAL, "battery": None}), duration_s, True

    def good(recording, settings, has_unit):
        return [CheckResult("emg1", True, "noise at rest 3 µV")]

    monkeypatch.setattr("twitchsense.cli.before_night.record_briefly", record)
    monkeypatch.setattr("twitchsense.live.device_check.check_channels", good)
    for names, gain, status in (("abc", "2000", 3), ("ac", "2000", 0), ("ac", "", 3)):
        devices = [part for name in names for part in ("--device", f"npg:{name}")]
        arguments = ["check", "--leg", "left", *devices, *(["--gain", gain] if gain else [])]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == status, done.output
        assert done.stdout.count("radio:") == 2
        for name in "ac":  # each line names its device
            assert f"?   npg:{name}, battery: its level is not known" in done.stdout
        assert ("BAD npg:b was not found" in done.stdout) == (names == "abc")
        found = CliRunner().invoke(main, [*arguments, "--json"])
        assert found.exit_code == status
        assert json.loads(found.stdout)["ok"] == (status == 0)
