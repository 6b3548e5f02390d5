"""What a notebook shows of the objects of the public API: short, and with the main numbers."""

from __future__ import annotations

import pandas as pd
import pytest

import twitchsense as ts
from tests.trend.builders import evening, write_night


def test_objects_are_shown_in_one_short_line(night, tmp_path):
    movements = pd.DataFrame({"onset": [5.0, 30, 55, 80], "duration": 1.0, "leg": "left"})
    objects = {
        "recording": (night.recording, "emg1 1000 Hz"),
        "agreement": (night.agreement(night.events), "sensitivity 1, precision 1, f1 1"),
        "night": (night, f"{len(night.events)} events"),
        "saved": (ts.open_result(night.save(tmp_path, report=False)), "events"),
        "detections": (night.detections, "rejected"),
        "hypnogram": (ts.analyze(night.recording, hypnogram=["W", "N2"] * 16).context.hypnogram,
                      "2 epochs"),
        "limb": (ts.score_limb(movements), "n_plm 4"),
        "settings": (ts.load_settings(write_toml(tmp_path), ts.get_profile("aasm-2026")),
                     "<Settings: twitch.min_uv=55.0, limb.rules='aasm', zone='UTC'>"),
        "default": (ts.Settings(), "<Settings: all defaults>"),
    }  # fmt: skip
    for thing, text in objects.values():
        assert text in repr(thing)
        assert len(repr(thing)) < 200
        assert repr(thing).startswith(f"<{type(thing).__name__}")
        assert str(thing) == repr(thing)


def write_toml(folder):
    path = folder / "my.toml"
    path.write_text("zone = 'UTC'\n[twitch]\nmin_uv = 55.0\n")
    return path


def test_weeks_are_shown_by_their_dates(tmp_path):
    for day in (1, 2):
        write_night(tmp_path, str(day), evening(day))
    weeks = ts.read_weeks([tmp_path / "1", tmp_path / "2"])
    assert repr(weeks).startswith("<Weeks: 2 nights, 20")
    assert repr(weeks).endswith("; 0 comparisons>")


def test_a_notebook_shows_quality_sleep_onset_and_counts(night, tmp_path):
    html = night._repr_html_()
    assert f"{len(night.events)} events" in html
    assert html.count("<tr") - 2 == night.events["label"].nunique()
    assert "sleep" in html
    assert ts.open_result(night.save(tmp_path, report=False))._repr_html_() == html


def test_a_file_name_is_escaped_in_a_notebook():
    recording = ts.read(pd.DataFrame({"emg1_uv": [0.0, 1.0] * 5000}), fs=1000)
    object.__setattr__(recording, "source", "<script>.csv")
    night = ts.analyze(recording)
    assert "<script>" not in night._repr_html_()
    assert "&lt;script&gt;.csv" in night._repr_html_()


def test_events_alone_have_labels_of_time(night):
    ax = pytest.importorskip("twitchsense.plot").plot_events(night)
    assert "clock time" in ax.get_xlabel() or "from the start" in ax.get_xlabel()
