"""Raw logs: captures that `read` accepts, gaps as gaps, and errors with file, line and cure."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.devices.builders import npg_case
from tests.devices.logs import v1_case, write_log
from twitchsense.devices.npg_lite import DATA_UUID, NpgLiteDriver
from twitchsense.devices.v1.v1_driver import V1Driver
from twitchsense.errors import InputError
from twitchsense.io.device_logs.decode_log import decode_log
from twitchsense.io.read import read

HEADER = "time_s,characteristic,direction,hex"
ROW = f"0.5,{DATA_UUID},notify,00"


@pytest.fixture(scope="module")
def v1(tmp_path_factory):
    folder = tmp_path_factory.mktemp("v1")
    case = v1_case()
    log = write_log(folder / "log.csv", case.log)
    return case, log, decode_log(log, V1Driver(), folder / "out"), folder / "out"


def test_the_captures_hold_the_samples_bit_for_bit(v1):
    case, _, report, out = v1
    for name, columns in (
        ("emg", ["emg1_uv", "emg2_uv"]),
        ("acc", ["acc_x_g", "acc_y_g", "acc_z_g"]),
    ):
        table = pd.read_csv(out / f"{name}.csv")
        assert list(table) == ["time_s", *columns]
        expected = case.expected[name]
        # nine significant digits, as in every capture
        np.testing.assert_allclose(table[columns].to_numpy(), expected.samples, rtol=1e-8)
        assert np.abs(table["time_s"] - expected.times_s).max() < 0.05
        assert report["streams"][name]["samples"] == len(table) == report["samples"][name]
        assert report["streams"][name]["loss"] == {
            "exact": expected.lost, "ambiguous": 0, "unknown": 0
        }  # fmt: skip


def test_the_report_names_driver_rates_units_and_loss(v1):
    _, _, report, out = v1
    assert json.loads((out / "decode.json").read_text()) == report
    assert (report["driver"], report["driver_version"]) == ("twitchsense", 1)
    assert report["streams"]["emg"]["rate"] == 1000
    assert report["streams"]["emg"]["unit"] == "uV"
    assert report["streams"]["acc"]["unit"] == "g"
    lost = sum(s["loss"]["exact"] for s in report["streams"].values())
    assert report["loss"] == {"exact": lost, "ambiguous": 0, "unknown": 0}
    assert report["refused"] == []


def test_read_makes_gaps_of_the_gaps(v1):
    case, _, report, out = v1
    recording = read(out / "emg.csv", out / "acc.csv")
    segments = recording.segments_of("emg1")
    assert len(segments) == report["streams"]["emg"]["gaps"] + 1
    assert sum(len(s.samples) for s in segments) == len(case.expected["emg"].samples)
    fs = {c.name: c.fs for c in recording.channels}
    assert fs["emg1"] == pytest.approx(1000, rel=1e-4)
    assert fs["acc"] == pytest.approx(100, rel=1e-4)


def test_without_the_column_direction_all_values_are_notifications(tmp_path):
    case = npg_case(restart=False)
    notified = [m for m in case.log if m.characteristic == DATA_UUID]
    log = write_log(tmp_path / "log.csv", notified, direction=False)
    report = decode_log(log, NpgLiteDriver(), tmp_path / "out")
    assert report["samples"]["emg"] == len(case.expected["emg"].samples)
    table = pd.read_csv(tmp_path / "out" / "emg.csv")
    assert list(table)[1:] == ["emg1_count", "emg2_count", "emg3_count"]
    assert np.array_equal(table.iloc[:, 1:].to_numpy(), case.expected["emg"].samples)


def test_decoded_counts_are_read_with_their_gain(tmp_path):
    case = npg_case(restart=False)
    decode_log(write_log(tmp_path / "log.csv", case.log), NpgLiteDriver(), tmp_path / "out")
    path = tmp_path / "out" / "emg.csv"
    with pytest.raises(InputError, match=r"is in counts, .*\(the argument gain\)"):
        read(path)
    recording = read(path, gain=250.0)
    got = np.concatenate([s.samples.read(0, len(s.samples)) for s in recording.segments_of("emg2")])
    np.testing.assert_allclose(got[:, 0], case.expected["emg"].samples[:, 1] * 4.0)
    assert recording.channels[0].unit == "uV"
    for gain in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="is not a gain"):
            read(path, gain=gain)


def test_a_gain_that_nothing_needs_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time_s,emg1_uv\n" + "".join(f"{i / 1000},{i % 7}\n" for i in range(500)))
    with pytest.raises(InputError, match="has no EMG in counts, which the argument gain is for"):
        read(path, gain=250.0)


def test_refused_values_are_listed_with_line_and_reason(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(f"{HEADER}\n{ROW}\n0.6,{DATA_UUID},notify,\n")
    report = decode_log(log, NpgLiteDriver(), tmp_path / "out")
    assert [(r["line"], r["reason"]) for r in report["refused"]] == [(2, "length"), (3, "length")]
    assert report["refused_reasons"] == {"length": 2}
    assert report["streams"] == {}


def test_unix_times_and_gzip(tmp_path):
    case = npg_case(restart=False, seconds=4)
    plain = write_log(tmp_path / "log.csv", case.log)
    lines = plain.read_text().splitlines()
    later = [lines[0]]
    for line in lines[1:]:
        time_s, rest = line.split(",", 1)
        later.append(f"{float(time_s) + 1.7e9:.6f},{rest}")
    with gzip.open(tmp_path / "log.csv.gz", "wt") as file:
        file.write("\n".join(later))
    report = decode_log(tmp_path / "log.csv.gz", NpgLiteDriver(), tmp_path / "out")
    assert report["start_s"] == pytest.approx(1.7e9, abs=1)
    times = pd.read_csv(tmp_path / "out" / "emg.csv")["time_s"]
    assert np.abs(times - case.expected["emg"].times_s).max() < 0.05


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "", "is empty"),
        (HEADER + "\n", "", "no rows"),
        ("time,characteristic,hex\n", "line 1", "no column time_s"),
        ("time_s,characteristic,hex,hex\n", "line 1", "hex twice"),
        (f"{HEADER}\n{ROW}\nx{ROW}\n", "line 3", "not a number"),
        (f"{HEADER}\nnan,{DATA_UUID},notify,00\n", "line 2", "not a number"),
        (f"{HEADER}\n1e30,{DATA_UUID},notify,00\n", "line 2", "not a number"),
        (f"{HEADER}\n{ROW}\n0.4,{DATA_UUID},notify,00\n", "line 3", "backwards"),
        (f"{HEADER}\n0.5,2a19,notify,00\n", "line 2", "not a full UUID"),
        (f"{HEADER}\n{ROW}0\n", "line 2", "hex is not"),
        (f"{HEADER}\n0.5,{DATA_UUID},notify,zz\n", "line 2", "hex is not"),
        (f"{HEADER}\n0.5,{DATA_UUID},notify,{'00' * 513}\n", "line 2", "hex is not"),
        (f"{HEADER}\n0.5,{DATA_UUID},sent,00\n", "line 2", "direction is 'sent'"),
        (f"{HEADER}\n{ROW}\n0.5,{DATA_UUID}\n", "line 3", "2 fields"),
        (f'{HEADER}\n{ROW}\n0.5,"{DATA_UUID}\n', "line", "cannot be read"),
        (f"{HEADER}\n{ROW}\n{'0' * 9000}\n", "line 3", "longer than"),
    ],
)
def test_a_bad_log_is_refused_with_line_and_cure(text, place, problem, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        decode_log(log, NpgLiteDriver(), tmp_path / "out")
    assert str(log) in str(caught.value)
    assert place in caught.value.place
    assert caught.value.cure
    assert [p.name for p in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"\x1f\x8bnot gzip", b"time_s\xff\xfe,x"])
def test_binary_garbage_is_refused(data, tmp_path):
    (tmp_path / "log.csv").write_bytes(data)
    with pytest.raises(InputError):
        decode_log(tmp_path / "log.csv", NpgLiteDriver(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_log_and_files_that_exist(tmp_path, v1):
    with pytest.raises(InputError, match=r"no such file"):
        decode_log(tmp_path / "none.csv", NpgLiteDriver(), tmp_path / "out")
    _, log, _, out = v1
    with pytest.raises(InputError, match="already exists"):
        decode_log(log, V1Driver(), out)


def test_a_log_of_two_settings_is_refused(tmp_path):
    first, second = v1_case(loss=0.0), v1_case(loss=0.0)
    moved = [
        type(m)(m.characteristic, m.direction, _half_rate(m.data), m.arrival_ns + 10**12)
        for m in second.log
    ]
    log = write_log(tmp_path / "log.csv", [*first.log, *moved])
    with pytest.raises(InputError, match="settings of emg change") as caught:
        decode_log(log, V1Driver(), tmp_path / "out")
    assert "split the log" in caught.value.cure
    assert not (tmp_path / "out").exists()


def _half_rate(data):
    """Write 500 Hz in place of 1000 Hz into the description of the EMG stream."""
    rate = (1_000_000).to_bytes(4, "little")
    return data.replace(rate, (500_000).to_bytes(4, "little"), 1) if len(data) == 40 else data


def test_the_command(tmp_path):
    case = npg_case(restart=False, seconds=4)
    log = write_log(tmp_path / "log.csv", case.log)
    command = [sys.executable, "-m", "twitchsense.cli", "decode", str(log), "--device"]
    out = tmp_path / "out"
    done = subprocess.run([*command, "npg", "--out", str(out)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert "lost, known exactly" in done.stderr
    assert sorted(p.name for p in out.iterdir()) == ["decode.json", "emg.csv"]
    wrong = subprocess.run([*command, "none", "--out", "x"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "choose one of" in wrong.stderr
    assert wrong.stderr.count("\n") == 1
