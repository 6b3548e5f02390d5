"""Text from outside is shown as text, wherever it comes in and wherever it is shown.

Channel names, file names, markers and diaries with script tags, spreadsheet formulas,
bidirectional control characters, terminal escape codes, and of excessive length. How a
browser shows the report is tested in `tests/browser`, the live view in `tests/live`.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.html_tags import TagCollector
from tests.nightfile.builders import write_night as write_night_file
from tests.recordings import make_recording, write_captures
from tests.trend.builders import evening, write_night
from twitchsense.acquire.adapter import Adapter, Advertisement
from twitchsense.acquire.status import SessionStatus
from twitchsense.cli.app import main
from twitchsense.cli.options import PrintableFormatter
from twitchsense.cli.record_status import format_status
from twitchsense.devices.v1.v1_driver import V1Driver
from twitchsense.errors import InputError
from twitchsense.io.bids.bids_names import read_sidecar_table
from twitchsense.io.bids.bids_write import write_tsv
from twitchsense.io.tables.unit_columns import split_units
from twitchsense.io.text.csv_head import split_fields
from twitchsense.model.event_table import EVENT_COLUMNS
from twitchsense.nightfile.records import Marker
from twitchsense.nightfile.writer import NightFileWriter
from twitchsense.report.page import render_report
from twitchsense.report.trend_page import render_weeks
from twitchsense.results import save
from twitchsense.results.save import save_weeks
from twitchsense.scoring.annotations import to_bids
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.text import printable

TAG = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
FORMULA = "=cmd|' /C calc'!A0"
TURNED = "\u202egnp.exe\u2066"
ENDLESS = "A" * 10_000_000


def read_page(page, scripts):
    tags = TagCollector()
    tags.feed(page)
    assert tags.seen.count("script") == scripts
    assert all(c not in page for c in TURNED if not c.isprintable())
    assert len(page) < 6_000_000
    return " ".join(tags.text)


# ---- channel names ---------------------------------------------------------------------


@pytest.mark.parametrize("text", [TAG, FORMULA, TURNED, "\x1b[31m"])
def test_a_channel_name_is_a_plain_word(text):
    with pytest.raises(InputError) as caught:
        ts.Recording.from_arrays({f"emg{text}_uv": (np.zeros(1000), 1000.0)})
    assert str(caught.value).isprintable()


def test_an_endless_channel_name_is_refused_in_one_short_line(tmp_path):
    path = tmp_path / "night.csv"
    path.write_text(f"time_s,emg{ENDLESS}_uv\n0.000,1\n0.001,2\n")
    with pytest.raises(InputError) as caught:
        ts.read(path)
    assert len(str(caught.value)) < 700
    with pytest.raises(InputError, match="characters long"):
        ts.Recording.from_arrays({f"emg{ENDLESS}_uv": (np.zeros(1000), 1000.0)})


@pytest.mark.parametrize("part", ["(", "[", "acc", " (", "_"])
def test_a_column_name_of_repeated_parts_is_no_endless_search(tmp_path, part):
    """Patterns of names tried each beginning with each end: minutes for 100,000 characters."""
    name = part * (100_000 // len(part))
    assert split_units([f"{name} (s)"]) == ([f"{name} (s)"], [""])
    assert max(map(len, split_fields(f"time_s,{name}", ","))) <= 1000
    path = tmp_path / "night.csv"
    path.write_text(f"time_s,{name}\n0.000,1\n0.001,2\n")
    with pytest.raises(InputError) as caught:
        ts.read(path)
    assert len(str(caught.value)) < 700


def test_a_quoted_field_beyond_the_limit_of_the_csv_module_is_split(tmp_path):
    name = "A" * 200_000
    assert split_fields(f'time_s,"emg1_uv",{name}', ",")[::2] == ["time_s", name[:1000]]
    (tmp_path / "sub-1_emg.edf").touch()
    rows = f"name\tunits\nEMG1\tuV\n\nEMG2\t{name}\textra\nEMG3\n"
    (tmp_path / "sub-1_channels.tsv").write_text(rows)
    assert read_sidecar_table(tmp_path / "sub-1_emg.edf", "channels") == [
        {"name": "EMG1", "units": "uV"},
        {"name": "EMG2", "units": name},
        {"name": "EMG3", "units": ""},
    ]


# ---- file names ------------------------------------------------------------------------


@pytest.mark.slow  # analyses and renders a whole result
def test_a_file_name_is_text_in_report_summary_and_terminal(tmp_path):
    emg, acc = write_captures(make_recording(3, gap=False), tmp_path)
    evil = emg.rename(tmp_path / f"=cmd <script>alert(1)<{TURNED}[bold]x[/].csv".replace("/", "∕"))
    done = CliRunner().invoke(main, ["analyze", str(evil), str(acc), "--out", str(tmp_path / "o")])
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output
    text = read_page((tmp_path / "o" / "report.html").read_text(), scripts=3)
    assert "=cmd <script>alert(1)<" in text
    source = json.loads((tmp_path / "o" / "summary.json").read_text())["provenance"]["source"]
    assert "/" not in source
    assert evil.name in source


# ---- markers ---------------------------------------------------------------------------


def test_a_marker_is_text_in_the_notes_of_the_report(tmp_path):
    path = write_night_file(tmp_path / "n.night", 30)
    file = NightFileWriter(path)
    at = 1_790_000_000_000_000_000
    file.write([Marker(at + k, text) for k, text in enumerate((TAG, FORMULA, TURNED, ENDLESS))])
    file.close()
    recording = ts.read(path, zone="Europe/Berlin")
    markers = [n for n in recording.notes if n.startswith("marker at ")]
    assert len(markers) == 4
    assert all(n.isprintable() and len(n) < 230 for n in markers)
    assert markers[1].endswith(FORMULA)
    text = read_page(render_report(ts.analyze(recording)), scripts=3)
    assert TAG in text
    assert FORMULA in text


def test_very_many_markers_are_counted_not_listed(tmp_path):
    path = write_night_file(tmp_path / "n.night", 5)
    file = NightFileWriter(path)
    file.write([Marker(1_790_000_000_000_000_000 + k, f"m{k}") for k in range(60)])
    file.close()
    notes = ts.read(path).notes
    assert sum(n.startswith("marker at ") for n in notes) == 50
    assert "10 more markers are in the night file" in notes


# ---- hypnograms ------------------------------------------------------------------------

HYPNOGRAMS = {
    "table.csv": "onset,duration,stage\n0,30,W\n30,30,{}\n",
    "list.txt": "stage\nW\n{}\nN1\n",
}


@pytest.mark.parametrize("name", HYPNOGRAMS)
@pytest.mark.parametrize(
    "word", [TAG, FORMULA, TURNED, "[bold red]n2[/]", "n2\x1b[2J", "n" * 10**5]
)
def test_unknown_stage_is_quoted_in_one_printable_line(tmp_path, name, word):
    path = tmp_path / name
    path.write_text(HYPNOGRAMS[name].format(word))
    with pytest.raises(InputError, match="unknown stage") as caught:
        read_hypnogram(path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 1000
    if word.isprintable() and len(word) < 100:
        assert word in message


@pytest.mark.slow
def test_the_name_of_a_sleep_app_is_text(tmp_path):
    recording = make_recording(1, gap=False)
    began = datetime.fromtimestamp(recording.start_utc_ns // 10**9, UTC)
    record = (
        '<Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName={} startDate="{}" '
        'endDate="{}" value="HKCategoryValueSleepAnalysisAsleepCore"/>'
    )
    ends = [f"{began + timedelta(seconds=s):%Y-%m-%d %H:%M:%S} +0000" for s in (0, 60)]
    app = quoteattr("<b>=1" + TURNED + "A" * 10_000)
    path = tmp_path / "export.xml"
    path.write_text(f"<HealthData>{record.format(app, *ends)}</HealthData>")
    night = ts.analyze(recording, hypnogram=path)
    text = read_page(render_report(night), scripts=3)
    assert "stages of '<b>=1" in text
    assert "A" * 100 not in text


# ---- devices ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [TURNED, "[bold red]ts[/]", "ts\x1b[2J\x07\r\nts-0002  AA:BB"])
def test_the_name_of_a_device_is_text(monkeypatch, name):
    async def scan(radio, seconds, wanted=None, *, unknown=False):
        return [Advertisement("AA:BB", name, -60, None, V1Driver())]

    monkeypatch.setattr(Adapter, "scan", scan)
    done = CliRunner().invoke(main, ["devices"])
    assert done.exit_code == 0, done.output
    assert _is_one_line(done.stdout)
    assert done.stdout.startswith(printable(name, "?"))
    (row,) = json.loads(CliRunner().invoke(main, ["devices", "--json"]).stdout)
    assert row["name"] == name  # a program gets it as it is, in escapes


def test_device_errors_are_printed_without_control_characters():
    wrong = SessionStatus(last_error=f"\x1b[2J{TURNED}[bold]")
    message = format_status(f"AA{TURNED}", wrong, 3.0)
    assert message.isprintable()
    assert "[bold]" in message
    record = logging.LogRecord("t", logging.INFO, "", 0, "%s: lost", (f"\x1b[2J{TURNED}",), None)
    assert PrintableFormatter().format(record).isprintable()


# ---- diaries and the weeks -------------------------------------------------------------


@pytest.fixture
def weeks(tmp_path):
    columns = ["date", "@sum(1)", FORMULA, "note"]
    notes = (TAG, FORMULA, TURNED, "＝1+1", "\t=2", "A" * 100_000)
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(columns)
    for k in range(16):
        night = f"{k}-{TAG}".replace("/", "∕")
        write_night(tmp_path / "nights", night, evening(k), counts=(60 + k % 5, 8, 30))
        writer.writerow([evening(k), 24 * (k % 2), TAG, notes[k % len(notes)]])
    diary = tmp_path / "diary.csv"
    diary.write_text(rows.getvalue())
    return ts.read_weeks([tmp_path / "nights"], diary, ["@sum(1)"])


def test_a_diary_is_text_on_the_page(weeks):
    text = read_page(render_weeks(weeks), scripts=0)
    assert "@sum(1)" in text
    assert "<script>alert(1)<" in text  # the names of the nights


def test_the_tables_of_the_weeks_hold_no_formula(weeks, tmp_path):
    out = save_weeks(weeks, tmp_path / "out")
    for name in ("nights.csv", "associations.csv"):
        cells = [c for row in csv.reader(io.StringIO((out / name).read_text())) for c in row]
        words = [c for c in cells if not _is_number(c)]
        assert not [c[:20] for c in words if c[:1] in tuple("=+-@\t\r\n＝＋－＠")]
        assert any(c.startswith(("'=cmd", "'@sum")) for c in cells)  # they are there, defused


def test_an_endless_diary_is_refused_in_one_line(tmp_path):
    write_night(tmp_path, "a", evening(0))
    (tmp_path / "diary.csv").write_text(f"date,note\n2026-03-01,{ENDLESS}\n")
    done = CliRunner().invoke(
        main, ["trend", str(tmp_path / "a"), "--diary", str(tmp_path / "diary.csv"), "--json"]
    )
    assert done.exit_code == 2
    assert "the limit is 5 MB" in done.stderr
    assert done.stderr.count("\n") == 1


# ---- tables ----------------------------------------------------------------------------


def test_no_table_begins_a_formula_in_a_cell_or_a_header():
    table = pd.DataFrame({"=x": ["＝1", "\n=1", "-1", "a=1"], "n": [-1.0, 2, 3, 4]})
    rows = list(csv.reader(io.StringIO(save.to_csv(table))))
    assert rows[0] == ["'=x", "n"]
    assert [row[0] for row in rows[1:]] == ["'＝1", "'\n=1", "'-1", "a=1"]
    assert rows[1][1] == "-1.000000"  # a number stays one


@pytest.mark.parametrize("text", [FORMULA, "+1+1", "-2", "@sum(1)", "＝1", "\t=1"])
def test_no_bids_table_begins_a_formula(text, tmp_path):
    events = pd.DataFrame({c.name: [0.0, 1.0] for c in EVENT_COLUMNS})
    events = events.assign(evidence=[text, "fine"], number=[-1, -2])
    table, _ = to_bids(events.assign(**{text: "x"}))
    cells = [*table.columns, *table["evidence"]]
    assert table["evidence"].tolist() == ["'" + text.strip(), "fine"]
    assert not [c for c in cells if c.startswith(tuple("=+-@＝"))]
    assert table["number"].tolist() == ["-1", "-2"]  # a number stays one
    made = write_tsv(tmp_path / "channels.tsv", ["name"], [[text.strip()]])
    assert made.read_text() == f"name\n'{text.strip()}\n"


def _is_one_line(message):
    return message.endswith("\n") and message[:-1].isprintable() and len(message) < 1500


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
