import re
from datetime import date

import pytest

from twitchsense.errors import InputError
from twitchsense.trend.diary import DIARY_COLUMNS, NUMERIC_COLUMNS, read_diary
from twitchsense.trend.exposure import select_exposures

CSV = "date,caffeine_mg,alcohol_g,exercise,mood\n2026-03-01,180,0,none,fine\n2026-03-02,,24,run,\n"
TOML = """
exposures = ["caffeine_mg>100", "exercise"]
[[day]]
date = 2026-03-01
caffeine_mg = 180
alcohol_g = 0
exercise = "none"
mood = "fine"
[[day]]
date = "2026-03-02"
alcohol_g = 24
exercise = "run"
"""
YAML = """
exposures: ["caffeine_mg>100", "exercise"]
days:
  - {date: 2026-03-01, caffeine_mg: 180, alcohol_g: 0, exercise: none, mood: fine}
  - {date: 2026-03-02, alcohol_g: 24, exercise: run}
"""
ONE, TWO = date(2026, 3, 1), date(2026, 3, 2)


def diary(tmp_path, text, name="diary.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_diary(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [("d.csv", CSV), ("d.tsv", CSV.replace(",", "\t")), ("d.toml", TOML), ("d.yaml", YAML),
     ("d.yml", YAML)],
)  # fmt: skip
def test_every_format_gives_the_same_diary(tmp_path, name, text):
    if name.endswith(("yaml", "yml")):
        pytest.importorskip("yaml")
    found = diary(tmp_path, text, name)
    assert found.columns == ("caffeine_mg", "alcohol_g", "exercise", "mood")
    assert found.days == {
        ONE: {"caffeine_mg": 180.0, "alcohol_g": 0.0, "exercise": "none", "mood": "fine"},
        TWO: {"alcohol_g": 24.0, "exercise": "run"},
    }
    if not name.endswith("sv"):
        assert found.exposures == ("caffeine_mg>100", "exercise")


def status_of(found, name):
    [exposure] = select_exposures(found, [name])
    return [exposure.status(found, day) for day in (ONE, TWO)]


def test_exposure_status_is_exposed_unexposed_or_unknown(tmp_path):
    found = diary(tmp_path, CSV)
    assert status_of(found, "alcohol_g") == [0.0, 1.0]
    assert status_of(found, "exercise") == [0.0, 1.0]
    assert status_of(found, "exercise=run") == [0.0, 1.0]
    assert status_of(found, "caffeine_mg>200")[0] == 0.0
    # an empty field is not "none"
    assert str(status_of(found, "caffeine_mg>100")) == "[1.0, nan]"
    assert str(status_of(found, "mood")) == "[1.0, nan]"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alcohol_g", "alcohol"),
        ("caffeine_mg>200", "caffeine over 200 mg"),
        ("exercise=run", "exercise (run)"),
        ("mood", "mood"),
    ],
)
def test_description_of_an_exposure(tmp_path, name, words):
    assert select_exposures(diary(tmp_path, CSV), [name])[0].description == words


def test_lag_of_one_reads_the_evening_before(tmp_path):
    found = diary(tmp_path, CSV)
    [alcohol] = select_exposures(found, ["alcohol_g"])
    assert alcohol.status(found, date(2026, 3, 3), lag=1) == 1.0
    assert str(alcohol.status(found, ONE, lag=1)) == "nan"


def test_hour_of_an_amount_of_zero_is_unexposed(tmp_path):
    text = "date,caffeine_mg,caffeine_hour\n2026-03-01,0,\n2026-03-02,80,16\n2026-03-03,80,\n"
    found = diary(tmp_path, text)
    [late] = select_exposures(found, ["caffeine_hour>14"])
    assert str([late.status(found, date(2026, 3, d)) for d in (1, 2, 3)]) == "[0.0, 1.0, nan]"


def test_a_column_that_is_never_zero_is_split_at_its_median(tmp_path):
    text = "date,water_l\n" + "".join(f"2026-03-0{d},{d}\n" for d in range(1, 6))
    found = diary(tmp_path, text)
    [water] = select_exposures(found, [])
    assert (water.operator, water.threshold) == (">", 3.0)


def test_more_than_three_exposures_are_refused_and_never_selected_by_default(tmp_path):
    found = diary(tmp_path, CSV)
    assert select_exposures(found, []) == []
    with pytest.raises(InputError, match="at most 3"):
        select_exposures(found, list(found.columns))
    with pytest.raises(InputError, match="no column 'tea'"):
        select_exposures(found, ["tea"])


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("d.csv", "day,caffeine_mg\n1,2\n", "no column 'date'"),
        ("d.csv", "date,x\nyesterday,2\n", "line 2: has the date 'yesterday'"),
        ("d.csv", "date,x\n2026-03-01,1\n2026-03-01,2\n", "line 3: has 2026-03-01 twice"),
        ("d.csv", "", "is empty"),
        ("d.csv", b"date,x\n\xff\xfe,1\n", "not UTF-8"),
        ("d.toml", "date = [", "is not valid TOML"),
        ("d.toml", "day = 3", "no list of days"),
        ("d.toml", 'exposures = "x"\n', "not a list of names"),
        ("d.yaml", "a: [", "is not valid YAML"),
        ("d.yaml", "- 3\n", "no list of days"),
        ("d.yaml", "[" * 5000, "is nested too deeply"),
    ],
)
def test_invalid_diary_is_refused_with_its_place(tmp_path, name, text, says):
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    with pytest.raises(InputError, match=re.escape(says)):
        diary(tmp_path, text, name)


def test_missing_or_too_large_diary_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_diary(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is too large"):
        diary(tmp_path, "date\n" + " " * 5_000_001)


#: For each column of the article: what a person writes on an evening without, on one with,
#: what the second is read as, and an exposure in words.
KEPT = {
    "caffeine_mg": ("0", "160", 160.0, "caffeine_mg>100", "caffeine over 100 mg"),
    "caffeine_hour": ("9", "15:30", 15.5, "caffeine_hour>14", "caffeine after 14 h"),
    "exercise": ("none", "run", "run", "exercise=run", "exercise (run)"),
    "exercise_hour": ("7.5", "18", 18.0, "exercise_hour>=18", "exercise from 18 h"),
    "water_l": ("0.5", "2.5", 2.5, "water_l<2", "water under 2 l"),
    "alcohol_g": ("0", "12", 12.0, "alcohol_g>0", "alcohol over 0 g"),
    "nicotine": ("none", "5", 5.0, "nicotine", "nicotine"),
    "stress": ("1", "8", 8.0, "stress>5", "stress over 5"),
    "sleep_debt_h": ("0", "1.5", 1.5, "sleep_debt_h>1", "sleep debt over 1 h"),
    "medicines": ("none", "sertraline 50", "sertraline 50", "medicines=sertraline",
                  "medicines (sertraline)"),
    "vitamin_d_ug": ("0", "20", 20.0, "vitamin_d_ug", "vitamin d"),
    "vitamin_b_mg": ("0", "50", 50.0, "vitamin_b_mg>=50", "vitamin b of at least 50 mg"),
    "calcium_mg": ("0", "500", 500.0, "calcium_mg", "calcium"),
    "cups_of_tea": ("none", "3", 3.0, "cups_of_tea", "cups of tea"),  # two of the user's own
    "cold_feet": ("no", "yes", "yes", "cold_feet", "cold feet"),
}  # fmt: skip


def written(kind, column, values):
    """Write a diary of one column from 2026-03-01 on, as a person would."""
    days = [(f"2026-03-{d:02d}", v) for d, v in enumerate(values, 1)]
    if kind in ("csv", "tsv"):
        rows = [("date", column), *days]
        return "\n".join((",", "\t")[kind == "tsv"].join(row) for row in rows) + "\n"

    def quoted(v):
        return v if re.fullmatch(r"-?[0-9.]+(e[0-9]+)?", v) else f'"{v}"'

    if kind == "toml":
        return "".join(f"[[day]]\ndate = {d}\n{column} = {quoted(v)}\n" for d, v in days)
    return "days:\n" + "".join(f"- {{date: {d}, {column}: {quoted(v)}}}\n" for d, v in days)


def test_every_diary_column_is_tested():
    assert set(KEPT) - {"cold_feet", "cups_of_tea"} == set(DIARY_COLUMNS) - {"date"}


@pytest.mark.parametrize("kind", ["csv", "tsv", "toml", "yaml"])
@pytest.mark.parametrize("column", KEPT)
def test_column_is_read_and_split_in_exposed_and_unexposed(tmp_path, kind, column):
    if kind == "yaml":
        pytest.importorskip("yaml")
    without, taken, value, exposure, words = KEPT[column]
    found = diary(tmp_path, written(kind, column, [without, taken]), f"d.{kind}")
    assert found.columns == (column,)
    assert found.days[TWO] == {column: value}
    [chosen] = select_exposures(found, [exposure])
    assert chosen.description == words
    less = column == "water_l"  # here little is the exposure
    assert [chosen.status(found, day) for day in (ONE, TWO)] == [float(less), float(not less)]


@pytest.mark.parametrize("kind", ["csv", "tsv", "toml", "yaml"])
@pytest.mark.parametrize("column", NUMERIC_COLUMNS)
@pytest.mark.parametrize("bad", ["lots", "-1", "12345678", "inf", "3 cups", "1,5"])
def test_invalid_number_is_refused_with_row_column_and_cure(tmp_path, kind, column, bad):
    if kind == "yaml":
        pytest.importorskip("yaml")
    text = written(kind, column, ["0", bad if "," not in bad or kind != "csv" else f'"{bad}"'])
    with pytest.raises(InputError) as caught:
        diary(tmp_path, text, f"d.{kind}")
    place = "day 2" if kind in ("toml", "yaml") else "line 3"
    said = str(caught.value)
    assert said.startswith(f"d.{kind}, {place}: {column} is ")
    assert "write the " in said
    assert "\n" not in said


@pytest.mark.parametrize("empty", ["", "n/a", "null"])
@pytest.mark.parametrize("column", NUMERIC_COLUMNS)
def test_empty_field_is_unknown_and_not_none(tmp_path, column, empty):
    found = diary(tmp_path, f"date,{column}\n2026-03-01,{empty}\n2026-03-02,1\n")
    assert found.days[ONE] == {}


def test_hour_that_yaml_or_toml_parses_as_another_type(tmp_path):
    pytest.importorskip("yaml")
    # YAML 1.1 reads 15:30 as 930, base sixty
    with pytest.raises(InputError, match=r'day 1: caffeine_hour is .930.; write .* "15:30"'):
        diary(tmp_path, "- {date: 2026-03-01, caffeine_hour: 15:30}\n", "d.yaml")
    found = diary(tmp_path, "[[day]]\ndate = 2026-03-01\ncaffeine_hour = 15:30:00\n", "d.toml")
    assert found.days[ONE] == {"caffeine_hour": 15.5}


@pytest.mark.parametrize("name", ["a" + " " * 60_000 + "b", " " * 60_000, "<" + " " * 60_000])
def test_blanks_in_an_exposure_are_read_in_linear_time(tmp_path, name):
    """The expression that split it took 100 s for 60,000 blanks."""
    with pytest.raises(InputError, match="has no column"):
        select_exposures(diary(tmp_path, CSV), [name])


def test_blanks_around_column_operator_and_number_do_not_count(tmp_path):
    found = diary(tmp_path, CSV)
    [blanks] = select_exposures(found, [f"caffeine_mg{' ' * 60_000}>= {' ' * 60_000}100 "])
    assert (blanks.column, blanks.operator, blanks.threshold) == ("caffeine_mg", ">=", 100.0)


@pytest.mark.parametrize(
    ("dates", "evening", "order"),
    [
        (("1.3.2026", "2.3.2026"), "2026-03-01", "day, month"),
        (("3/1/2026", "3/14/2026"), "2026-03-01", "month, day"),
        (("1/3/2026", "14/3/2026"), "2026-03-01", "day, month"),
        (("01-03-2026", "31-03-2026"), "2026-03-01", "day, month"),
    ],
)
def test_dates_of_spreadsheets_are_read_and_told(tmp_path, dates, evening, order):
    path = tmp_path / "d.csv"
    path.write_text(f"date;alcohol_g\n{dates[0]};12,5\n{dates[1]};0\n")
    diary = read_diary(path)
    assert min(diary.days).isoformat() == evening
    assert diary.days[min(diary.days)]["alcohol_g"] == 12.5
    assert order in diary.notes[0]
    assert f"{dates[0]} is {evening}" in diary.notes[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("date,x\n3/1/2026,1\n4/1/2026,1\n", "line 2: has the date '3/1/2026': day or month"),
        ("date,x\n3/14/2026,1\n14/3/2026,1\n", "day first and dates with the month first"),
        ("date,x\n31.2.2026,1\n", "has the date '2026-02-31'"),
        ("date;caffeine_mg\n2026-03-01;1,200\n", "with a decimal comma or a comma for thousands"),
    ],
)
def test_dates_and_numbers_of_two_readings_are_refused(tmp_path, text, says):
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(says)):
        read_diary(path)
