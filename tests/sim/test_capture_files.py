"""Files and command line."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from firmware_sim import truth
from firmware_sim.__main__ import main
from firmware_sim.capture import SimulatedCapture
from firmware_sim.capture_files import write_capture
from firmware_sim.csv_format import FixedPointColumn, format_rows
from firmware_sim.sample_captures import SAMPLES

DATA = Path(__file__).resolve().parents[2] / "data"


def run(out: Path, *more: str) -> int:
    return main(["capture", "--out", str(out), "--minutes", "0.5", "--seed", "3", *more])


def test_formatted_numbers_equal_the_values() -> None:
    values = np.array([0, 5, -5, 123456, -1], dtype=np.int64)
    present = np.array([True, True, False, True, True])
    text = format_rows(
        [
            FixedPointColumn(values, 1),
            FixedPointColumn(values, 0, present),
            FixedPointColumn(values, 3),
        ]
    )
    assert text.decode().splitlines() == [
        "0.0,0,0.000",
        "0.5,5,0.005",
        "-0.5,,-0.005",
        "12345.6,123456,123.456",
        "-0.1,-1,-0.001",
    ]
    assert format_rows([FixedPointColumn(values[:0], 1)]) == b""


@pytest.mark.slow  # simulates whole captures
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run(tmp_path / name, "--gzip") == 0
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["acc.csv.gz", "emg.csv.gz", "hypnogram.csv", "meta.json", "truth.csv"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    main(["capture", "--out", str(tmp_path / "c"), "--minutes", "0.5", "--seed", "4", "--gzip"])
    first, other = (tmp_path / name / "emg.csv.gz" for name in "ac")
    assert first.read_bytes() != other.read_bytes()


def test_the_files_have_the_columns_of_the_contract(tmp_path: Path) -> None:
    assert run(tmp_path, "--scenario", "violent", "--leg", "left") == 0
    emg = pd.read_csv(tmp_path / "emg.csv")
    acc = pd.read_csv(tmp_path / "acc.csv")
    rows = pd.read_csv(tmp_path / "truth.csv")
    assert list(emg) == ["time_s", "emg1_left_uv", "emg2_left_uv"]
    assert list(acc) == ["time_s", "acc_left_x_g", "acc_left_y_g", "acc_left_z_g"]
    assert tuple(rows) == truth.COLUMNS
    assert rows["onset"].is_monotonic_increasing
    assert set(rows["leg"]) == {"left"}
    assert set(rows.loc[rows["trial_type"] == "jerk", "grade"]) <= {"mild", "moderate", "violent"}
    assert list(pd.read_csv(tmp_path / "hypnogram.csv")) == ["onset", "duration", "stage"]
    assert emg["time_s"].to_numpy() == pytest.approx(np.arange(30_000) / 1000.0)
    steps = emg["emg1_left_uv"].to_numpy() / 0.2
    assert steps == pytest.approx(np.rint(steps), abs=1e-6)
    meta = json.loads((tmp_path / "meta.json").read_text(encoding="utf-8"))
    for name, digest in meta["sha256"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_the_wide_file_has_the_same_samples(tmp_path: Path) -> None:
    run(tmp_path / "long", "--scenario", "violent")
    run(tmp_path / "wide", "--scenario", "violent", "--wide")
    wide = pd.read_csv(tmp_path / "wide" / "capture.csv")
    emg = pd.read_csv(tmp_path / "long" / "emg.csv")
    acc = pd.read_csv(tmp_path / "long" / "acc.csv")
    pd.testing.assert_frame_equal(wide[list(emg)], emg)
    filled = wide.dropna().reset_index(drop=True)
    pd.testing.assert_frame_equal(filled[list(acc)], acc)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["capture", "--out", "x", "--minutes", "1"],
        ["capture", "--out", "x", "--minutes", "0", "--seed", "1"],
        ["capture", "--out", "x", "--minutes", "nan", "--seed", "1"],
        ["capture", "--out", "x", "--minutes", "1", "--seed", "-1"],
        ["capture", "--out", "x", "--minutes", "1", "--seed", "1", "--scenario", "party"],
        ["capture", "--out", "x", "--minutes", "1", "--seed", "1", "--fs-acc", "300", "--wide"],
        ["capture", "--out", "x", "--minutes", "1", "--seed", "1", "--fs-emg", "9"],
    ],
)
def test_invalid_arguments_exit_with_2_and_one_line(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("here already", encoding="utf-8")
    assert run(blocked) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_sample_captures_match_the_checksum_list() -> None:
    lines = (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = dict(line.split("  ")[::-1] for line in lines)
    found = {
        path.relative_to(DATA).as_posix()
        for path in DATA.rglob("*")
        if path.is_file() and path.name not in {"README.md", "SHA256SUMS"}
    }
    assert set(listed) == found
    for name, digest in listed.items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.slow
def test_the_sample_captures_are_reproducible(tmp_path: Path) -> None:
    write_capture(SimulatedCapture(SAMPLES["violent"]), tmp_path, packed=True)
    kept = pd.read_csv(DATA / "violent" / "emg.csv.gz")
    made = pd.read_csv(tmp_path / "emg.csv.gz")
    # One step of the converter may differ where another machine rounds the last bit.
    assert made["emg1_uv"].to_numpy() == pytest.approx(kept["emg1_uv"].to_numpy(), abs=0.21)
    with gzip.open(DATA / "violent" / "emg.csv.gz", "rt") as file:
        assert file.readline() == "time_s,emg1_uv\n"
