"""The tables of the report."""

from __future__ import annotations

from dataclasses import replace

import twitchsense as ts
from tests.recordings import make_recording
from tests.report.builders import make_quiet_night
from twitchsense.report import summary_sentences, tables


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
