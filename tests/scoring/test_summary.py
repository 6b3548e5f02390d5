"""``summary.json``: content, provenance, and plain JSON."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from tests.scoring.builders import (
    SETTINGS,
    burst_row,
    lm,
    onsets,
    row,
    summary,
    two_hour_night,
)
from tests.sleep.builders import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    emg_seconds,
    recording,
)
from twitchsense.model.channels import Segment
from twitchsense.model.event_table import CONTEXTS, LABELS, TRIAL_TYPES
from twitchsense.model.recording import Recording
from twitchsense.scoring import summary as summary_module
from twitchsense.scoring.summary import build_summary
from twitchsense.settings import Settings, TrainSettings
from twitchsense.sleep.context import find_context


def test_summary_is_plain_json_with_its_documented_entries():
    rec, found, context = two_hour_night()
    got = build_summary(rec, found, context, SETTINGS, hypnogram_given=True)
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    assert got["valid_s"] == {"emg1": 6600, "acc": 5400}
    assert got["sleep_onset"] == {
        "time_s": 1200, "low_s": 1185, "high_s": 1215, "source": "hypnogram",
    }  # fmt: skip
    assert got["sleep_onset_methods"] == {
        "definition": "first_epoch",
        "opinions_s": {"first_epoch": 1200, "persistent_10min": 1200},
    }
    assert set(got["by_kind"]) == set(TRIAL_TYPES)
    assert set(got["by_label"]) == set(LABELS)
    assert set(got["by_context"]) == set(CONTEXTS)
    assert got["by_kind"]["twitch"]["count"] == 3
    assert got["by_kind"]["brief_contraction"]["rate_per_h"] == 0
    twitches = got["by_context"]["wake"]["by_label"]["fasciculation_like"]
    assert twitches["rate_per_h"] == pytest.approx(12)
    nowhere = got["by_context"]["unknown"]["by_kind"]["twitch"]
    assert nowhere == {"count": 0, "hours": 0, "rate_per_h": None, "low": None, "high": None}
    assert got["valid_hours"]["emg"]["total"] == pytest.approx(
        sum(got["valid_hours"]["emg"][c] for c in CONTEXTS)
    )
    provenance = got["provenance"]
    assert provenance["source"] == "night.csv"  # no path of a machine
    assert provenance["sha256"] == "ab" * 32
    assert provenance["settings"] == SETTINGS.digest()
    assert provenance["hypnogram"] is True
    assert set(provenance["versions"]) == {"twitchsense", "numpy", "scipy", "pandas", "python"}


def test_summary_reports_clock_and_gaps():
    emg = recording(EMG, seconds=10)
    (first,) = emg.segments
    later = Segment(first.channel, 15_000_000_000, first.samples)
    last = Segment(first.channel, 25_500_000_000, first.samples)
    rec = Recording((EMG, ACC), (first, later, last))
    found = detections(emg1=emg_seconds(10), acc=acc_seconds(0))
    context = find_context(rec, found, SETTINGS)
    got = build_summary(rec, found, context, SETTINGS, hypnogram_given=False)
    assert got["clock"]["channels"]["emg1"] == {
        "fs": 1000.0, "fs_error": 0.0, "n_segments": 3, "n_gaps": 2, "lost_s": 5.5,
        "longest_gap_s": 5.0, "start_s": 0.0, "end_s": 35.5,
    }  # fmt: skip
    assert got["clock"]["channels"]["acc"]["n_segments"] == 0
    assert got["clock"]["channels"]["acc"]["start_s"] is None
    assert got["sleep_onset"] == {"time_s": None, "low_s": None, "high_s": None, "source": "none"}


def test_summary_tolerates_a_source_tree_that_was_never_installed(monkeypatch):
    def missing(name: str) -> str:
        raise summary_module.PackageNotFoundError(name)

    monkeypatch.setattr(summary_module, "version", missing)
    rec, found, context = two_hour_night()
    got = build_summary(rec, found, context, SETTINGS, hypnogram_given=True)
    assert got["provenance"]["versions"]["numpy"] == "unknown"


def test_trains_are_counted_with_the_number_of_robust_ones():
    rows = [lm(2000 + 30 * k) for k in range(4)] + [lm(4000 + 30 * k) for k in range(6)]
    got = summary(*rows)["trains"]["periodic_leg_movement_like"]
    assert got["trains"]["count"] == 2
    assert got["events"] == 10
    assert got["robust"] == 1


def robust(label, rows, **changes):
    """Return the number of trains of a label, and of robust ones, with other settings."""
    got = summary(*rows, settings=Settings(trains=TrainSettings(**changes)))["trains"][label]
    return got["trains"]["count"], got["robust"]


@pytest.mark.parametrize(("fewest", "is_robust"), [(4, 1), (5, 1), (6, 0)])
def test_a_robust_train_has_more_bursts_than_the_settings_require(fewest, is_robust):
    foot = [burst_row(t) for t in onsets(1.0, 6)]
    assert robust("hypnagogic_foot_tremor_like", foot, fast_least=fewest) == (1, is_robust)
    tremor = [burst_row(t, "twitch", 0.03) for t in onsets(2.5, 6)]
    changes = {"tremor_hz": (2.0, 3.0), "tremor_cycles": fewest}
    assert robust("tremor_like", tremor, **changes) == (1, is_robust)


@pytest.mark.parametrize(("step_s", "is_robust"), [(25, 1), (350, 0)])
def test_a_robust_cluster_of_jerks_has_more_than_its_own_window_requires(step_s, is_robust):
    # ten jerks: three within a minute would do, or exactly ten within an hour
    rows = [row(2000 + step_s * k, "jerk", 0.1, peak_g=0.6, grade="violent") for k in range(10)]
    assert robust("repetitive_violent_jerks", rows) == (1, is_robust)


def test_labels_are_counted_over_the_contexts_they_can_occur_in():
    got = summary(row(100, "twitch"), row(5000, "twitch"))["by_label"]
    assert got["fasciculation_like"]["hours"] == pytest.approx(15 / 60)
    assert got["rem_twitch"]["hours"] == pytest.approx(1)
    assert got["fragmentary_myoclonus_like"]["hours"] == pytest.approx(30 / 60)  # N2 after 10 min
    assert got["hypnagogic_twitch"]["hours"] == pytest.approx(15 / 60)
    assert got["voluntary_or_unclassified"]["hours"] == pytest.approx(2)
    blind = summary(stages=None, emg1=emg_seconds(7200), acc=acc_seconds(7200))["by_label"]
    assert blind["rem_twitch"]["rate_per_h"] is None  # no stage, no rate


def test_summaries_survive_a_json_round_trip():
    movements = [lm(1000 + 30 * k) for k in range(10)]
    breaths = pd.DataFrame({"onset": [2045.0], "duration": [14.0]})
    for got in (summary(*movements, respiratory=breaths), summary(), summary(stages=None)):
        assert json.loads(json.dumps(got, allow_nan=False)) == got
