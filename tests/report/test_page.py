"""The HTML page of a report."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib import rc_context

import twitchsense as ts
from tests.recordings import make_recording
from tests.report.builders import make_own_nights
from twitchsense.model.channels import NS, ArraySamples, Segment
from twitchsense.model.notes import Note
from twitchsense.report import page_data, static_text, tables
from twitchsense.report.event_windows import rank_by_strength
from twitchsense.report.page import render_report, script_hash


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


def test_page_is_one_file_that_needs_no_network(page):
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


def test_of_very_many_events_the_strongest_are_described_and_all_are_drawn(night, monkeypatch):
    """A week with 42,000 events had a report of 8.5 MB."""
    monkeypatch.setattr(page_data, "MAX_DESCRIBED", 6)
    data = json.loads(page_data.build_page_data(night, [])["json"])
    rows = data["events"]
    assert len(rows) == len(night.events) > 12
    described = [i for i, row in enumerate(rows) if len(row) > 2]
    assert described == sorted(rank_by_strength(night.events)[:6])
    assert {len(row) for row in rows} == {2, 8}
    captions = {data["strings"][rows[i][2]] for i in described}
    assert len(captions) == 6
    kinds = [data["kinds"][kind][0] for kind, *_ in rows]
    assert kinds == night.events["trial_type"].tolist()


@pytest.mark.slow  # renders a page of its own
def test_the_page_says_how_many_events_are_marks_only(night, page, monkeypatch):
    monkeypatch.setattr("twitchsense.report.page.MAX_DESCRIBED", 10)
    text = f"Of the other {len(night.events) - 10:,} only the mark is drawn"
    assert text in render_report(night, [])
    assert "only the mark is drawn" not in page


def test_few_sentences_are_long(page):
    text = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S)
    blocks = re.findall(r"<(p|li|dd|td|figcaption)\b[^>]*>(.*?)</\1>", text, re.S)
    plain = [" ".join(unescape(re.sub("<[^>]+>", "", block)).split()) for _, block in blocks]
    found = [s for block in plain for s in re.split(r"(?<=[.!?:]) (?=[A-Z“])", block)]
    words = [sum(re.search(r"\w", word) is not None for word in s.split()) for s in found]
    long = [s for s, n in zip(found, words, strict=True) if n > 30]
    assert len(long) < 0.05 * sum(n > 3 for n in words), long


def test_figures_contain_no_script_and_no_external_reference(page):
    found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    assert len(found) > 8
    for one in found:
        svg = base64.b64decode(one).decode()
        assert "<script" not in svg
        assert not re.search(r'href="(?!#|data:)', svg)


def test_figures_have_alt_texts_tables_captions_and_links_targets(page):
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


@pytest.fixture(scope="module")
def hostile_page(night):
    evil = '<script>alert(1)</script>"onload="x'
    path = "/home/someone/secret place/acc.csv"
    left_out = Note("unread", f"{path}: left out: X", "name the column with its unit")
    notes = (evil, "<img src=http://x>", left_out)
    source = f"/home/someone/secret/{evil}.csv"
    recording = replace(night.recording, source=source, notes=notes)
    return render_report(
        replace(night, recording=recording),
        words="after <b>running</b>",
        own_nights=make_own_nights(6, 2.0),
    )


@pytest.mark.slow  # renders a page of its own
def test_markup_in_file_names_notes_and_words_is_escaped(hostile_page):
    assert outline(hostile_page).tags.count("script") == 3
    assert "<script>alert" not in hostile_page
    assert "&lt;img src=http://x&gt;" in hostile_page
    assert "“after &lt;b&gt;running&lt;/b&gt;”" in hostile_page


@pytest.mark.slow
def test_page_shows_file_names_without_their_directories(hostile_page):
    for part in ("/home", "someone", "secret"):
        assert part not in hostile_page
    assert "<li>acc.csv: left out: X</li>" in hostile_page


@pytest.mark.slow
def test_note_that_changes_the_result_stands_on_the_first_screen(hostile_page):
    first_screen = hostile_page[: hostile_page.index('id="overview"')]
    assert "acc.csv: left out: X; name the column with its unit" in first_screen
    assert "may change all of this" in first_screen
    assert "give a hypnogram" in first_screen


@pytest.mark.slow
def test_page_compares_with_published_ranges_and_own_nights(hostile_page):
    text = re.sub("</?span[^>]*>", "", hostile_page)
    assert "doi:10.5665/sleep.3586" in text
    assert "your 6 other nights: 2.0–7.0 per h" in text


def test_page_has_the_disclaimer_and_signs_for_a_doctor_and_no_diagnosis(page):
    text = re.sub(r"\s+", " ", page)
    assert "not intended to diagnose, treat, cure, monitor or prevent any disease" in text
    for sign in static_text.CLINICIAN:
        assert sign in text
    for never in ("abnormal", "ALS", "you have", "risk"):
        assert never not in re.sub(r"base64,[^\"]+|night-block\">[^<]+", "", page)


def test_grades_are_called_strong_and_the_urgent_signs_use_words_of_their_own(night, page):
    text = re.sub(r"(?s)<(script|style|code)\b.*?</\1>|<[^>]+>", " ", page)
    assert "violent" not in text
    assert "<dt>strong <code>violent</code></dt>" in page
    assert "jerking of the body with loss of awareness, or a new paralysis." in text
    assert set(night.events["grade"]) <= {"", "mild", "moderate", "violent"}  # as in the files


@pytest.mark.slow
def test_rendering_twice_gives_the_same_page_whatever_the_matplotlibrc(night, page):
    odd = {"font.size": 22, "lines.linewidth": 9, "axes.facecolor": "pink", "svg.fonttype": "path"}
    with rc_context(odd):
        assert render_report(night) == page


def test_night_without_events_reports_zero_counts_in_valid_time():
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
    assert '<span>0 <small class="unbroken">0<' in page


def test_night_without_valid_signal_reports_no_counts():
    recording = ts.Recording.from_arrays({"emg1_uv": (np.zeros(120_000), 1000.0)})
    night = ts.analyze(recording)
    page = render_report(night)
    outline(page)
    assert "there was no valid signal" in page
    assert "none of the muscle signal (EMG) could be evaluated" in page
    assert "the rest of the time" not in page
    rows = tables.rate_table(night, night.summary_dict())["rows"]
    assert {cell["count"] for row in rows for cell in row["cells"]} == {"no valid signal"}


@pytest.mark.slow
def test_missing_time_between_segments_is_listed_as_a_gap():
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
