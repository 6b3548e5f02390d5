"""The command on every bundled capture and on real recordings."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmarks.real_recordings import DATA, captures
from twitchsense.cli.app import main

ROOT = Path(__file__).parents[1]
EVENTS = [
    "onset",
    "duration",
    "trial_type",
    "label",
    "context",
    "stage",
    "min_from_onset",
    "leg",
    "channel",
    "amplitude_uv",
    "peak_g",
    "jerk_g_s",
    "rise_ms",
    "snr_db",
    "confidence",
    "series",
    "grade",
]
EPOCHS = ["onset", "duration", "context", "stage", "activity", "valid"]


def analyze(*words: object) -> None:
    result = CliRunner().invoke(main, ["analyze", *map(str, words)])
    assert result.exit_code == 0, result.output


def check_contract(out: Path) -> pd.DataFrame:
    """Hold the files of a result to the contract's names; return the events."""
    tables = {name: pd.read_csv(out / f"{name}.csv") for name in ("events", "rejected", "epochs")}
    assert list(tables["events"]) == [*EVENTS, "evidence", "alternatives", "clock", "time_error_s"]
    assert list(tables["rejected"]) == [*EVENTS, "reason"]
    assert list(tables["epochs"]) == EPOCHS
    assert tables["events"].onset.is_monotonic_increasing
    assert tables["rejected"].reason.notna().all()
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert set(summary["sleep_onset"]) == {"time_s", "low_s", "high_s", "source"}
    assert {"valid_s", "provenance", "by_kind", "by_label", "by_context"} <= set(summary)
    glossary = json.loads((out / "events.json").read_text("utf-8"))
    assert {*EVENTS, *EPOCHS, "reason"} <= set(glossary)
    assert "not a medical device" in (out / "report.html").read_text("utf-8").lower()
    return tables["events"]


@pytest.mark.slow  # whole captures from file to result
@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "data").iterdir() if p.is_dir()))
def test_bundled_capture(name, tmp_path):
    folder = ROOT / "data" / name
    analyze(
        folder / "emg.csv.gz", folder / "acc.csv.gz", "--out", tmp_path,
        "--hypnogram", folder / "hypnogram.csv",
    )  # fmt: skip
    assert len(check_contract(tmp_path))


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    if not DATA.exists():
        pytest.skip("the real recordings (shared/data) are not beside the project")
    return dict(captures(DATA, tmp_path_factory.mktemp("real")))


REAL = {  # the kinds that a recording can rightly hold; None: not annotated, anything goes
    "bitalino_emg_uv": set(),
    "bitalino_emg_1_uv": None,
    "elderly_id1_EMG_TA_TA": set(),
    "elderly_id4_EMG_VL_TA": None,
    "elderly_id5_EMG_VL_TA": set(),
    "elderly_id6_EMG_VL_TA": set(),
    "walking_TA": {"movement", "gross_movement"},
    "walking_GM": {"movement", "gross_movement", "brief_contraction"},  # steps of 0.3 s
    "walking_SO": {"movement", "gross_movement"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_emg(name, real, tmp_path):
    analyze(real[name], "--out", tmp_path)
    events = check_contract(tmp_path)
    if REAL[name] is not None:
        assert set(events.trial_type) <= REAL[name]


def test_bursts_of_a_real_wearable_are_found(real, tmp_path):
    """The bursts that the recording's notes name, at about 1.7, 16, 25.6 and 26.5 s."""
    analyze(real["bitalino_emg_1_uv"], "--out", tmp_path, "--no-report")
    events = pd.read_csv(tmp_path / "events.csv")
    for at in (1.7, 16.5, 25.6, 26.5):
        assert ((events.onset < at + 0.5) & (events.onset + events.duration > at - 0.5)).any(), at


@pytest.mark.slow
@pytest.mark.parametrize("name", ["daphnet_S02R01", "daphnet_S07R02"])
def test_real_walk_seen_by_the_accelerometer_holds_no_jerk(name, real, tmp_path):
    analyze(real[name], "--out", tmp_path)
    assert set(check_contract(tmp_path).trial_type) <= {
        "movement", "gross_movement", "posture_change",
    }  # fmt: skip
