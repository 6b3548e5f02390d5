"""The tensed calf before a night: what is measured, printed and kept."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.nightfile.value_builders import npg_values, write_values
from twitchsense.acquire.status import SessionStatus
from twitchsense.cli import before_night
from twitchsense.cli.app import main
from twitchsense.cli.device_options import RequestedDevice
from twitchsense.errors import InputError
from twitchsense.live.muscle_tension import measure_tension

FS = 500


def calf(tensed_uv, rest_uv, seconds=20):
    rng = np.random.default_rng(3)
    n = FS * seconds
    return np.concatenate([rng.normal(0, tensed_uv, n), rng.normal(0, rest_uv, n)])


def test_tension_and_rest_are_told_apart():
    slow = 500 * np.sin(2 * np.pi * np.arange(FS * 40) / FS)  # of movement: not measured
    recording = ts.Recording.from_arrays(
        {"emg1_uv": (calf(200, 10) + slow, FS), "emg2_uv": (calf(12, 10), FS)}
    )
    first, second = measure_tension(recording, 20, 20)
    assert first.tensed == pytest.approx(200, rel=0.1)
    assert first.rest == pytest.approx(10, rel=0.15)
    assert first.is_seen
    assert not second.is_seen
    late = calf(200, 10)
    late[: 3 * FS] = 0  # the user is slow
    recording = ts.Recording.from_arrays({"emg1_uv": (late, FS)})
    assert measure_tension(recording, 20, 20)[0].tensed == pytest.approx(200, rel=0.1)


def test_a_part_without_signal_is_not_measured():
    gone = calf(200, 10)
    gone[20 * FS :] = np.nan
    assert measure_tension(ts.Recording.from_arrays({"emg1_uv": (gone, FS)}), 20, 20) == []


@pytest.fixture
def recorded(monkeypatch):
    """Record a calf of an NPG Lite with 2 counts per µV at once, instead of in 40 s."""
    level = {"tensed": 100.0}

    async def record(requested, settings, options, path, duration_s, requests=()):
        assert [at_s for at_s, _ in requests] in ([], [0.0, 20.0])
        values = npg_values(calf(level["tensed"], 5.0))
        write_values(path, values, settings=dict(settings))
        return SessionStatus(n_connections=1), duration_s, True

    monkeypatch.setattr(before_night, "record_briefly", record)
    return level


def test_what_was_measured_is_kept_and_a_known_level_gives_the_gain(recorded, capsys):
    (device,) = before_night.prepare_devices(
        [RequestedDevice("npg", {"leg": "left"})], (), False, True, 100.0
    )
    assert device.settings["leg"] == "left"
    counts, rest = (float(device.settings[f"{k}_counts"]) for k in ("tensed", "rest"))
    assert counts / rest == pytest.approx(20, rel=0.15)
    assert float(device.settings["gain"]) == pytest.approx(counts * 10, rel=1e-3)
    assert "ok  emg1: tensed" in capsys.readouterr().err
    (device,) = before_night.prepare_devices([RequestedDevice("npg")], (), False, True, None)
    assert "gain" not in device.settings  # nothing is guessed


def test_a_calf_that_is_not_seen_does_not_stop_the_night(recorded, capsys):
    recorded["tensed"] = 6.0
    (device,) = before_night.prepare_devices([RequestedDevice("npg")], (), True, True, None)
    assert device.settings == {}
    said = capsys.readouterr().err
    assert "let the leg rest for 20 s" in said
    assert "does not stand out from rest; place the electrodes" in said
    assert "the recording begins nevertheless" in said


def test_a_simulated_calf_is_said_to_be_one(recorded):
    recorded["tensed"] = 6.0
    with pytest.raises(before_night.CheckFailedError, match="a simulated calf cannot be tensed"):
        before_night.measure_gain(RequestedDevice("sim"), (), None)


def test_options_that_do_not_go_together_are_refused():
    for command in ("check", "record"):
        arguments = [command, "--device", "npg", "--tensed-uv", "100"]
        done = CliRunner().invoke(main, [*arguments, *(["--out", "a.night"] * (command[0] == "r"))])
        assert done.exit_code == 2
        assert "belongs to --tense" in done.output


def test_the_notes_of_a_night_say_what_was_measured(tmp_path):
    kept = {"gain": "500", "tensed_counts": "210", "rest_counts": "11"}
    path = write_values(tmp_path / "a.night", npg_values(calf(100, 5)), settings=kept)
    notes = " ".join(ts.read(path).notes)
    assert "EMG of the tensed calf 210 counts RMS, at rest 11 counts" in notes
    with pytest.raises(InputError):
        ts.read(tmp_path / "b.night")
