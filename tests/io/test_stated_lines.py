"""``--skip-rows`` and ``--columns``: text files whose first lines no reader can know."""

import shlex

import numpy as np
import pytest
from click.testing import CliRunner

from tests.nightfile.builders import write_night
from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.io.read import read
from twitchsense.io.tables.local_clock import TimeOptions
from twitchsense.io.tables.row_clock import RowClock, RowTimes
from twitchsense.model.map_pairs import parse_map, typed_map

RNG = np.random.default_rng(2)
VALUES = RNG.normal(0, 5, 3000).round(3)
ROWS = "".join(f"{i / 1000:.3f},7,{x}\n" for i, x in enumerate(VALUES))
NAMES = ("time_s", "ignore", "emg1_uv")


def write(folder, text, name="a.csv"):
    path = folder / name
    path.write_text(text)
    return path


def samples(recording):
    (segment,) = recording.segments
    return segment.samples.read(0, len(segment.samples))[:, 0]


@pytest.mark.parametrize("first", ["", "# a comment\n", "sep=,\n", "\n\n"])
def test_names_of_a_file_without_a_header(tmp_path, first):
    got = read(write(tmp_path, first + ROWS), names=NAMES)
    assert [c.name for c in got.channels] == ["emg1"]
    assert np.allclose(samples(got), VALUES, atol=1e-3)
    assert not any("left out" in note for note in got.notes)


def test_no_row_is_lost_and_rows_before_are_left_out(tmp_path):
    path = write(tmp_path, "made by a logger\nv,x,y\n" + ROWS)
    got = read(path, names=NAMES, skip_rows=2)
    assert len(samples(got)) == 3000


def test_lines_before_a_header_are_left_out(tmp_path):
    header = "time_s,emg9_uv,x\n0,1,2\ntime_s,x,emg1_uv\n"
    assert [c.name for c in read(write(tmp_path, header + ROWS), skip_rows=2).channels] == ["emg1"]


def test_a_bad_row_is_named_by_its_line(tmp_path):
    path = write(tmp_path, "logger\n" + ROWS + "0.5,7,1\n")
    with pytest.raises(InputError, match="line 3002"):
        read(path, names=NAMES, skip_rows=1)


@pytest.mark.parametrize(
    ("text", "how", "says"),
    [
        (ROWS, {"names": NAMES[:2]}, "has 3 columns, and --columns has 2 names; name every"),
        ("t,x,e\n" + ROWS, {"names": NAMES}, "leave it out with --skip-rows 1"),
        ("t,x,e\n", {"skip_rows": 1}, "has no line after the 1 that --skip-rows leaves out"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, text, how, says):
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, text), **how)
    assert says in caught.value.command_message


def test_in_python_the_arguments_are_named(tmp_path):
    with pytest.raises(InputError, match="skip_rows=1"):
        read(write(tmp_path, "t,x,e\n" + ROWS), names=NAMES)


def test_a_negative_number_of_lines_is_refused(tmp_path):
    with pytest.raises(InputError, match="negative"):
        read(write(tmp_path, ROWS), skip_rows=-1)


def test_options_are_for_text_files(tmp_path):
    pytest.importorskip("pyarrow")
    import pandas as pd

    path = tmp_path / "a.parquet"
    pd.DataFrame({"time_s": np.arange(3000) / 1000, "emg1_uv": VALUES}).to_parquet(path)
    with pytest.raises(InputError, match="is not a text file"):
        read(path, skip_rows=1)


def test_export_takes_both_options(tmp_path):
    path = write(tmp_path, "logger\n" + ROWS)
    done = CliRunner().invoke(main, [
        "export", str(path), "--to", "csv", "--out", str(tmp_path / "o"),
        "--skip-rows", "1", "--columns", ",".join(NAMES),
    ])  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "o").is_dir()


@pytest.mark.parametrize(
    ("head", "stated"),
    [("emg1_uv\n", {}), ("# emg1_uv\n", {}), ("", {"names": ["emg1_uv"]}),
     ("Biceps\n", {"columns": {"Biceps": "emg1_uv"}})],
)  # fmt: skip
def test_one_column_of_a_stated_rate_is_a_capture(tmp_path, head, stated):
    path = tmp_path / "emg.csv"
    path.write_text(head + "".join(f"{k % 7 - 3.5}\n" for k in range(400)))
    recording = read(path, fs=500, **stated)
    assert recording.channels[0].fs == 500
    assert recording.window("emg1", 0, 6_000_000)[1].tolist() == [[-3.5], [-2.5], [-1.5]]


@pytest.mark.parametrize(
    ("text", "says"),
    [("emg1_uv\n1\n2\n", r"of a file without times \(fs=1000\)"),
     ("1\n2\n3\n", r"state them \(names=\['time_s', 'emg1_uv'\]\)")],
)  # fmt: skip
def test_one_column_without_a_rate_or_a_name_is_refused_with_the_cure(tmp_path, text, says):
    path = tmp_path / "emg.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read(path)


@pytest.mark.parametrize("stated", [{"fs": 500.0}, {"time_unit": "ms"}])
def test_a_rate_or_unit_that_has_no_effect_is_refused(tmp_path, stated):
    with pytest.raises(InputError, match="states its own times"):
        read(write_night(tmp_path / "n.night", 12), **stated)


def test_a_stated_rate_that_the_times_contradict_is_refused(tmp_path):
    path = write(tmp_path, "time_s,ignore,emg1_uv\n" + ROWS)
    with pytest.raises(InputError, match="those of 1000 Hz, not of the stated 500 Hz"):
        read(path, fs=500.0)
    assert samples(read(path)).tolist() == samples(read(path, fs=1000.0)).tolist()


@pytest.mark.parametrize(
    "header",
    ["Muscle", "Muscle, left [uV]", "a=b", "a=1,b", "it's,1", '"q", x=1', "x=emg1_uv,y=emg2_uv"],
)
def test_the_proposed_mapping_works_as_it_is_typed(tmp_path, header):
    assert parse_map(shlex.split(typed_map(header, "emg1_uv"))[1:]) == {header: "emg1_uv"}
    quoted = '"' + header.replace('"', '""') + '"'
    path = write(tmp_path, f"time_s;{quoted}\n" + ROWS.replace(",7,", ";"))
    with pytest.raises(InputError) as caught:
        read(path)
    assert typed_map(header, "emg1_uv") in caught.value.command_message
    assert f"columns={{{header!r}: 'emg1_uv'}}" in str(caught.value)
    pairs = {header: "emg1_uv"}
    assert [c.name for c in read(path, columns=pairs).channels] == ["emg1"]


CLOCK = [f"23:57:{i / 250:06.3f}".replace(".", ",") for i in range(1000)]
CLOCK_ROWS = "".join(f"{t};{-i % 7 / 100:.5f}".replace(".", ",") + ";0,5;0,5;1,0;7\n"
                     for i, t in enumerate(CLOCK))  # fmt: skip


def test_times_of_day_and_decimal_commas_are_no_words(tmp_path):
    path = write(tmp_path, "Logger;1\nTime [HH:MM:SS,mmm];Muscle;Note\n" + CLOCK_ROWS)
    names = ("time_local", "emg1_mv", "acc_x_g", "acc_y_g", "acc_z_g", "ignore")
    got = read(path, names=names, skip_rows=2)
    assert [(c.name, c.fs) for c in got.channels] == [("emg1", 250), ("acc", 250)]
    with pytest.raises(InputError, match="the first line holds numbers"):
        read(path, skip_rows=2)


def test_a_column_of_times_of_day_is_mapped_as_the_messages_say(tmp_path):
    path = write(tmp_path, "Clock time HH:MM:SS,mmm;Muscle;a;b;c;d\n" + CLOCK_ROWS)
    proposed = "--map 'Clock time HH:MM:SS,mmm=time_local'"
    for columns in (
        {},
        {"Clock time HH:MM:SS,mmm": "time_s"},
        {"Clock time HH:MM:SS,mmm": "time_utc"},
    ):
        with pytest.raises(InputError) as caught:
            read(path, columns={**columns, "Muscle": "emg1_mv"})
        assert proposed in caught.value.command_message
    pairs = parse_map([*shlex.split(proposed)[1:], "Muscle=emg1_mv"])
    assert read(path, columns=pairs).channels[0].fs == 250


@pytest.mark.parametrize(
    ("start_ns", "is_utc", "says"),
    [
        (1_772_400_600 * 10**9, None, "whether this is UTC or local time is not stated"),
        (-1, True, "not a time from 1970 to 2261"),
        (-(10**18), False, "not a time from 1970 to 2261"),
        (10**19, True, "not a time from 1970 to 2261"),
        (10**22, None, "whether this is UTC or local time is not stated"),
    ],
)
def test_a_start_of_rows_that_is_no_start_is_refused(start_ns, is_utc, says):
    clock = RowClock(250.0, start_ns, is_utc)
    with pytest.raises(InputError, match=says):
        RowTimes("a.csv", clock, TimeOptions())


def test_starts_of_rows_are_utc_local_or_from_second_zero():
    start_ns = 1_772_400_600 * 10**9
    for is_utc, zone, expected in (
        (True, "Europe/Berlin", start_ns), (False, "Europe/Berlin", start_ns - 3600 * 10**9),
        (False, None, start_ns),
    ):  # fmt: skip
        times = RowTimes("a.csv", RowClock(250.0, start_ns, is_utc), TimeOptions(zone=zone))
        assert times.parse(1, {}).tolist() == [expected]
    assert RowTimes("a", RowClock(250.0, 10**9), TimeOptions()).parse(1, {}).tolist() == [10**9]
