"""Raw logs of Polar's sensors: with and without directions, commands and loss."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from firmware_sim.peers.polar import PolarSensor
from tests.devices.logs import write_log
from tests.devices.polar_case import case_of, command, kept, polar_session, started
from tests.devices.polar_case import frame as make_frame
from twitchsense.devices.contract import Direction, Message
from twitchsense.devices.polar.polar_decoder import DATA_UUID
from twitchsense.devices.polar.polar_driver import PolarDriver
from twitchsense.errors import InputError
from twitchsense.io.device_logs.decode_log import decode_log
from twitchsense.io.read import read


def recorded(product="h10", loss=0.15, options=None, seconds=60):
    sensor = PolarSensor(product, seed=4)
    session = polar_session(sensor, loss)
    session.open(options)
    session.run(seconds)
    session.close()
    return session, sensor


def check_capture(out, report, sensor, expected, name, columns):
    table = pd.read_csv(out / report["streams"][name]["file"])
    assert list(table) == ["time_s", *columns]
    np.testing.assert_allclose(table[columns].to_numpy(), expected.samples, rtol=1e-8, atol=1e-9)
    assert np.abs(table["time_s"] - expected.times_s).max() < 0.05
    assert report["samples"][name] == len(table)
    assert report["streams"][name]["loss"] == {
        "exact": expected.lost, "ambiguous": 0, "unknown": 0
    }  # fmt: skip


@pytest.mark.parametrize("direction", [True, False])
@pytest.mark.parametrize("product", ["h10", "sense"])
def test_captures_and_report(tmp_path, product, direction):
    session, sensor = recorded(product)
    case = case_of(session, sensor, with_loss=True)
    log = write_log(tmp_path / "log.csv", session.log, direction)
    report = decode_log(log, PolarDriver(), tmp_path / "out")
    axes = ["acc_x_g", "acc_y_g", "acc_z_g"]
    check_capture(tmp_path / "out", report, sensor, case.expected["acc"], "acc", axes)
    acc = report["streams"]["acc"]
    assert (acc["rate"], acc["unit"]) == ({"h10": 100, "sense": 104}[product], "g")
    assert acc["timing"] == {
        "by": "clock", "epoch": "2000-01-01T00:00:00Z", "sample": "last"
    }  # fmt: skip
    assert (report["driver"], report["refused"]) == ("polar", [])
    if product == "h10":
        check_capture(tmp_path / "out", report, sensor, case.expected["ecg"], "ecg", ["ecg_mv"])
        assert (report["streams"]["ecg"]["rate"], report["streams"]["ecg"]["unit"]) == (130, "mV")
    recording = read(tmp_path / "out" / "acc.csv")
    assert len(recording.segments_of("acc")) == acc["gaps"] + 1


def test_raw_frames_alone_are_decoded_by_their_times(tmp_path):
    session, sensor = recorded("h10", options={"rate": "50"})
    frames = [m for m in session.log if m.characteristic == DATA_UUID]
    case = case_of(session, sensor, with_loss=True)
    log = write_log(tmp_path / "log.csv", frames, direction=False)
    report = decode_log(log, PolarDriver(), tmp_path / "out")
    assert report["streams"]["acc"]["rate"] == 50
    assert report["samples"]["acc"] == len(kept(frames, sensor, "acc"))
    assert report["loss"]["exact"] == sum(e.lost for e in case.expected.values())


def test_compressed_frames_alone_are_refused_since_their_scale_is_unknown(tmp_path):
    session, _ = recorded("sense")
    frames = [m for m in session.log if m.characteristic == DATA_UUID]
    log = write_log(tmp_path / "log.csv", frames, direction=False)
    report = decode_log(log, PolarDriver(), tmp_path / "out")
    assert (report["samples"], report["refused_reasons"]) == ({}, {"settings": len(frames)})


class Collected:
    """Collects what is pushed, in place of a decoder."""

    def __init__(self):
        self.messages = []

    def push(self, message):
        self.messages.append(message)


def test_a_second_start_with_another_range_goes_on_and_with_another_rate_is_refused(tmp_path):
    log = Collected()
    for number, start in enumerate(
        ("02 02 00 01 32 00 02 01 08 00", "02 02 00 01 32 00 02 01 02 00")
    ):
        started(log, start)
        time_ns = 10**18 + number * 10**9
        log.push(Message(DATA_UUID, Direction.NOTIFY, make_frame(1, bytes(300), time_ns), 0))
    path = write_log(tmp_path / "log.csv", log.messages)
    assert decode_log(path, PolarDriver(), tmp_path / "out")["samples"] == {"acc": 100}
    log.push(command("02 02 00 01 64 00"))
    log.push(Message(DATA_UUID, Direction.NOTIFY, make_frame(1, bytes(300), 2 * 10**18), 0))
    path = write_log(tmp_path / "log.csv", log.messages)
    with pytest.raises(InputError, match="50 to 100 Hz"):
        decode_log(path, PolarDriver(), tmp_path / "again")
