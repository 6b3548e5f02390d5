"""Raw logs of Movesense sensors: with and without directions, commands and loss."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from firmware_sim.peers.movesense import MovesenseSensor
from tests.devices.logs import write_log
from tests.devices.movesense_case import case_of, movesense_session
from twitchsense.devices.movesense.movesense_decoder import NOTIFY_UUID
from twitchsense.devices.movesense.movesense_driver import MovesenseDriver
from twitchsense.io.device_logs.decode_log import decode_log


@pytest.fixture(scope="module")
def recorded():
    sensor = MovesenseSensor(seed=4)
    session = movesense_session(sensor, loss=0.15)
    session.open({"rate": "52", "ecg": "250"})
    session.run(60)
    session.close()
    return session, sensor


@pytest.mark.parametrize("direction", [True, False])
def test_captures_and_report(tmp_path, recorded, direction):
    session, sensor = recorded
    case = case_of(session, sensor, with_loss=True)
    log = write_log(tmp_path / "log.csv", session.log, direction)
    report = decode_log(log, MovesenseDriver(), tmp_path / "out")
    columns = {"acc": ["acc_x_g", "acc_y_g", "acc_z_g"], "ecg": ["ecg_mv"]}
    for name, rate, unit in (("acc", 52, "g"), ("ecg", 250, "mV")):
        expected, stream = case.expected[name], report["streams"][name]
        table = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        assert list(table) == ["time_s", *columns[name]] == ["time_s", *stream["columns"]]
        np.testing.assert_allclose(
            table[columns[name]].to_numpy(), expected.samples, rtol=1e-8, atol=1e-9
        )
        assert np.abs(table["time_s"] - expected.times_s).max() < 0.05
        assert (stream["rate"], stream["unit"]) == (rate, unit)
        assert stream["loss"] == {"exact": expected.lost, "ambiguous": 0, "unknown": 0}
        assert stream["timing"] == {"by": "clock", "epoch": "power-on", "sample": "first"}
    assert (report["driver"], report["refused"]) == ("movesense", [])


def test_without_the_commands_everything_is_refused(tmp_path, recorded):
    session, _ = recorded
    data = [m for m in session.log if m.characteristic == NOTIFY_UUID and m.data[0] == 2]
    log = write_log(tmp_path / "log.csv", data, direction=False)
    report = decode_log(log, MovesenseDriver(), tmp_path / "out")
    assert (report["samples"], report["refused_reasons"]) == ({}, {"subscription": len(data)})
