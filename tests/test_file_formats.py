"""The same samples give the same tables, from any file format and at any start time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.signals import SimulatedLeg

AXES = ("acc_x_g", "acc_y_g", "acc_z_g")


@pytest.fixture(scope="module")
def signals():
    leg = SimulatedLeg(100)
    for at in (14.5, 22.3, 88.1):
        leg.twitch(at)
    for at in (30, 75.2):
        leg.jerk(at)
    signals = dict(leg.movement(45, 2.0).oscillation(55).signals())
    emg, fs = signals["emg1_uv"]
    emg = np.array(emg, dtype=np.float32)
    emg[66_000:66_700] = np.nan
    return {k: (np.float32(x), f) for k, (x, f) in signals.items()} | {"emg1_uv": (emg, fs)}


@pytest.fixture(scope="module")
def expected(signals):
    night = ts.analyze(ts.Recording.from_arrays(signals))
    assert {"twitch", "jerk", "movement"} <= set(night.events.trial_type)
    return night


def table_of(signals, names):
    fs = signals[names[0]][1]
    n = len(signals[names[0]][0])
    return pd.DataFrame(
        {"time_s": np.arange(n) / fs} | {k: signals[k][0].astype(float) for k in names}
    )


def wide(signals):
    emg, acc = table_of(signals, ["emg1_uv"]), table_of(signals, AXES)
    emg["row"], acc["row"] = np.arange(len(emg)), np.arange(len(acc)) * 10
    return emg.merge(acc.drop(columns="time_s"), on="row", how="left").drop(columns="row")


def write(kind, signals, folder):
    """Write the signals in one of the forms of the contract; return the paths."""
    emg, acc = table_of(signals, ["emg1_uv"]).dropna(), table_of(signals, AXES)
    path = folder / f"capture.{kind}"
    if kind in ("csv", "csv.gz"):
        wide(signals).to_csv(path, index=False)
    elif kind == "parquet":
        wide(signals).to_parquet(path, index=False)
    else:  # one file a rate; the gap is rows that are missing
        paths = [folder / f"{name}.{kind.split()[-1]}" for name in ("emg", "acc")]
        for table, target in zip((emg, acc), paths, strict=True):
            if kind.endswith("csv"):
                table.to_csv(target, index=False)
            else:
                table.to_parquet(target, index=False)
        return paths
    return [path]


def same(night, expected):
    for name in ("events", "rejected", "epochs"):
        got, want = getattr(night, name), getattr(expected, name)
        pd.testing.assert_frame_equal(got, want, check_exact=True)


@pytest.mark.slow  # analyses the recording in each format
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "split csv", "split parquet"])
def test_every_file_format_gives_the_tables_of_the_arrays(kind, signals, expected, tmp_path):
    same(ts.analyze(ts.read(*write(kind, signals, tmp_path))), expected)


def test_columns_in_another_order_give_the_same_tables(signals, expected, tmp_path):
    table = wide(signals)
    table[table.columns[::-1]].to_csv(tmp_path / "reversed.csv", index=False)
    same(ts.analyze(ts.read(tmp_path / "reversed.csv")), expected)


@pytest.mark.slow
@pytest.mark.parametrize("hours", [3, 20])
def test_a_capture_that_starts_hours_later_gives_the_same_tables(
    hours, signals, expected, tmp_path
):
    table = wide(signals)
    start = pd.Timestamp("2026-03-03T21:30:00Z") + pd.Timedelta(hours=hours)
    stamps = start + pd.to_timedelta((table.pop("time_s") * 1e6).round(), unit="us")
    table.insert(0, "time_utc", stamps.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    table.to_csv(tmp_path / "later.csv", index=False)
    same(ts.analyze(ts.read(tmp_path / "later.csv")), expected)


@pytest.mark.slow
@pytest.mark.parametrize("hours", [3, 20])
def test_seconds_that_do_not_start_at_zero_move_the_onsets_and_nothing_else(
    hours, signals, expected, tmp_path
):
    table = wide(signals)
    table["time_s"] += hours * 3600
    table.to_csv(tmp_path / "later.csv", index=False)
    night = ts.analyze(ts.read(tmp_path / "later.csv"))
    for name in ("events", "rejected"):
        got, want = getattr(night, name), getattr(expected, name)
        np.testing.assert_allclose(got.onset - hours * 3600, want.onset, rtol=0, atol=1e-6)
        rest = [c for c in want if c != "onset"]
        pd.testing.assert_frame_equal(got[rest], want[rest], check_exact=True)
