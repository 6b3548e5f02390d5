import re
from datetime import date

import pytest

from twitchsense.errors import InputError
from twitchsense.trend.diary import read_diary
from twitchsense.trend.exposure import choose

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
def test_every_format_says_the_same(tmp_path, name, text):
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


def sides(found, name):
    [exposure] = choose(found, [name])
    return [exposure.of(found, day) for day in (ONE, TWO)]


def test_exposed_unexposed_and_not_known(tmp_path):
    found = diary(tmp_path, CSV)
    assert sides(found, "alcohol_g") == [0.0, 1.0]
    assert sides(found, "exercise") == [0.0, 1.0]
    assert sides(found, "exercise=run") == [0.0, 1.0]
    assert sides(found, "caffeine_mg>200")[0] == 0.0
    # an empty field is not "none"
    assert str(sides(found, "caffeine_mg>100")) == "[1.0, nan]"
    assert str(sides(found, "mood")) == "[1.0, nan]"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alcohol_g", "alcohol"),
        ("caffeine_mg>200", "caffeine over 200 mg"),
        ("exercise=run", "exercise (run)"),
        ("mood", "mood"),
    ],
)
def test_an_exposure_in_words(tmp_path, name, words):
    assert choose(diary(tmp_path, CSV), [name])[0].words == words


def test_the_evening_before(tmp_path):
    found = diary(tmp_path, CSV)
    [alcohol] = choose(found, ["alcohol_g"])
    assert alcohol.of(found, date(2026, 3, 3), lag=1) == 1.0
    assert str(alcohol.of(found, ONE, lag=1)) == "nan"


def test_no_coffee_has_no_hour(tmp_path):
    text = "date,caffeine_mg,caffeine_hour\n2026-03-01,0,\n2026-03-02,80,16\n2026-03-03,80,\n"
    found = diary(tmp_path, text)
    [late] = choose(found, ["caffeine_hour>14"])
    assert str([late.of(found, date(2026, 3, d)) for d in (1, 2, 3)]) == "[0.0, 1.0, nan]"


def test_a_column_that_is_never_zero_is_split_at_its_median(tmp_path):
    text = "date,water_l\n" + "".join(f"2026-03-0{d},{d}\n" for d in range(1, 6))
    found = diary(tmp_path, text)
    [water] = choose(found, [])
    assert (water.sign, water.limit) == (">", 3.0)


def test_more_than_three_are_refused_and_never_picked_unasked(tmp_path):
    found = diary(tmp_path, CSV)
    assert choose(found, []) == []
    with pytest.raises(InputError, match="at most 3"):
        choose(found, list(found.columns))
    with pytest.raises(InputError, match="no column 'tea'"):
        choose(found, ["tea"])


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("d.csv", "day,caffeine_mg\n1,2\n", "no column 'date'"),
        ("d.csv", "date,x\nyesterday,2\n", "line 2: has the date 'yesterday'"),
        ("d.csv", "date,x\n2026-03-01,1\n2026-03-01,2\n", "line 3: has 2026-03-01 twice"),
        ("d.csv", "date;x\n2026-03-01;1\n", "semicolons"),
        ("d.csv", "", "is empty"),
        ("d.csv", b"date,x\n\xff\xfe,1\n", "not UTF-8"),
        ("d.toml", "date = [", "is no TOML"),
        ("d.toml", "day = 3", "no list of days"),
        ("d.toml", 'exposures = "x"\n', "no list of words"),
        ("d.yaml", "a: [", "is no YAML"),
        ("d.yaml", "- 3\n", "no list of days"),
        ("d.yaml", "[" * 5000, "is no YAML"),
    ],
)
def test_a_bad_diary_is_refused_with_its_place(tmp_path, name, text, says):
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    with pytest.raises(InputError, match=re.escape(says)):
        diary(tmp_path, text, name)


def test_a_missing_or_endless_diary_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_diary(tmp_path / "none.csv")
    with pytest.raises(InputError, match="over 5 MB"):
        diary(tmp_path, "date\n" + " " * 5_000_001)
