"""What a refusal says about a file is done to the file, word by word, and it is read."""

from __future__ import annotations

import json
import re
import shlex

import numpy as np
import pytest

from tests.io.actigraphy_builder import motion, write_cwa
from tests.io.builders import N_ROWS, TIMES, acc, csv_bytes, csv_rows, emg, lengths
from tests.io.edf_builder import EdfFile, digital, foreign_bids
from tests.io.xdf_builder import acc_stream, emg_stream, encode
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.capture_export import export
from twitchsense.io.formats import FORMATS
from twitchsense.model.map_pairs import parse_map
from twitchsense.model.recording import Recording

EMG = emg(N_ROWS)


def refused(problem, *paths, **options):
    with pytest.raises(InputError, match=problem or ".") as caught:
        read(*paths, **options)
    return caught.value


def options_of(error):
    """Return the arguments of `read` that the options of a cure name."""
    words = [w.strip("(),;") for w in shlex.split(error.command_message.partition("; ")[2])]
    given = {w: words[i + 1] for i, w in enumerate(words[:-1]) if w.startswith("--")}
    assert given, error.command_message
    names = {"--map": ("columns", lambda v: parse_map([v])), "--fs": ("fs", float),
             "--skip-rows": ("skip_rows", int), "--start": ("start", str)}  # fmt: skip
    return {names[o][0]: names[o][1](v) for o, v in given.items() if o in names}


def count(recording, name="emg1"):
    return sum(lengths(recording, name))


def as_rows(values, fs=1000):
    return [f"{i / fs:.3f},{v}" for i, v in enumerate(values)]


# ---- columns and units -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "values", "word", "channel"),
    [
        ("emg1_v", EMG * 1e3, "emg1_uv", "emg1"),
        ("acc_z_g", 1000 + EMG, "acc_z_mg", "acc"),
        ("acc_z_g", 9.8 + EMG / 100, "acc_z_ms2", "acc"),
    ],
)
def test_the_unit_that_a_refusal_or_note_names_is_right(tmp_path, header, values, word, channel):
    path = tmp_path / "a.csv"
    fs = 100 if "acc" in header else 1000
    path.write_bytes(csv_bytes(as_rows(values, fs), f"time_s,{header}"))
    try:
        said = [str(note) for note in read(path).notes]
    except InputError as error:
        said = [error.cure]
    assert any(f"name the column {word}" in text for text in said)
    path.write_bytes(csv_bytes(as_rows(values, fs), f"time_s,{word}"))
    got = read(path)
    assert not any("name the column" in note for note in got.notes)
    assert count(got, channel) == N_ROWS


@pytest.mark.parametrize(
    ("header", "row", "problem"),
    [
        ("time_s,emg1_uv,time_utc", "{r},2026-03-01T22:00:00.{i:03d}Z", "more than one time"),
        ("stamp,emg1_uv", "{r}", "no time column"),
        ("time_s,muscle", "{r}", "no signal column"),
        ("time_s,emg1", "{r}", "no unit"),
        ("time_s,acc_z", "{r}", "unknown unit"),
        ("time_s,acc_y_v", "{r}", "unknown unit"),
        ("time_s,acc_left_g", "{r}", "no axis"),
        ("time_s,EMG (a.u.)", "{r}", "no unit"),
        ("time_s,emg1_xv", "{r}", "unknown unit"),
    ],
)
def test_the_option_of_a_refused_header_reads_the_file(tmp_path, header, row, problem):
    path = tmp_path / "a.csv"
    body = [row.format(r=r, i=i) for i, r in enumerate(csv_rows())]
    path.write_bytes(csv_bytes(body, header))
    options = options_of(refused(problem, path))
    options.pop("fs", None)  # the other way
    [channel] = read(path, **options).channels
    assert channel.kind == ("acc" if "acc" in header else "emg")


def test_a_name_that_is_not_in_the_header_is_chosen_from_the_list(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([f"{r},1" for r in csv_rows()], "time_s,muscle,emg2_uv"))
    listed = refused("not in the header", path, columns={"muscel": "emg1_uv"}).cure
    name = listed.removeprefix("choose from: ").split(", ")[1]
    assert count(read(path, columns={name: "emg1_uv"})) == N_ROWS


def test_every_option_that_has_no_effect_is_left_out(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes())
    edf = EdfFile(digital(signals=1), labels=["emg1"]).write(tmp_path / "a.edf")
    for file, option in ((path, {"gain": 2.0}), (edf, {"skip_rows": 1}), (edf, {"fs": 500.0})):
        cure = refused("", file, **option).cure
        assert "leave" in cure
        assert " out" in cure
        assert read(file).channels


def test_a_column_with_words_every_few_rows_is_left_out(tmp_path):
    path = tmp_path / "a.csv"
    cells = ["off" if i % 3 else f"{v}" for i, v in enumerate(emg(3000))]
    body = [f"{r},{v}" for r, v in zip(as_rows(cells), emg(3000), strict=True)]
    path.write_bytes(csv_bytes(body, "time_s,emg1_uv,emg2_uv"))
    options = options_of(refused("every few rows", path))
    assert count(read(path, **options), "emg2") == 3000


# ---- lines -----------------------------------------------------------------------------


def test_lines_before_the_names_are_skipped(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"Measured by A\n" + csv_bytes(header="t,muscle"))
    options = options_of(refused("no comma", path))
    options |= {"columns": {"t": "time_s", "muscle": "emg1_uv"}}
    options.pop("fs", None)
    assert count(read(path, **options)) == N_ROWS


@pytest.mark.parametrize(("name", "fs"), [("emg1_uv", 1000), ("acc_z_g", 100)])
def test_the_rate_of_a_column_without_times_is_that_of_its_kind(tmp_path, name, fs):
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([f"{v / 100}" for v in EMG], name))
    options = options_of(refused("", path))
    options.pop("skip_rows", None)
    options.pop("columns", None)
    assert options == {"fs": fs}
    assert read(path, **options).channels[0].fs == fs


def test_fields_beyond_the_header_get_names_or_points(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([r.replace(".", ",") for r in csv_rows()]))
    assert "decimal points" in refused("more fields", path).cure
    path.write_bytes(csv_bytes([r.replace(",", ".") for r in csv_rows(sep=";")], "time_s;emg1_uv"))
    assert count(read(path)) == N_ROWS


@pytest.mark.parametrize("bad", ["x,1", ",1", f"{TIMES[8]},1"])
def test_a_line_with_a_bad_time_is_deleted(tmp_path, bad):
    path = tmp_path / "a.csv"
    body = csv_rows()
    body[9] = bad
    path.write_bytes(csv_bytes(body))
    error = refused("", path)
    line = int(error.place.removeprefix("line "))
    if "repeats" not in error.problem:
        assert "delete" in error.cure
    lines = path.read_text().splitlines()
    del lines[line - 1]
    path.write_text("\n".join(lines) + "\n")
    assert count(read(path)) == N_ROWS - 1


# ---- files together --------------------------------------------------------------------


def test_one_channel_in_two_files_gets_two_names(tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_bytes(csv_bytes())
    two.write_bytes(csv_bytes(csv_rows(30)))
    cure = refused("one.csv as well", one, two).cure
    assert "(emg1, emg2)" in cure
    two.write_bytes(csv_bytes(header="time_s,emg2_uv"))
    got = read(one, two)
    assert [c.name for c in got.channels] == ["emg1", "emg2"]
    refused("given twice", one, one)


def test_files_get_the_same_time_column_or_date(tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    day = [f"2026-03-0{{}}T22:15:00.{i:03d}Z,{v}" for i, v in enumerate(EMG)]
    one.write_bytes(csv_bytes([row.format(1) for row in day], "time_utc,emg1_uv"))
    two.write_bytes(csv_bytes(header="time_s,emg2_uv"))
    assert "same time column" in refused("has time_s where", one, two).cure
    two.write_bytes(csv_bytes([row.format(1) for row in day], "time_utc,emg2_uv"))
    assert len(read(one, two).channels) == 2
    clocks = ("23:15:00", "10:15:00")
    for path, clock in zip((one, two), clocks, strict=True):
        path.write_bytes(csv_bytes([f"{clock}.{i:03d},{v}" for i, v in enumerate(EMG)]
                                   , "time_local,emg1_uv"))  # fmt: skip
    cure = refused("times of day have no date", one, two).cure
    assert "date and time" in cure
    for path, clock, day in zip((one, two), clocks, ("01", "02"), strict=True):
        path.write_bytes(csv_bytes([f"2026-03-{day} {clock}.{i:03d},{v}" for i, v in enumerate(EMG)]
                                   , "time_local,emg1_uv"))  # fmt: skip
    assert len(read(one, two).segments_of("emg1")) == 2


# ---- binary formats --------------------------------------------------------------------


def test_an_archive_of_two_settings_is_two_files(tmp_path):
    """Sectors of 512 bytes after a header of 1024; the message names the first that differs."""
    g = motion(1200)
    write_cwa(tmp_path / "a.cwa", g[:600])
    data = (tmp_path / "a.cwa").read_bytes()
    starts = [20 + k * 2.4 for k in range(5)]
    write_cwa(tmp_path / "b.cwa", g[600:], rate=0x49, starts=starts)
    later = (tmp_path / "b.cwa").read_bytes()
    joined = tmp_path / "joined.cwa"
    joined.write_bytes(data + later[1024:])
    assert "before and after as two files" in refused("rate or range", joined).cure
    assert read(tmp_path / "a.cwa").channels
    assert read(tmp_path / "b.cwa").channels


def test_an_edf_without_a_date_gets_a_start_or_no_zone(tmp_path):
    file = EdfFile(digital(signals=1), date=b"00.00.00", recording=b"", reserved=b"EDF+C")
    path = file.write(tmp_path / "a.edf")
    error = refused("start time is unknown", path, zone="Europe/Berlin")
    assert read(path).start_utc_ns is None
    start = options_of(error)["start"]
    assert read(path, start=start).start_utc_ns == 1_772_400_600_000_000_000


def test_streams_of_one_accelerometer_get_different_names(tmp_path):
    path = tmp_path / "a.xdf"
    parts = (
        acc_stream(labels=["acc_x", "acc_y", "acc_z"]),
        acc_stream(number=3, labels=["u"], units=["m/s^2"]),
    )
    parts[1].samples = parts[1].samples[:, :1]
    path.write_bytes(encode(parts))
    columns = {"acc_x": "acc_x", "acc_y": "acc_y", "acc_z": "ignore", "u": "acc_z"}
    error = refused("in different streams", path, columns=columns)
    assert "(acc1_x, acc2_x)" in error.cure
    columns = {"acc_x": "acc1_x", "acc_y": "acc1_y", "acc_z": "acc1_z", "u": "acc2_x"}
    assert [c.name for c in read(path, columns=columns).channels] == ["acc1", "acc2"]


def test_a_stream_without_a_constant_rate_is_left_out(tmp_path):
    path = tmp_path / "a.xdf"
    bad = emg_stream(n=4000)
    steps = np.random.default_rng(1).exponential(1e-3, 4000)
    bad.times = 5000 + np.cumsum(steps)
    path.write_bytes(encode([bad, acc_stream()]))
    error = refused("no constant rate", path)
    assert "--map LABEL=ignore" in error.cure
    left_out = dict.fromkeys(("TA left", "TA right"), "ignore")
    assert [c.name for c in read(path, columns=left_out).channels] == ["acc"]


def test_a_name_too_long_for_edf_is_shortened(tmp_path):
    name = "emg_left_tibialis_anterior"
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes(as_rows(emg(2000)), f"time_s,{name}_uv"))
    with pytest.raises(InputError, match="has room for 16") as caught:
        export(read(path), "edf", tmp_path / "out")
    assert "export to csv" in caught.value.cure
    assert export(read(path), "csv", tmp_path / "csv")
    short = read(path, columns={f"{name}_uv": "emg1_uv"})
    assert export(short, "edf", tmp_path / "out")


# ---- BIDS ------------------------------------------------------------------------------


def written_motion(folder, fs=100.0):
    signals = {f"acc_{a}_g": (acc(600)[:, i], fs) for i, a in enumerate("xyz")}
    export(Recording.from_arrays(signals), "bids", folder)
    return next(folder.rglob("*_motion.tsv"))


def test_each_cure_of_a_bids_data_set_is_followed(tmp_path):
    path = written_motion(tmp_path / "set")
    stem = path.name.removesuffix("_motion.tsv")
    channels, side = path.with_name(f"{stem}_channels.tsv"), path.with_suffix(".json")
    names, good, rows = channels.read_text(), side.read_text(), path.read_text().splitlines()
    channels.rename(tmp_path / "away")
    assert "add one beside" in refused("has no channels.tsv", path).cure
    (tmp_path / "away").rename(channels)
    side.write_text(good[:-5])
    assert refused("is not JSON", path).cure == "correct it"
    side.write_text(good)
    swapped = [*rows[:50], rows[51], rows[50], *rows[52:]]
    path.write_text("\n".join(swapped) + "\n")
    assert "sort its rows" in refused("runs backwards", path).cure
    path.write_text("\n".join(sorted(swapped, key=lambda r: float(r.split("\t")[0]))) + "\n")
    assert count(read(path), "acc") == 600
    path.write_text("\n".join([*rows[:50], "n/a" + rows[50][rows[50].index("\t") :], *rows[51:]]))
    error = refused("not a number of seconds", path)
    line = int(error.place.removeprefix("line "))
    assert "leave the row out" in error.cure
    bad = path.read_text().splitlines()
    path.write_text("\n".join(bad[: line - 1] + bad[line:]) + "\n")
    assert count(read(path), "acc") == 599
    path.write_text("\n".join(row.partition("\t")[2] for row in rows) + "\n")
    channels.write_text("".join(r for r in names.splitlines(True) if "LATENCY" not in r))
    stated = json.loads(good)
    fields = [k for k in stated if k.startswith("SamplingFrequency")]
    side.write_text(json.dumps({k: v for k, v in stated.items() if k not in fields}))
    assert "add SamplingFrequency" in refused("neither a LATENCY", path).cure
    side.write_text(json.dumps({**stated, "SamplingFrequency": 100}))
    assert count(read(path), "acc") == 600


def test_a_folder_of_two_recordings_is_read_by_its_files(tmp_path):
    foreign_bids(tmp_path / "set")
    emg_folder = next((tmp_path / "set").rglob("emg"))
    for path in list(emg_folder.iterdir()):
        new = path.with_name(path.name.replace("sub-07", "sub-08"))
        new.write_bytes(path.read_bytes())
    error = refused("holds 2 recordings", tmp_path / "set")
    name = re.search(r"such as (\S+) or", error.cure)[1]
    assert read(next((tmp_path / "set").rglob(name))).channels


# ---- names of files --------------------------------------------------------------------


def test_a_file_gets_one_of_the_endings(tmp_path):
    path = tmp_path / "night.dat"
    path.write_bytes(csv_bytes())
    cure = refused("known endings", path).cure
    ending = re.search(r"\.\w+", cure)[0]
    assert any(ending in f.suffixes for f in FORMATS)
    assert count(read(path.rename(path.with_suffix(ending)))) == N_ROWS
    refused("is a folder", tmp_path)


def test_the_rate_of_the_header_can_replace_the_times(tmp_path):
    path = tmp_path / "a.csv"
    body = as_rows(emg(2000), 250)
    for stated, said in (("500", True), ("0.5 kHz", True), ("250", False), ("4 ms", False)):
        path.write_bytes(f"# Sampling rate: {stated}\n".encode() + csv_bytes(body))
        notes = [n for n in read(path).notes if "the header states" in n]
        assert bool(notes) == said
        if said:
            words = shlex.split(notes[0].cure)
            options = {"columns": parse_map([words[words.index("--map") + 1]]), "fs": 500.0}
            assert words[-1] == "500"
            assert read(path, **options).channels[0].fs == 500
