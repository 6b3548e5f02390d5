"""Acceleration that is sampled too slowly to show movements, beside EMG and alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.devices.ganglion_case import ganglion_case
from tests.devices.logs import write_log
from twitchsense.devices.ganglion.ganglion_driver import GanglionDriver
from twitchsense.errors import InputError
from twitchsense.io.device_logs.decode_log import decode_log
from twitchsense.io.read import read


def write_capture(path, fs, names, seconds=20):
    times_s = np.arange(round(fs * seconds)) / fs
    rng = np.random.default_rng(3)
    columns = {name: rng.normal(0, 0.3, len(times_s)) for name in names}
    pd.DataFrame({"time_s": times_s, **columns}).to_csv(path, index=False)
    return path


def test_slow_acceleration_beside_emg_is_left_out_with_a_note(tmp_path):
    emg = write_capture(tmp_path / "emg.csv", 500, ["emg1_uv"])
    acc = write_capture(tmp_path / "acc.csv", 10, ["acc_x_g", "acc_y_g", "acc_z_g"])
    recording = read(emg, acc)
    assert [c.name for c in recording.channels] == ["emg1"]
    (note,) = [n for n in recording.notes if n.startswith("acc:")]
    assert note == (
        "acc: acceleration at 10 Hz cannot show jerks and movements, which need 25 Hz, left out"
    )


def test_slow_acceleration_alone_is_refused_with_a_cure_that_works(tmp_path):
    acc = write_capture(tmp_path / "acc.csv", 10, ["acc_x_g", "acc_y_g", "acc_z_g"])
    with pytest.raises(InputError, match=r"acc_x_g: acceleration at 10 Hz .*give the EMG"):
        read(acc)
    emg = write_capture(tmp_path / "emg.csv", 500, ["emg1_uv"])
    assert len(read(acc, emg).channels) == 1


def test_the_lowest_rate_is_accepted(tmp_path):
    acc = write_capture(tmp_path / "acc.csv", 25, ["acc_x_g", "acc_y_g", "acc_z_g"])
    assert [c.name for c in read(acc).channels] == ["acc"]


@pytest.mark.parametrize("fs", [0.05, 1.0])
def test_lower_rates_are_those_of_a_wrong_unit_of_time(fs, tmp_path):
    acc = write_capture(tmp_path / "acc.csv", fs, ["acc_x_g"], seconds=1000 / fs)
    emg = write_capture(tmp_path / "emg.csv", 500, ["emg1_uv"])
    with pytest.raises(InputError, match="unit of the time column"):
        read(emg, acc)


def test_captures_of_a_ganglion_are_read_together(tmp_path):
    case = ganglion_case(loss=0.0, restart=False, seconds=30)
    log = write_log(tmp_path / "log.csv", case.log)
    decode_log(log, GanglionDriver(), tmp_path / "out")
    recording = read(tmp_path / "out" / "emg.csv", tmp_path / "out" / "acc.csv")
    assert [c.name for c in recording.channels] == ["emg1", "emg2", "emg3", "emg4"]
    assert any("cannot show jerks" in note for note in recording.notes)
