"""Logs of the devices on sale: columns, units, rates and loss of ``decode``."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.devices.ganglion_case import ganglion_case
from tests.devices.gforce_case import gforce_case
from tests.devices.logs import write_log
from tests.devices.myo_case import myo_case
from twitchsense.devices.ganglion.ganglion_driver import GanglionDriver
from twitchsense.devices.gforce.gforce_driver import DATA_UUID, GForceDriver
from twitchsense.devices.myo import MyoDriver
from twitchsense.io.device_logs.decode_log import decode_log

EMG8_UV = [f"emg{i}_uv" for i in range(1, 9)]
EMG8_COUNT = [f"emg{i}_count" for i in range(1, 9)]
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
    "myo": (
        MyoDriver(),
        lambda loss: myo_case(loss / 2, restart=False, seconds=20),
        {"emg": ("count", 200, EMG8_COUNT), "acc": ("g", 50, ACC)},
    ),
    "gforce": (
        GForceDriver(),
        lambda loss: gforce_case(loss=loss / 5, restart=False, seconds=20),
        {"emg": ("uV", 500, EMG8_UV)},
    ),
    "gforce-acc": (
        GForceDriver(),
        lambda loss: gforce_case("acc", loss=loss / 5, restart=False, seconds=20),
        {"acc": ("g", 50, ACC)},
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
        if expected.timing is None:
            assert lost["exact"] == lost["ambiguous"] == 0
            assert "cannot be seen" in described["loss_in_words"]


def test_gforce_without_the_command_is_refused_with_the_reason(tmp_path):
    case = gforce_case(loss=0, restart=False, seconds=3)
    notified = [m for m in case.log if m.characteristic == DATA_UUID]
    log = write_log(tmp_path / "log.csv", notified, direction=False)
    report = decode_log(log, GForceDriver(), tmp_path / "out")
    assert report["streams"] == {}
    assert report["refused_reasons"] == {"settings": len(notified)}
