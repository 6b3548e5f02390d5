"""`analyze` and `Night`."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import twitchsense as ts
from tests.recordings import make_recording
from twitchsense.errors import InputError
from twitchsense.model.event_table import CONTEXTS, EVENT_COLUMNS, LABELS, REJECTED_COLUMNS


def test_events_are_tagged_and_labelled(night):
    events = night.events
    assert list(events.columns) == [c.name for c in EVENT_COLUMNS]
    assert events["onset"].is_monotonic_increasing
    assert set(events["label"]) <= set(LABELS)
    assert set(events["context"]) <= set(CONTEXTS)
    assert {"twitch", "jerk", "movement"} <= set(events["trial_type"])
    assert list(night.rejected.columns) == [c.name for c in REJECTED_COLUMNS]
    assert "night.csv" in repr(night)


def test_summary_has_counts_rates_and_intervals(night):
    table = night.summary(by=("label", "context"))
    assert list(table.columns) == [
        "label",
        "context",
        "count",
        "hours",
        "rate_per_h",
        "low",
        "high",
    ]
    assert table["count"].sum() == len(night.events)


def test_agreement_with_itself_is_perfect(night):
    assert (night.agreement(night.events).table()["f1"] == 1).all()


def test_agreement_takes_words_of_a_scorer_in_files_and_tables(night, tmp_path):
    path = tmp_path / "mine.csv"
    table = night.events[["onset", "duration", "trial_type"]]
    table = table.replace({"trial_type": {"twitch": "Zuckung"}})
    table.to_csv(path, index=False)
    for truth in (path, table):
        found = night.agreement(truth, kinds={"zuckung": "twitch"})
        assert (found.table()["f1"] == 1).all()
        with pytest.raises(ts.InputError, match="the argument kinds: no row has the word 'LM'"):
            night.agreement(truth, kinds={"LM": "movement"})


def test_local_times_of_a_scorer_are_placed_by_the_zone_that_the_message_asks_for(night, tmp_path):
    path = tmp_path / "mine.csv"
    zero = pd.Timestamp("2026-03-01T22:30:00")
    times = (zero + pd.to_timedelta(night.events["onset"], unit="s")).dt.strftime("%FT%T.%f")
    night.events[["duration", "trial_type"]].assign(onset=times).to_csv(path, index=False)
    at_utc = round(zero.tz_localize("Europe/Berlin").timestamp() * 1e9)
    unzoned = replace(night, recording=replace(night.recording, start_utc_ns=at_utc, zone=None))
    with pytest.raises(InputError, match="such as zone='Europe/Berlin'"):
        unzoned.agreement(path)
    assert (unzoned.agreement(path, zone="Europe/Berlin").table()["f1"] == 1).all()
    with pytest.raises(InputError, match="the argument zone: no such time zone as 'Mars'"):
        unzoned.agreement(path, zone="Mars")


def test_events_are_scored_by_the_leg_movement_rules_as_in_the_summary(night):
    expected = night.summary_dict()["leg_movements"]["rules"]["wasm2016"]
    for events in (night.events, ts.to_categories(night.events)):
        limb = ts.score_limb(events)
        assert limb.indices["n_lm"] == expected["n_lm"] > 0
        assert limb.indices["n_plm"] == expected["n_plm"]
        assert any("events are leg movements" in note for note in limb.notes)


def test_progress_callback_reaches_the_total():
    seen = []
    ts.analyze(
        make_recording(2, gap=False), progress=lambda done, total: seen.append((done, total))
    )
    done = [d for d, _ in seen]
    assert max(done) == pytest.approx(120)
    assert {t for _, t in seen} == {120.0}


def test_hypnogram_may_be_a_table_a_path_or_a_hypnogram(tmp_path):
    from twitchsense.sleep.hypnogram.read import read_hypnogram

    recording = make_recording(4, gap=False)
    stages = ["W", "W", "N1", "N2", "N2", "N3", "N3", "R"]
    table = pd.DataFrame({"onset": np.arange(8) * 30.0, "duration": 30.0, "stage": stages})
    path = tmp_path / "stages.csv"
    table.to_csv(path, index=False)
    nights = [ts.analyze(recording, hypnogram=h) for h in (table, path, read_hypnogram(path))]
    for night in nights:
        assert night.onset.time_s == 60.0
        pd.testing.assert_frame_equal(night.events, nights[0].events)
    assert nights[0].summary_dict()["provenance"]["hypnogram"] is True


def test_results_do_not_depend_on_the_chunk_length(night, monkeypatch):
    """However the recording is cut, the answers are equal, not close."""
    whole = ts.Recording.chunks
    monkeypatch.setattr(ts.Recording, "chunks", lambda self: whole(self, 7.3))
    again = ts.analyze(make_recording(16))
    pd.testing.assert_frame_equal(again.events, night.events, check_exact=True)
    pd.testing.assert_frame_equal(again.rejected, night.rejected, check_exact=True)
    pd.testing.assert_frame_equal(again.epochs, night.epochs, check_exact=True)
    assert again.onset == night.onset
    assert again.summary_dict() == night.summary_dict()


def test_respiratory_events_may_be_a_table_or_a_path(tmp_path):
    recording = make_recording(6, gap=False)
    table = pd.DataFrame({"onset": [190.0], "duration": [12.0]})
    table.to_csv(tmp_path / "breaths.csv", index=False)
    given = (None, table, tmp_path / "breaths.csv")
    nights = [ts.analyze(recording, respiratory=r) for r in given]
    blocks = [n.summary_dict()["leg_movements"] for n in nights]
    assert blocks[1] == blocks[2]
    assert [b["respiratory_events_given"] for b in blocks] == [False, True, True]
    assert blocks[1]["rules"]["wasm2016"]["n_clmr"] == 1  # the movement at 200 s


def test_events_go_to_bids_and_mne(night):
    table, sidecar = night.to_bids()
    assert len(table) == len(night.events)
    assert list(sidecar)[:3] == ["onset", "duration", "trial_type"]
    pytest.importorskip("mne")
    assert len(night.to_annotations()) == len(night.events)


def test_a_recording_without_samples_is_refused():
    with pytest.raises(InputError, match="holds no samples"):
        ts.analyze(ts.Recording((), ()))


def test_plot_average_draws_on_the_axes_given(night):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert night.plot_average("twitch", ax=ax) is ax
    assert isinstance(night.plot_average("posture_change"), Axes)
    with pytest.raises(InputError, match="'twitches' is not a kind of event; use one of: twitch, "):
        night.plot_average("twitches")


@pytest.mark.parametrize(
    ("sensors", "unseen", "seen"),
    [
        ({"emg": False}, ("twitch", "brief_contraction"), ("jerk", "movement", "posture_change")),
        ({"acc": False}, ("jerk", "posture_change"), ("twitch", "movement")),
    ],
)
def test_kinds_without_a_suitable_sensor_have_no_rate(sensors, unseen, seen):
    import twitchsense as ts
    from tests.signals import SimulatedLeg

    night = ts.analyze(SimulatedLeg(90).recording(**sensors))
    table = night.summary_dict()["by_kind"]
    assert all(table[kind]["rate_per_h"] is None for kind in unseen)
    assert all(table[kind]["rate_per_h"] is not None for kind in seen)
