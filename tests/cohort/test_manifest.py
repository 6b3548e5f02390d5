"""The list of a cohort: its two forms, and errors with their line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from twitchsense.cli.app import main
from twitchsense.cohort.dataset import part_file_name
from twitchsense.cohort.manifest import read_manifest
from twitchsense.errors import InputError
from twitchsense.settings import Settings, get_profile


def plain(words, own):
    return get_profile(words.get("profile", "default-2026"))


def read(tmp_path, text, make=plain):
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_manifest(path, make)


def test_plain_text_list_has_one_night_per_line_relative_to_the_list(tmp_path):
    nights = read(tmp_path, "# mine\na/emg.csv;a/acc.csv\r\n\n /b/n 1.night \n")
    assert [n.name for n in nights] == ["a/emg", "/b/n 1"]
    assert nights[0].captures == (tmp_path / "a/emg.csv", tmp_path / "a/acc.csv")
    assert str(nights[1].captures[0]) == "/b/n 1.night"
    assert nights[1].place == "list.csv, line 4"


@pytest.mark.parametrize("tab", [",", "\t"])
def test_table_list_has_hypnogram_and_profile_per_night(tmp_path, tab):
    rows = ["Captures,night,hypnogram,profile", "a.csv;b.csv,first,h.csv,aasm-2026", "c.edf,,n/a,"]
    first, second = read(tmp_path, "\n".join(rows).replace(",", tab))
    assert (first.name, first.hypnogram) == ("first", tmp_path / "h.csv")
    assert first.settings == get_profile("aasm-2026")
    assert first.files == (tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "h.csv")
    assert (second.name, second.hypnogram, second.settings) == ("c", None, Settings())


def test_a_night_may_have_settings_of_its_own(tmp_path):
    seen = []

    def make(words, own):
        seen.append((dict(words), own and own.name))
        return Settings()

    read(tmp_path, 'captures,settings,map,zone\na.csv,s.toml,"Time=time_s,E=emg1_uv",UTC\n', make)
    words = {"map": "Time=time_s,E=emg1_uv", "zone": "UTC"}
    assert seen == [(words, None), (words, "s.toml")]


def test_unreadable_settings_file_fails_only_its_night(tmp_path):
    def make(words, own):
        if own is not None:
            raise InputError(own.name, "cannot be read", "give a TOML file")
        return Settings()

    first, second = read(tmp_path, "captures,settings\na.csv,gone.toml\nb.csv,\n", make)
    assert first.error.startswith("gone.toml: cannot be read")
    assert second.error == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("# nothing\n", "lists no night"),
        ("captures\n", "lists no night"),
        ("capture,night\na.csv,x\n", "line 1: has the unknown column 'capture'; use captures"),
        ("captures,hypnogramm\na.csv,h.csv\n", "line 1: has the unknown column 'hypnogramm'"),
        ("time_s,emg1_uv\n0,1\n", "line 1: has the unknown column 'time_s'"),
        ("night,zone\na,UTC\n", "line 1: has no column 'captures'"),
        ("captures;night\na.csv;x\n", "line 1: is separated by semicolons"),
        ("captures,night\na.csv\n", "line 2: has 1 fields where the header has 2"),
        ("captures,night\na.csv,x\n;,y\n", "line 3: names no capture"),
        ("a.csv\nb.csv\na.csv\n", "line 3: has the night 'a' twice (line 1 too)"),
        ("captures,night\na.csv,x\nb.csv,x\n", "line 3: has the night 'x' twice (line 2 too)"),
        ("captures,profile\na.csv,mine\n", "line 2: mine: no such profile; choose one of"),
        ("captures,night\na.csv,x\x1b[2J\n", "line 2: has a night whose name is not printable"),
        (f"captures,night\na.csv,{'x' * 201}\n", "line 2: has a night whose name is too long"),
        (b"captures\n\xff\xfe.csv\n", "line 2: is not UTF-8 text"),
        (b"\x00\x01\x02", "is a binary file"),
    ],
)
def test_error_in_the_list_names_its_line(tmp_path, text, problem):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert problem in str(error.value)
    assert str(tmp_path / "list.csv") in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["gone.csv", "--out", "o"], "gone.csv: no such file"),
        (["l.csv", "--out", "l.csv"], "l.csv: is a file, not a directory"),
        (["l.csv", "--out", "o", "--part", "0/3"], "--part: '0/3' is not a part; write I/N"),
        (["l.csv", "--out", "o", "--part", "4/3"], "--part: '4/3' is not a part"),
        (
            ["l.csv", "--out", "o", "--executor", "slurm"],
            "--executor: 'slurm' is not an executor; write",
        ),
        (
            ["l.csv", "--out", "o", "--executor", "dask://host"],
            "--executor: 'dask://host' is not an executor",
        ),
        (["l.csv", "--out", "o", "--profile", "x"], "x: no such profile"),
        (["z.csv", "--out", "o"], "z.csv, line 2: --zone: no such time zone as 'Mars'"),
        (["m.csv", "--out", "o"], "m.csv, line 2: --map: 'x' is not a pair"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(tmp_path, monkeypatch, arguments, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "l.csv").write_text("captures\na.csv\n")
    (tmp_path / "z.csv").write_text("captures,zone\na.csv,Mars\n")
    (tmp_path / "m.csv").write_text("captures,map\na.csv,x\n")
    result = CliRunner().invoke(main, ["cohort", *arguments])
    assert result.exit_code == 2
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "o").exists()


@pytest.mark.slow  # many random names
@given(st.text(), st.text())
def test_every_name_of_a_night_makes_a_safe_file_name(one, other):
    name = part_file_name(one)
    assert name.isascii()
    assert len(name) <= 100
    assert not set(name) & set('/\\:*?"<>| \n')
    assert (name == part_file_name(other)) == (one == other)
