"""The sheet for a doctor's visit, and the command that makes it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from tests.trend.builders import evening
from tests.trend.builders import write_night as write_summary
from twitchsense.cli.app import main
from twitchsense.report import visit_sheet
from twitchsense.report.visit_sheet import render_visit

DAY_NS = 86_400_000_000_000


@pytest.fixture(scope="module")
def result(night, tmp_path_factory):
    return night.save(tmp_path_factory.mktemp("visit") / "n", report=False)


def shifted(night, days):
    start = night.recording.start_utc_ns + days * DAY_NS
    return replace(night, recording=replace(night.recording, start_utc_ns=start))


def text_of(page):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", "", re.sub(r"base64,[^\"]+", "", page)))


def test_sheet_of_one_night_has_rates_bursts_and_limits(result):
    run = CliRunner().invoke(main, ["report", str(result), "--for-visit", "--words", "calf <b>"])
    assert run.exit_code == 0, run.output
    page = (result / "visit.html").read_text()
    text = text_of(page)
    assert "“calf &lt;b&gt;”" in text
    assert "PLMS index" in text
    assert "95&nbsp;% intervals" in text
    assert "What can’t be told" in text
    assert "no EEG was recorded" in text
    assert "doi:10.5665/sleep.3586" in text
    assert len(re.findall("data:image/svg", page)) == 5  # the night and four bursts
    assert "<script" not in page
    assert not (result / "report.html").exists()


@pytest.mark.slow
def test_sheet_of_several_nights_has_a_row_for_each_of_the_last(night, monkeypatch):
    monkeypatch.setattr(visit_sheet, "MAX_NIGHTS", 2)
    nights = [shifted(night, days) for days in (2, 0, 1)]
    text = text_of(render_visit(nights))
    assert "2 nights" in text
    assert "1 earlier" in text
    # nights of 40 min have rates, and are left out of the medians beside the ranges
    assert "median (lowest–highest), from 2 h on–––– healthy adults" in text
    assert "up to 24.8 in 90 of 100" in text


@pytest.mark.slow
def test_report_compares_with_the_nights_given(result, tmp_path):
    for k in range(5):
        write_summary(tmp_path, f"n{k}", evening(k), counts=(80 + k, 10, 40))
    run = CliRunner().invoke(main, ["report", str(result), "--compare", str(tmp_path)])
    assert run.exit_code == 0, run.output
    text = text_of((result / "report.html").read_text())
    assert "your 5 other nights: 11.4–12.0 per h" in text
    (result / "report.html").unlink()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--for-visit", "--compare", "x"], "exclude each other"),
        (["other"], "several with --for-visit"),
    ],
)
def test_options_that_do_not_fit_are_refused(result, options, message):
    run = CliRunner().invoke(main, ["report", str(result), *options])
    assert run.exit_code == 2
    assert message in run.output
