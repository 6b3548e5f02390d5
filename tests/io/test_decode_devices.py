"""Logs of the devices on sale: columns, units, rates and loss of ``decode``."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.devices.ganglion_case import ganglion_case
from tests.devices.logs import write_log
from twitchsense.devices.ganglion import GanglionDriver
from twitchsense.io.decode_log import decode_log

EMG4 = ["emg1_uv", "emg2_uv", "emg3_uv", "emg4_uv"]
ACC = ["acc_x_g", "acc_y_g", "acc_z_g"]
CASES = {
    "ganglion": (
        GanglionDriver(),
        lambda loss: ganglion_case("3.0.2", loss=loss, restart=False, seconds=20),
        {"emg": ("uV", 200, EMG4), "acc": ("g", 10, ACC)},
    ),
    "ganglion-2": (
        GanglionDriver(),
        lambda loss: ganglion_case("2.0.1", loss=loss / 5, restart=False, seconds=20),
        {"emg": ("uV", 200, EMG4), "acc": ("g", 10, ACC)},
    ),
}


@pytest.mark.parametrize("direction", [True, False])
@pytest.mark.parametrize("loss", [0.0, 0.1])
@pytest.mark.parametrize("name", CASES)
def test_captures_and_report(name, loss, direction, tmp_path):
    driver, make_case, streams = CASES[name]
    case = make_case(loss)
    log = write_log(tmp_path / "log.csv", case.log, direction)
    report = decode_log(log, driver, tmp_path / "out")
    assert report == json.loads((tmp_path / "out" / "decode.json").read_text())
    assert (report["driver"], set(report["streams"])) == (driver.kind, set(streams))
    assert report["refused_count"] == case.refused
    for stream, (unit, rate, columns) in streams.items():
        expected, described = case.expected[stream], report["streams"][stream]
        table = pd.read_csv(tmp_path / "out" / f"{stream}.csv")
        assert list(table) == ["time_s", *columns]
        assert (described["unit"], described["rate"]) == (unit, rate)
        np.testing.assert_allclose(table[columns].to_numpy(), expected.samples, rtol=1e-7)
        error = table["time_s"].to_numpy() - expected.times_s
        assert np.abs(error).max() < expected.time_tolerance_s
        lost = described["loss"]
        if expected.lost is not None:
            assert lost["exact"] + lost["ambiguous"] == expected.lost
            assert lost["unknown"] == 0
