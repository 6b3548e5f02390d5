"""Values that a driver reads nothing from are counted, by characteristic and reason."""

from __future__ import annotations

import json

import pytest

from tests.devices.logs import write_log
from twitchsense.cli.app import main
from twitchsense.devices.contract import Direction, Ignored, Message
from twitchsense.devices.gforce.gforce_driver import DATA_UUID as GFORCE_DATA
from twitchsense.devices.npg_lite import CONTROL_UUID, DATA_UUID
from twitchsense.devices.polar.polar_decoder import DATA_UUID as POLAR_DATA
from twitchsense.devices.registry import get_driver
from twitchsense.io.device_logs.decode_log import decode_log

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
    frame = bytes([2, *(1_000_000_000).to_bytes(8, "little"), 1, *bytes(12)])
    path = write_log(tmp_path / "log.csv", [value(POLAR_DATA, frame, n) for n in range(2)])
    with pytest.raises(SystemExit):
        main(["decode", str(path), "--device", "polar", "--out", str(tmp_path / "out")])
    assert "2 values at the end were not decoded" in capsys.readouterr().err
    report = decode_log(path, get_driver("polar"), tmp_path / "again")
    assert (report["waiting"], report["samples"]) == (2, {})
