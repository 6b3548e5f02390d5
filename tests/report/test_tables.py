"""The tables of the report."""

from __future__ import annotations

from dataclasses import replace

import twitchsense as ts
from tests.recordings import make_recording
from tests.report.builders import make_quiet_night
from twitchsense.model.event_table import LABELS
from twitchsense.report import static_text, summary_sentences, tables
from twitchsense.report.palette import label_name
from twitchsense.report.reference_ranges import compare_with_published
from twitchsense.settings import Settings, get_profile


def test_context_that_did_not_occur_has_no_column():
    still = make_quiet_night(600, 600)
    assert "awake" not in tables.rate_table(still, still.summary_dict())["columns"]


def test_without_emg_the_twitch_row_says_no_emg():
    whole = make_recording(8, gap=False)
    acc = replace(whole, channels=whole.channels[1:], segments=whole.segments_of("acc"))
    night = ts.analyze(acc)
    assert "cannot be detected without a muscle signal" in summary_sentences.events_sentences(night)
    rows = tables.rate_table(night, night.summary_dict())["rows"]
    assert rows[0]["name"] == "Twitches"
    assert {cell["count"] for cell in rows[0]["cells"]} == {"no EMG"}


def test_without_acceleration_no_jerk_is_counted():
    whole = make_recording(8, gap=False)
    emg = replace(whole, channels=whole.channels[:1], segments=whole.segments_of("emg1"))
    night = ts.analyze(emg)
    assert "Jerks cannot be detected without" in summary_sentences.events_sentences(night)
    assert "jerk," not in summary_sentences.events_sentences(night)
    values = {c.name: c.value for c in compare_with_published(night, night.summary_dict())}
    assert values["Other jerks"] == "needs acceleration"


def test_the_valid_share_counts_gaps_as_not_valid():
    night = make_quiet_night(120, 120)
    summary = night.summary_dict()
    clock = summary["clock"]["channels"]["emg1"]
    assert tables.channel_table(night, summary)[0]["valid"] == "100.0 %"
    clock["end_s"], clock["lost_s"] = clock["end_s"] + 30, 30.0
    assert tables.channel_table(night, summary)[0]["valid"] == "80.0 %"
    clock["end_s"], clock["lost_s"] = clock["end_s"] - 29.99, 0.01
    assert tables.channel_table(night, summary)[0]["valid"] == "over 99.9 %"


def test_settings_are_given_as_profile_and_differences():
    assert tables.describe_settings(Settings()) == "profile default-2026 (the default)"
    assert tables.describe_settings(get_profile("aasm-2026")) == "profile aasm-2026"
    changed = Settings.model_validate({"twitch": {"min_uv": 30.0}, "legs": {"emg1": "left"}})
    assert tables.describe_settings(changed) == (
        "profile default-2026 (the default), but twitch.min_uv = 30.0, legs.emg1 = left"
    )


def test_glossary_uses_the_names_of_the_page():
    groups = {group["title"]: group["entries"] for group in static_text.glossary(Settings())}
    names = {e["code"]: e["name"] for entries in groups.values() for e in entries}
    assert names["alma_like"] == label_name("alma_like")
    assert names["gross_movement"] == label_name("gross_movement") == "large movement"
    assert names["plms_index"] == "PLMS index"
    for label in LABELS:
        assert "_" not in names[label]
