import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.text import Text

import twitchsense as ts
from tests.recordings import make_recording
from twitchsense.model.channels import NS, ArraySamples, Segment
from twitchsense.report import page_data, static_text, summary_sentences, tables
from twitchsense.report.night_intervals import artifact_minutes
from twitchsense.report.overview import plot_night
from twitchsense.report.page import render_report, script_hash
from twitchsense.report.time_labels import WallClock


@pytest.fixture(scope="module")
def night():
    return ts.analyze(make_recording(40))


@pytest.fixture(scope="module")
def page(night):
    return render_report(night)


class Outline(HTMLParser):
    """Collects tags and ids, and checks that tags close in order."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(page):
    parser = Outline()
    parser.feed(page)
    assert parser.open == []
    return parser


def test_is_one_file_that_needs_no_network(page):
    parser = outline(page)
    assert "link" not in parser.tags
    for tag, attributes in parser.attributes:
        for name in ("src", "href", "srcset", "action", "background"):
            if name in attributes:
                assert attributes[name].startswith(("data:image/", "#")), (tag, name)
        assert not any(name.startswith("on") for name in attributes)
    # two blocks of data, and our own script, which the policy knows by its hash
    assert parser.tags.count("script") == 3
    script = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert f"script-src &#39;sha256-{script_hash(script)}&#39;" in policy or (
        f"script-src 'sha256-{script_hash(script)}'" in policy
    )
    for way_out in ("fetch(", "XMLHttpRequest", "WebSocket", "import(", "eval(", "innerHTML"):
        assert way_out not in script
    assert "url(" not in page
    assert "@import" not in page
    assert len(page) < 3_000_000


def test_pictures_hold_no_script_and_no_outside_reference(page):
    found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    assert len(found) > 8
    for one in found:
        svg = base64.b64decode(one).decode()
        assert "<script" not in svg
        assert not re.search(r'href="(?!#|data:)', svg)


def test_every_picture_and_table_speaks(page):
    parser = outline(page)
    for tag, attributes in parser.attributes:
        if tag == "img":
            assert len(attributes["alt"]) > 20
    assert parser.tags.count("caption") == parser.tags.count("table")
    assert parser.tags.count("h1") == 1
    ids = {a["id"] for _, a in parser.attributes if "id" in a}
    for _, attributes in parser.attributes:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids


def test_hostile_names_are_text(night):
    evil = '<script>alert(1)</script>"onload="x'
    recording = replace(night.recording, source=f"{evil}.csv", notes=(evil, "<img src=http://x>"))
    page = render_report(replace(night, recording=recording))
    assert outline(page).tags.count("script") == 3
    assert "<script>alert" not in page
    assert "&lt;img src=http://x&gt;" in page


def test_holds_no_path_of_the_machine(night):
    recording = replace(night.recording, source="/home/someone/secret/night.csv")
    page = render_report(replace(night, recording=recording))
    assert "/home" not in page
    assert "night.csv" in page


def test_says_what_must_always_be_said(page):
    text = re.sub(r"\s+", " ", page)
    assert "not intended to diagnose, treat, cure, monitor or prevent any disease" in text
    for sign in static_text.CLINICIAN:
        assert sign in text
    for never in ("abnormal", "ALS", "you have", "risk"):
        assert never not in re.sub(r"base64,[^\"]+|night-block\">[^<]+", "", page)


def test_same_input_same_report(night, page):
    assert render_report(night) == page


def test_a_night_without_events_is_no_verdict():
    rng = np.random.default_rng(3)
    recording = ts.Recording.from_arrays(
        {
            "emg1_uv": (rng.normal(0, 4, 300_000), 1000.0),
            "acc_x_g": (rng.normal(1, 0.002, 30_000), 100.0),
        }
    )
    night = ts.analyze(recording)
    assert night.events.empty
    page = render_report(night)
    outline(page)
    assert "No twitch, jerk or leg movement was found in the valid signal" in page
    assert "0 in 5 min" in page


def made(seconds, emg_s, *, acc=True):
    """Make quiet signals: so many seconds in all, and of EMG at their start."""
    rng = np.random.default_rng(5)
    signals = {"emg1_uv": (rng.normal(0, 4, emg_s * 1000), 1000.0)} if emg_s else {}
    if acc:
        signals["acc_x_g"] = (rng.normal(1, 0.002, seconds * 100), 100.0)
    return ts.analyze(ts.Recording.from_arrays(signals))


@pytest.mark.parametrize(
    ("emg_s", "word", "says"),
    [
        (120, "Yes", "acceleration could both be judged nearly all the time."),
        (105, "Mostly", "judged for 105 s of it and acceleration could be judged nearly all"),
        (60, "In part", "judged for 60 s of it"),
        (0, "In part", "no muscle signal (EMG) was recorded"),
    ],
)
def test_first_answer_says_whether_the_recording_was_good(emg_s, word, says, monkeypatch):
    monkeypatch.setattr(summary_sentences, "MIN_VALID_HOURS", 0.0)
    question, answer = summary_sentences.summary_answers(made(120, emg_s))[0]
    assert question == "Was the recording good?"
    assert answer.startswith(f"{word}. ")
    assert says.replace("105 s", "2 min") in answer
    assert ("Nothing is known" in answer) == (0 < emg_s < 120)


def test_two_minutes_are_no_night():
    (_, good), *_ = summary_sentences.summary_answers(made(120, 120))
    assert good.startswith("Too short to judge a night. The recording lasted 2 min: ")
    assert good.endswith("A night needs at least 2 h, ideally all of the sleep.")


def test_a_leg_that_lay_still_from_the_start_has_no_sharp_sleep_onset():
    night = made(600, 600)
    assert night.onset.time_s == 0
    assert "any time until 0:" in summary_sentences.sleep_onset_sentence(night)
    told = page_data.build_page_data(night, [])["json"]
    assert "asleep by 0:10, perhaps from the start" in told
    assert "sleep onset" not in told
    drawn = drawn_words(plot_night(night))
    assert "asleep by 0:10, perhaps from the start" in drawn
    assert not [w for w in drawn if "sleep onset" in w]


def test_picture_and_words_tell_the_same_range_of_sleep_onset(night):
    low, high = (
        WallClock.of(night.recording).format_minute(t)
        for t in (night.onset.low_s, night.onset.high_s)
    )
    assert f"between {low} and {high}," in summary_sentences.sleep_onset_sentence(night)
    [mark] = [w for w in drawn_words(plot_night(night)) if "sleep onset" in w]
    assert mark.endswith(f"({low}–{high})")
    assert json.loads(page_data.build_page_data(night, [])["json"])["onset"]["label"] == mark


def drawn_words(ax):
    return [t.get_text() for t in ax.figure.findobj(Text)]


def test_no_event_in_a_night_seen_whole_is_not_called_unseen():
    assert "saw nearly all of it" in summary_sentences.confidence_sentences(made(120, 120))
    assert (
        "nothing is known about the time without valid signal"
        in summary_sentences.confidence_sentences(made(120, 60))
    )
    assert (
        "nothing is known about the time without valid signal"
        in summary_sentences.confidence_sentences(made(120, 0))
    )


def test_a_minute_of_many_spikes_is_called_disturbed_and_seen():
    rng = np.random.default_rng(6)
    emg = rng.normal(0, 4, 300_000)
    emg[120_000:180_000:3000] += 900  # spikes of one sample: a loose electrode
    acc = rng.normal(1, 0.002, 30_000)
    night = ts.analyze(
        ts.Recording.from_arrays({"emg1_uv": (emg, 1000.0), "acc_x_g": (acc, 100.0)})
    )
    assert (night.rejected["reason"] == "electrode_pop").sum() >= 6
    assert artifact_minutes(night) == [(120.0, 60.0)]
    assert "60 s of it had many artefacts" in summary_sentences.valid_time_sentences(night)
    assert "disturbed" in drawn_words(plot_night(night))
    assert json.loads(page_data.build_page_data(night, [])["json"])["artifact_minutes"] == [
        [120.0, 60.0]
    ]
    assert artifact_minutes(made(120, 120)) == []


def test_unsure_names_are_told_from_unsure_events(night):
    table = night.events.head(4).assign(
        confidence=[0.9, 0.4, 0.4, 0.4], alternatives=["", "sleep_start:0.50", "leg_movement", ""]
    )
    said = summary_sentences.confidence_sentences(
        replace(night, detections=replace(night.detections, events=table))
    )
    assert said.startswith("1 of the 4 events met the rule clearly")
    assert "for 1 other only the name is uncertain" in said


def test_counts_add_up_and_sides_are_told(night):
    kinds = ["twitch", "jerk", "movement", "posture_change", "brief_contraction"]
    table = night.events.head(5).assign(trial_type=kinds, leg=["left", "right", "left", "", ""])
    said = summary_sentences.events_sentences(
        replace(night, detections=replace(night.detections, events=table))
    )
    assert said.startswith(
        "1 twitch, 1 jerk and 1 leg movement were found besides "
        "1 brief contraction and 1 change of position (2 on the left leg, 1 on the right)"
    )


def test_a_context_that_never_came_has_no_column():
    still = made(600, 600)
    assert "awake" not in tables.rate_table(still, still.summary_dict())["columns"]


def test_no_signal_is_not_zero():
    recording = ts.Recording.from_arrays({"emg1_uv": (np.zeros(120_000), 1000.0)})
    night = ts.analyze(recording)
    page = render_report(night)
    outline(page)
    assert "there was no valid signal" in page
    assert "none of the muscle signal (EMG) could be judged" in page
    rows = tables.rate_table(night, night.summary_dict())["rows"]
    assert {cell["count"] for row in rows for cell in row["cells"]} == {"no valid signal"}


def test_without_emg_twitches_are_not_counted_as_none():
    whole = make_recording(8, gap=False)
    acc = replace(whole, channels=whole.channels[1:], segments=whole.segments_of("acc"))
    night = ts.analyze(acc)
    assert "can't be seen without muscle signal" in summary_sentences.events_sentences(night)
    rows = tables.rate_table(night, night.summary_dict())["rows"]
    assert rows[0]["name"] == "Twitches"
    assert {cell["count"] for cell in rows[0]["cells"]} == {"no EMG"}


def test_hours_of_silence_between_segments_are_shown_as_gaps():
    rng = np.random.default_rng(4)
    recording = make_recording(4, gap=False)
    late = tuple(
        Segment(channel, 3600 * NS, ArraySamples(noise.astype(np.float32)))
        for channel, noise in (
            ("emg1", rng.normal(0, 4, (60_000, 1))),
            ("acc", rng.normal(0, 0.002, (6_000, 3))),
        )
    )
    order = {c.name: i for i, c in enumerate(recording.channels)}
    segments = sorted((*recording.segments, *late), key=lambda s: (order[s.channel], s.start_ns))
    night = ts.analyze(replace(recording, segments=tuple(segments)))
    assert [row["gaps"] for row in tables.channel_table(night, night.summary_dict())] == [
        "1 (56 min)",
        "1 (56 min)",
    ]
    outline(render_report(night))
