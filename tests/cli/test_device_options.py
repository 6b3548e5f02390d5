"""--device, --leg, --gain, --option, --raw and remembered names; devices without a driver."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from firmware_sim.peers.by_kind import make_models
from tests.acquire.peer_recording import query
from twitchsense.cli.app import main
from twitchsense.cli.device_options import (
    RequestedDevice,
    check_driver_options,
    read_remembered,
    remember,
    request_devices,
)
from twitchsense.cli.simulated_devices import assign_simulated
from twitchsense.devices.registry import installed_drivers
from twitchsense.errors import InputError
from twitchsense.io.device_logs.raw_log import read_raw_log


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "twitchsense" / "devices.toml"


def test_an_option_counts_for_all_devices_or_for_each():
    assert request_devices(["npg", "ts-0001"], ["left"], []) == [
        RequestedDevice("npg", {"leg": "left"}),
        RequestedDevice("ts-0001", {"leg": "left"}),
    ]
    both = request_devices(["npg:A", "npg:B"], ["left", "right"], [500.0, 612.5])
    assert [r.settings for r in both] == [
        {"leg": "left", "gain": "500"},
        {"leg": "right", "gain": "612.5"},
    ]


def test_each_simulated_device_has_a_leg_of_its_own():
    found = [SimpleNamespace(address=f"C4:{i}", name=name) for i, name in enumerate("np")]
    both = assign_simulated(request_devices(["sim"], ["left", "right"], []), found)
    assert [(r.address, r.label, r.settings["leg"]) for r in both] == [
        ("C4:0", "n", "left"),
        ("C4:1", "p", "right"),
    ]
    one_leg = assign_simulated(request_devices(["sim"], ["left"], [5.0]), found)
    assert [r.settings for r in one_leg] == [{"leg": "left", "gain": "5"}] * 2
    with pytest.raises(InputError, match="given 2 times, and simulated devices: 1; give each once"):
        assign_simulated(request_devices(["sim"], ["left", "right"], []), found[:1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("peer=polar,model=verity", "the simulated polar has no option model; choose from: "),
        ("peer=polar,product=verity", "no simulated Polar verity; choose from: h10, "),
        ("peer=npg+ecg", "no simulated device 'ecg'; choose from ganglion, "),
        ("colour=3", "the simulated wearable has no option colour; choose from: "),
        ("scenario=nix", "no simulated scenario nix; choose from: night, "),
        ("drift_ppm=much", "drift_ppm=much of the simulated wearable; write a number"),
    ],
)
def test_an_option_that_no_simulated_device_has_is_refused_with_a_cure(options, message):
    pairs = [part for pair in options.split(",") for part in ("--option", pair)]
    done = CliRunner().invoke(main, ["check", "--device", "sim", *pairs, "-q"])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"twitchsense: --option: {message}")


def test_options_of_two_simulated_devices_go_to_those_that_have_them():
    npg, polar = make_models("npg+polar", product="sense", samples=25)
    assert (npg.samples, polar.product.name) == (25, "Polar Sense 0A1B2C3D")


def test_an_option_that_no_driver_has_is_refused_by_check():
    done = CliRunner().invoke(main, ["check", "--device", "npg", "--option", "colour=3", "-q"])
    assert done.exit_code == 2
    assert "no device has the option colour" in done.stderr


@pytest.mark.parametrize(
    ("devices", "legs", "gains", "message"),
    [
        (["a", "b", "c"], ["left", "right"], [], "given 2 times for 3 devices"),
        (["a"], [], [0.0], "0 is not a gain"),
        (["a"], [], [float("nan")], "nan is not a gain"),
        (["npg", "NPG"], [], [], "npg is named twice"),
        (
            ["sim", "sim"],
            [],
            [],
            r"sim is named twice.*peer=npg\+twitchsense --leg left --leg right",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(devices, legs, gains, message):
    with pytest.raises(InputError, match=message):
        request_devices(devices, legs, gains)


def test_a_remembered_device_keeps_leg_and_gain(config):
    remember("calf", RequestedDevice("npg:0A:1B", {"leg": "left", "gain": "500"}))
    remember("shin", RequestedDevice('ts "0001"\\', {}))
    assert request_devices(["calf"], [], []) == [
        RequestedDevice("npg:0A:1B", {"leg": "left", "gain": "500"})
    ]
    assert request_devices(["calf"], ["right"], [])[0].settings["leg"] == "right"
    assert read_remembered()["shin"].device == 'ts "0001"\\'
    remember("calf", RequestedDevice("npg:0C", {}))
    assert request_devices(["calf"], [], []) == [RequestedDevice("npg:0C", {})]


@pytest.mark.parametrize("name", ["", "sim", "a b", "x" * 41, "../calf", "[a]"])
def test_names_that_are_not_usable_are_refused(name, config):
    with pytest.raises(InputError, match="is not a name"):
        remember(name, RequestedDevice("npg"))
    assert not config.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a home folder is always known there")
def test_without_a_home_folder_no_name_is_remembered(monkeypatch, tmp_path):
    import pwd

    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)  # as in a container
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no home folder; set HOME"):
        remember("calf", RequestedDevice("npg"))
    assert list(tmp_path.iterdir()) == []
    assert read_remembered() == {}


@pytest.mark.parametrize("text", ["[calf]\n", "calf = 3\n", "[calf\n", "\x00"])
def test_a_damaged_file_of_names_is_named(text, config):
    config.parent.mkdir(parents=True)
    config.write_text(text)
    with pytest.raises(InputError, match=r"devices\.toml.*correct "):
        request_devices(["calf"], [], [])


def test_options_of_no_driver_are_refused():
    drivers = installed_drivers()
    check_driver_options({}, ["npg"], drivers)
    with pytest.raises(InputError, match="no device has the option speed"):
        check_driver_options({"speed": "3"}, ["npg"], drivers)


def test_raw_and_remember_are_for_one_device(tmp_path):
    for option in (["--raw", str(tmp_path / "l.csv")], ["--remember", "calf"]):
        arguments = ["--device", "npg:A", "--device", "npg:B", "--out", str(tmp_path / "a.night")]
        done = CliRunner().invoke(main, ["record", *arguments, *option])
        assert done.exit_code == 2
        assert "is for one device, not 2" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # in real time
def test_record_of_another_maker_with_raw_log(tmp_path):
    pytest.importorskip("bumble")
    night, log = tmp_path / "a.night", tmp_path / "log.csv"
    done = CliRunner().invoke(
        main,
        ["record", "--device", "sim", "--option", "peer=npg", "--leg", "right", "--gain", "500",
         "--raw", str(log), "--out", str(night), "--duration", "5",
         "--min-valid", "0.1"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "% lost, known exactly" in done.output  # a busy computer may lose some
    assert query(night, "SELECT key, value FROM device_setting") == [
        ("leg", "right"),
        ("gain", "500"),
    ]
    logged = [(str(m.direction), m.data) for _, m in read_raw_log(log)]
    stored = query(night, "SELECT direction, data FROM value ORDER BY id")
    assert logged == stored
    assert len(logged) > 200
    again = CliRunner().invoke(
        main, ["record", "--device", "npg", "--raw", str(log), "--out", str(tmp_path / "b.night")]
    )
    assert again.exit_code == 2
    assert "already exists" in again.output


@pytest.mark.slow  # in real time
def test_a_device_without_driver_is_listed_and_logged(tmp_path, monkeypatch):
    pytest.importorskip("bumble")
    monkeypatch.setattr("twitchsense.devices.npg_lite.NpgLiteDriver.recognize", lambda *_: 0.0)
    simulator = ["devices", "--device", "sim", "--option", "peer=npg", "--seconds", "2"]
    done = CliRunner().invoke(main, simulator)
    assert done.exit_code == 0, done.output
    assert "1 other devices have no driver (--all lists them)" in done.output
    listed = CliRunner().invoke(main, [*simulator, "--all", "--json"])
    (row,) = json.loads(listed.stdout)
    assert (row["name"], row["kind"]) == ("NPG-Lite-3CH:0A:1B", None)
    log = tmp_path / "log.csv"
    done = CliRunner().invoke(main, [*simulator, "--log", "NPG-Lite-3CH:0A:1B", str(log)])
    assert done.exit_code == 0, done.output
    values = [(str(m.direction), m.data) for _, m in read_raw_log(log)]
    assert ("read", b"STOPPED") in values
    assert not any(direction == "write" for direction, _ in values)
