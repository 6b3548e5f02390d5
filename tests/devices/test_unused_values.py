"""Values that a driver reads nothing from are counted, by characteristic and reason."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tests.devices.builders import npg_case
from tests.devices.ganglion_case import ganglion_case
from tests.devices.gforce_case import gforce_case
from tests.devices.logs import write_log
from tests.devices.movesense_case import movesense_case
from tests.devices.myo_case import myo_case
from tests.devices.polar_case import polar_case
from twitchsense.cli.app import main
from twitchsense.devices.contract import Direction, Ignored, Message
from twitchsense.devices.gforce.gforce_driver import DATA_UUID as GFORCE_DATA
from twitchsense.devices.npg_lite import CONTROL_UUID, DATA_UUID
from twitchsense.devices.polar.polar_decoder import DATA_UUID as POLAR_DATA
from twitchsense.devices.registry import get_driver
from twitchsense.errors import InputError
from twitchsense.io.device_logs.decode_log import decode_log

CASES = {
    "ganglion": lambda: ganglion_case("3.0.2", loss=0.02),
    "gforce": lambda: gforce_case("emg"),
    "movesense": movesense_case,
    "myo": lambda: myo_case(loss=0.02),
    "npg": npg_case,
    "polar": lambda: polar_case("h10"),
}
NO_POSITION = {"gforce", "myo"}
KINDS = ["ganglion", "gforce", "lsl", "movesense", "myo", "npg", "polar", "twitchsense"]
HEART_RATE = "00002a37-0000-1000-8000-00805f9b34fb"
PPG = bytes([1, *range(8), 0, *range(12)])


def value(uuid, data, at_ns=0, direction=Direction.NOTIFY):
    return Message(uuid, direction, data, at_ns)


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_an_unknown_characteristic_are_ignored(kind):
    decoder = get_driver(kind).make_decoder()
    assert decoder.push(value(HEART_RATE, b"\x00\x48")) == [Ignored("characteristic")]
    assert decoder.push(value(HEART_RATE, b"\x00", direction=Direction.WRITE)) == []


@pytest.mark.parametrize(
    ("kind", "uuid", "data"), [("polar", POLAR_DATA, PPG), ("gforce", GFORCE_DATA, b"\x05" * 9)]
)
def test_measurements_that_are_not_decoded_are_ignored(kind, uuid, data):
    decoder = get_driver(kind).make_decoder()
    assert decoder.push(value(uuid, data)) == [Ignored("measurement")]


def test_the_report_counts_them_by_characteristic(tmp_path, capsys):
    sample = b"".join(bytes([n, 8, 0, 8, 0, 8, 0]) for n in range(10))
    log = [
        value(CONTROL_UUID, b"START", direction=Direction.WRITE),
        value(HEART_RATE, b"\x00\x48", 1),
        value(DATA_UUID, sample, 2),
        value(CONTROL_UUID, b"STREAMING", 3),
        value(HEART_RATE, b"\x00\x49", 4),
    ]
    path = write_log(tmp_path / "log.csv", log)
    with pytest.raises(SystemExit) as exit_status:
        main(["decode", str(path), "--device", "npg", "--out", str(tmp_path / "out")])
    assert exit_status.value.code == 0
    report = json.loads((tmp_path / "out" / "decode.json").read_text())
    assert report["ignored"] == [
        {"characteristic": HEART_RATE, "reason": "characteristic", "count": 2, "first_line": 3}
    ]
    assert (report["ignored_count"], report["refused_count"], report["waiting"]) == (2, 0, 0)
    assert "2 values hold nothing that the driver decodes" in capsys.readouterr().err


def test_values_that_wait_at_the_end_of_a_log_are_counted(tmp_path, capsys):
    """Two frames without the command that starts them show no rate."""
    frames = [
        bytes([2, *(1_000_000_000 + n).to_bytes(8, "little"), 1, *bytes(12)]) for n in range(2)
    ]
    log = [value(POLAR_DATA, frame, n * 1000) for n, frame in enumerate(frames)]
    path = write_log(tmp_path / "log.csv", log)
    with pytest.raises(SystemExit):
        main(["decode", str(path), "--device", "polar", "--out", str(tmp_path / "out")])
    assert "2 values at the end were not decoded" in capsys.readouterr().err
    report = decode_log(path, get_driver("polar"), tmp_path / "again")
    assert (report["waiting"], report["samples"]) == (2, {})


def samples_and_loss(path, kind, out):
    """Return what the report says of samples and loss, and the reasons of refusals."""
    report = decode_log(path, get_driver(kind), out)
    return (report["samples"], report["loss"]), report["refused_reasons"]


@pytest.mark.parametrize(
    ("kind", "later_ns"),
    # nothing in the packets of a gForce or Myo tells one that came twice from a new one
    [
        *((kind, 0) for kind in CASES),
        *((kind, 5_000_000) for kind in sorted(CASES.keys() - NO_POSITION)),
    ],
)
def test_a_value_that_stands_twice_is_refused(kind, later_ns, tmp_path):
    """A row is there twice; or, where the device places samples, a value came twice."""
    log = list(CASES[kind]().log[:300])
    at = max(i for i in range(250) if len(log[i].data) >= 16 and log[i].direction == "notify")
    twice = dataclasses.replace(log[at], arrival_ns=log[at].arrival_ns + later_ns)
    later = [m for m in log[at + 1 :] if m.arrival_ns >= twice.arrival_ns]
    once = write_log(tmp_path / "once.csv", [*log[: at + 1], *later])
    plain, reasons = samples_and_loss(once, kind, tmp_path / "a")
    doubled = write_log(tmp_path / "twice.csv", [*log[: at + 1], twice, *later])
    again, with_repetition = samples_and_loss(doubled, kind, tmp_path / "b")
    assert again == plain
    assert with_repetition == {**reasons, "repeated": reasons.get("repeated", 0) + 1}


def test_a_log_with_times_in_milliseconds_is_refused(tmp_path):
    log = [dataclasses.replace(m, arrival_ns=m.arrival_ns * 1000) for m in npg_case().log[:100]]
    path = write_log(tmp_path / "log.csv", log)
    with pytest.raises(InputError, match=r"times of emg go \d+ times as fast.*time_s in seconds"):
        decode_log(path, get_driver("npg"), tmp_path / "out")
