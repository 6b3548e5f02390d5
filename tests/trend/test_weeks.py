import csv
import io
import json
import math
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.full_disk import full_disk
from tests.trend.builders import evening, write_night
from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.report.trend_page import render_weeks, trend_sentences
from twitchsense.results.save import save_weeks
from twitchsense.trend.nights import find_result_directories, read_nights, read_other_nights
from twitchsense.trend.weeks import read_weeks


def make_weeks(folder, n=30, effect=2.0):
    """Write nights and a diary; alcohol on every third evening adds twitches."""
    rng = np.random.default_rng(1)
    lines = ["date,alcohol_g,note"]
    for k in range(n):
        drank = rng.random() < 0.4
        rate = 10 * (effect if drank else 1.0) * np.exp(rng.normal(0, 0.25))
        counts = (rng.poisson(7 * rate), rng.poisson(14), rng.poisson(40))
        write_night(folder / "nights", f"n{k:02d}", evening(k), counts=[int(c) for c in counts])
        lines.append(f"{evening(k)},{24 if drank else 0},=HYPERLINK(1)")
    path = folder / "diary.csv"
    path.write_text("\n".join(lines) + "\n")
    return folder / "nights", path


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    return make_weeks(tmp_path_factory.mktemp("month"))


def test_night_belongs_to_the_evening_on_which_it_began(tmp_path):
    # 23:30 UTC is half past midnight in Berlin: still the evening before
    late = write_night(tmp_path, "late", date(2026, 3, 1), start="23:30")
    early = write_night(tmp_path, "early", date(2026, 3, 5), start="19:00")
    far = write_night(tmp_path, "far", date(2026, 3, 8), start="08:00", zone="America/Los_Angeles")
    named = write_night(tmp_path, "night-2026-03-09", None)
    table, _ = read_nights([far, late, named, early])
    assert list(table["evening"]) == [
        date(2026, 3, 1), date(2026, 3, 5), date(2026, 3, 7), date(2026, 3, 9)
    ]  # fmt: skip


def test_change_to_summer_time_does_not_shift_evenings(tmp_path):
    paths = [write_night(tmp_path, f"n{d}", date(2026, 3, d), start="20:00") for d in (28, 29, 30)]
    assert [e.day for e in read_nights(paths)[0]["evening"]] == [28, 29, 30]


def test_two_recordings_of_an_evening_are_one_night(tmp_path):
    a = write_night(tmp_path, "a", evening(0), counts=(10, 0, 0), hours=2.0)
    b = write_night(tmp_path, "b", evening(0), counts=(30, 1, 0), hours=4.0)
    table, _ = read_nights([a, b])
    assert len(table) == 1
    assert table["twitch_count"][0] == 40
    assert table["twitch_rate"][0] == pytest.approx(40 / 6)


def test_the_same_recording_twice_counts_once(tmp_path):
    a = write_night(tmp_path, "a", evening(0), sha="x")
    b = write_night(tmp_path, "b", evening(1), sha="x")
    c = write_night(tmp_path, "c", evening(2), sha="x")
    table, notes = read_nights([a, b, c])
    assert len(table) == 1
    assert notes == ["recordings that are here already, counted once: b, c"]


def test_nights_that_differ_in_how_files_are_read_compare(tmp_path):
    plain = ts.Settings()
    here = ts.Settings(zone="Europe/Berlin", columns={"A1": "emg1_uv"})
    assert plain.digest() != here.digest()
    assert plain.rules_digest() == here.rules_digest()
    assert plain.rules_digest() != ts.get_profile("aasm-2026").rules_digest()
    nights = [write_night(tmp_path, str(k), evening(k), settings=str(k), rules="same")
              for k in range(2)]  # fmt: skip
    assert not any("different settings" in n for n in read_nights(nights)[1])


def test_different_settings_and_unknown_evenings_are_noted(tmp_path):
    a = write_night(tmp_path, "a", evening(0), settings="a")
    b = write_night(tmp_path, "b", None, settings="b")
    table, notes = read_nights([a, b])
    assert list(table["evening"]) == [evening(0), None]
    assert any("different settings" in n for n in notes)
    assert any("without clock time" in n for n in notes)


def test_rate_without_valid_time_is_nan(tmp_path):
    table, _ = read_nights([write_night(tmp_path, "a", evening(0), counts=(0, 0, 0), hours=0.0)])
    assert math.isnan(table["twitch_rate"][0])


def test_directory_of_result_directories_is_expanded(tmp_path):
    for k in range(3):
        write_night(tmp_path / "all", f"n{k}", evening(k))
    assert len(find_result_directories([tmp_path / "all", tmp_path / "all" / "n1"])) == 3
    with pytest.raises(InputError, match=r"holds no summary\.json"):
        find_result_directories([tmp_path])


def test_typical_rates_need_five_nights(tmp_path):
    paths = [write_night(tmp_path, f"n{k}", evening(k)) for k in range(4)]
    weeks = read_weeks(paths)
    assert math.isnan(weeks.typical["twitch"].median)
    assert "From 5 nights on" in trend_sentences(weeks)[0]
    paths.append(write_night(tmp_path, "n4", evening(4)))
    assert read_weeks(paths).typical["twitch"].median == pytest.approx(80 / 7)


def test_effect_is_found_with_its_interval_and_disclaimer(month):
    nights, diary = month
    weeks = read_weeks([nights], diary)
    assert weeks.exposures == ("alcohol_g",)
    twitch = weeks.comparisons[0]
    assert (twitch.outcome, twitch.lag, twitch.answer) == ("twitch", 0, "more")
    assert twitch.n_exposed + twitch.n_other == 30
    assert twitch.low < 10 < twitch.high
    assert twitch.q >= twitch.p
    assert "This cannot show cause." in twitch.text
    others = [a for a in weeks.comparisons if a is not twitch]
    assert {a.answer for a in others} == {"no clear difference"}


def test_outcomes_without_events_do_not_make_the_others_stricter(tmp_path):
    lines = ["date,caffeine_mg,alcohol_g"]
    for k in range(16):
        write_night(tmp_path / "nights", f"n{k}", evening(k), counts=(33 if k % 2 else 8, 0, 0))
        lines.append(f"{evening(k)},{300 if k % 2 else 0},{10 if k % 4 < 2 else 0}")
    diary = tmp_path / "diary.csv"
    diary.write_text("\n".join(lines) + "\n")
    nights = [tmp_path / "nights"]
    found = read_weeks(nights, diary, ["caffeine_mg>200"]).comparisons
    empty = [a for a in found if a.outcome != "twitch"]
    assert {a.answer for a in empty} == {"none in any night"}
    assert "no jerks in any night" in empty[0].text
    assert all(math.isnan(a.p) and math.isnan(a.q) for a in empty)
    assert (found[0].q, found[0].answer) == (found[0].p, "more")  # the only one that is tested
    among_others = read_weeks(nights, diary, ["caffeine_mg>200", "alcohol_g"]).comparisons[0]
    assert among_others.q > 0.05
    assert "is suggested (from" in among_others.text
    assert "among 3 comparisons it is not clear" in among_others.text


def test_too_few_nights_give_no_comparison(tmp_path):
    nights, diary = make_weeks(tmp_path, 10)
    weeks = read_weeks([nights], diary)
    assert {a.answer for a in weeks.comparisons} == {"not enough nights yet"}
    assert all(math.isnan(a.difference) for a in weeks.comparisons)
    assert "normal result" in trend_sentences(weeks)[-1]


def test_comparison_needs_five_nights_in_each_group(tmp_path):
    nights, diary = make_weeks(tmp_path, 20)
    few = [line if k > 4 else line.replace(",0,", ",24,") for k, line in
           enumerate(diary.read_text().replace(",24,", ",0,").splitlines())]  # fmt: skip
    diary.write_text("\n".join(few) + "\n")
    weeks = read_weeks([nights], diary)
    assert (weeks.comparisons[0].n_exposed, weeks.comparisons[0].n_other) == (4, 16)
    assert weeks.comparisons[0].answer == "not enough nights yet"


def test_wide_diary_without_a_choice_is_not_tested(month, tmp_path):
    wide = tmp_path / "wide.csv"
    wide.write_text("date,a,b,c,d\n2026-03-01,1,1,1,1\n")
    weeks = read_weeks([month[0]], wide)
    assert weeks.comparisons == ()
    assert any("choose at most 3 before you look" in n for n in weeks.notes)


def test_diary_of_other_days_is_noted(month, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("date,a\n2020-01-01,1\n")
    assert any("share no evening" in n for n in read_weeks([month[0]], other).notes)


def test_command_writes_page_and_tables(month, tmp_path):
    nights, diary = month
    out = tmp_path / "out"
    done = CliRunner().invoke(
        main, ["trend", str(nights), "--diary", str(diary), "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert {p.name for p in out.iterdir()} == {
        "trend.html", "nights.csv", "associations.csv", "trend.json"
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((out / "nights.csv").read_text())))
    assert rows[0]["evening"] == "2026-03-01"
    # a spreadsheet must not run what stands in a diary
    assert rows[0]["diary_note"] == "'=HYPERLINK(1)"
    data = json.loads((out / "trend.json").read_text())
    assert data["associations"][0]["answer"] == "more"
    assert data["rules"]["least_nights"] == 14


def test_json_goes_to_stdout_and_no_file_is_written(month, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["trend", str(month[0]), "--json"])
    assert json.loads(done.stdout)["n_nights"] == 30
    assert list(tmp_path.iterdir()) == []


def test_bad_input_ends_with_status_2(month, tmp_path):
    for given in ([tmp_path], [month[0], "--exposure", "tea", "--diary", month[1]]):
        done = CliRunner().invoke(main, ["trend", *map(str, given), "--json"])
        assert done.exit_code == 2
        assert done.stdout == ""


def test_page_has_disclaimers_and_escapes_markup(month):
    weeks = read_weeks([month[0]], month[1])
    evil = "<script>alert(1)</script>"
    page = render_weeks(
        type(weeks)(
            weeks.nights.assign(source=evil), weeks.typical, (evil,), weeks.comparisons, (evil,)
        )
    )
    assert "<script" not in page
    assert "not intended to diagnose" in page
    assert "cannot show cause" in page
    for never in ("abnormal", "you have", "risk", "should take", "recommend"):
        assert never not in page
    assert not any(w in page for w in ("http://", "https://"))


def test_saving_twice_writes_the_same_files(month, tmp_path):
    weeks = read_weeks([month[0]], month[1])
    first = {p.name: p.read_bytes() for p in save_weeks(weeks, tmp_path / "a").iterdir()}
    second = {p.name: p.read_bytes() for p in save_weeks(weeks, tmp_path / "b").iterdir()}
    assert first == second


def test_failed_save_names_the_directory_and_leaves_nothing_behind(month, tmp_path):
    weeks = read_weeks([month[0]])
    with full_disk(16 * 1024), pytest.raises(InputError, match="cannot be written"):
        save_weeks(weeks, tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_exposures_need_a_diary(month):
    with pytest.raises(InputError, match="need a diary"):
        read_weeks([month[0]], exposures=["alcohol_g"])


def test_a_note_says_how_dates_are_read(month):
    notes = read_weeks([month[0]], month[1]).notes
    assert any("is the night that began in the evening of" in note for note in notes)
    assert any("nights have an entry" in note for note in notes)


def test_a_night_is_not_compared_with_itself_and_few_nights_are_said(tmp_path, caplog):
    for k in range(6):
        write_night(tmp_path, f"n{k}", evening(k), sha=f"h{k}")
    others = read_other_nights([tmp_path], "h2", tmp_path / "n0")
    assert sorted(others["source"]) == ["n1", "n3", "n4", "n5"]
    assert "not compared: 4 other nights of 2 valid hours or more are given, 5 are" in caplog.text
    caplog.clear()
    assert len(read_other_nights([tmp_path / "n0"], "", tmp_path / "n0")) == 0
    assert len(read_other_nights([tmp_path], "", tmp_path / "n0")) == 5
    assert caplog.text.count("not compared") == 1
