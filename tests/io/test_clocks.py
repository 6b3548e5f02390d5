"""Time columns of every kind: units, dates, wraps, packets and clocks that were set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from tests.io.builders import content, emg, lengths, starts, write
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.model.notes import main_notes

N = 3000
FS = 250
X = emg(N)
START = datetime(2026, 3, 1, 22, 15, tzinfo=UTC)
UNIX_S = int(START.timestamp())
BERLIN = ZoneInfo("Europe/Berlin")


def capture(tmp_path, times, name="time_s", x=None, signal="emg1_uv"):
    x = X[: len(times)] if x is None else x
    return write(tmp_path / "night.csv", {name: list(times), signal: x})


def check(got, fs=FS, n=N, gaps=0, utc=None):
    channel = got.channels[0]
    assert channel.fs == pytest.approx(fs, rel=1e-6)
    assert sum(lengths(got, channel.name)) == n
    assert len(got.segments) == gaps + 1
    if utc is not None:
        assert abs(got.start_utc_ns - utc) < 10**6


# -- units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["time_s", "timestamp", "time_utc", "Unix_Time"])
@pytest.mark.parametrize(
    ("scale", "word"),
    [(1, "seconds"), (10**3, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds")],
)
def test_unix_time_is_told_by_its_magnitude(tmp_path, name, scale, word):
    whole = [(UNIX_S * 1000 + 4 * i) * scale for i in range(N)]
    cells = [f"{v // 1000}.{v % 1000:03d}" if scale == 1 else f"{v // 1000}" for v in whole]
    got = read(capture(tmp_path, cells, name))
    check(got, utc=UNIX_S * 10**9)
    assert any(f"read as Unix time in {word}" in note for note in got.notes)


@pytest.mark.parametrize("decimals", [3, 6, 9])
def test_unix_time_with_fractions(tmp_path, decimals):
    fs = 512
    cells = [f"{UNIX_S}{format(i / fs, f'.{decimals}f')[1:]}" for i in range(fs)]
    check(read(capture(tmp_path, cells)), fs, fs, utc=UNIX_S * 10**9)


@pytest.mark.parametrize(("unit", "scale"), [("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
@pytest.mark.parametrize("first", [0, 12.5])
def test_elapsed_time_in_other_units(tmp_path, unit, scale, first):
    cells = [f"{(first + i / FS) * scale:.0f}" for i in range(N)]
    by_name = read(capture(tmp_path, cells, f"time_{unit}"))
    by_option = read(capture(tmp_path, cells), time_unit=unit)
    by_spacing = read(capture(tmp_path, cells, "timestamp"))
    for got in (by_name, by_option, by_spacing):
        check(got)
        assert starts(got, "emg1") == [round(first * 1e9)]


def test_a_wrong_unit_is_refused_and_the_cure_works(tmp_path):
    path = capture(tmp_path, [f"{i * 4}" for i in range(N)])
    with pytest.raises(InputError, match=r"0\.25 Hz") as caught:
        read(path)
    assert "--time-unit ms" in caught.value.cure
    check(read(path, time_unit="ms"))


@pytest.mark.parametrize("name", ["time_s", "time_local", "timestamp", "datetime"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_serial_times_of_spreadsheets(tmp_path, name, zone):
    day = 46082 + (22 * 60 + 15) / 1440
    got = read(
        capture(tmp_path, [f"{day + i / FS / 86400:.12f}" for i in range(N)], name), zone=zone
    )
    check(got, utc=(UNIX_S - 3600) * 10**9 if zone else None)
    assert (got.start_utc_ns is None) == (zone is None)
    assert any("serial time" in note for note in got.notes)


def test_a_number_that_is_no_time_is_refused_and_the_cure_works(tmp_path):
    with pytest.raises(InputError, match="line 2: the first time_s is 8000000"):
        read(capture(tmp_path, [f"{8_000_000 + i / FS:.3f}" for i in range(N)]))
    path = capture(tmp_path, [f"{8_000_000 + i / FS:.3f}" for i in range(N)])
    assert starts(read(path, time_unit="s"), "emg1") == [8_000_000 * 10**9]


# -- local times ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["time_local", "timestamp", "Time"])
@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f"])
def test_local_dates_take_their_zone_from_the_option(tmp_path, name, form):
    local = START.astimezone(BERLIN)
    cells = [(local + timedelta(seconds=i / FS)).strftime(form) for i in range(N)]
    path = capture(tmp_path, cells, name)
    check(read(path, zone="Europe/Berlin"), utc=UNIX_S * 10**9)
    got = read(path)
    check(got)
    assert got.start_utc_ns is None
    assert any("--zone" in note for note in main_notes(got.notes))


def test_a_time_utc_without_zone_is_refused_and_both_cures_work(tmp_path):
    cells = [(START + timedelta(seconds=i / FS)).strftime("%Y-%m-%dT%H:%M:%S.%f") for i in range(N)]
    path = capture(tmp_path, cells, "time_utc")
    with pytest.raises(InputError, match="no time zone"):
        read(path)
    check(read(path, zone="UTC"), utc=UNIX_S * 10**9)
    check(read(capture(tmp_path, [c + "Z" for c in cells], "time_utc")), utc=UNIX_S * 10**9)


@pytest.mark.parametrize(
    "cell", ["0000-03-01T22:15:00Z", "1677-03-01T22:15:00Z", "9999-12-31T23:59:59-12:00"]
)
def test_a_year_that_ns_do_not_hold_is_refused_with_its_row(tmp_path, cell):
    cells = [f"{START + timedelta(seconds=i / FS):%Y-%m-%dT%H:%M:%S.%f}Z" for i in range(N)]
    cells[1000] = cell
    with pytest.raises(InputError, match="ISO 8601") as caught:
        read(capture(tmp_path, cells, "time_utc"))
    assert "1002" in caught.value.place


@pytest.mark.parametrize("offset", ["-0", "+1", "+5:30", "-3:5"])
def test_offsets_with_one_digit_beside_times_without_an_offset_are_refused(tmp_path, offset):
    cells = [f"{START + timedelta(seconds=i / FS):%Y-%m-%dT%H:%M:%S.%f}" for i in range(N)]
    cells[1000] += offset
    with pytest.raises(InputError, match="zone"):
        read(capture(tmp_path, cells, "time_utc"))


@pytest.mark.slow
@pytest.mark.parametrize("night", [datetime(2026, 3, 29), datetime(2026, 10, 25)])
@pytest.mark.parametrize("follows", [True, False])
def test_the_night_of_the_clock_change_has_no_gap(tmp_path, night, follows):
    """A phone's clock follows the change, a logger's does not; each is one clock."""
    fs, n = 25, 25 * 7200
    begin = night.replace(hour=1, minute=30, tzinfo=BERLIN).astimezone(UTC)
    steps = [begin + timedelta(seconds=i / fs) for i in range(0, n, 50)]
    offset = begin.astimezone(BERLIN).utcoffset()
    cells, signal = [], np.round(np.random.default_rng(0).normal(1, 0.01, n), 4)
    for i in range(n):
        moment = steps[i // 50] + timedelta(seconds=i % 50 / fs)
        local = moment.astimezone(BERLIN) if follows else moment + offset
        cells.append(f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}")
    path = capture(tmp_path, cells, "time_local", signal, "acc_z_g")
    got = read(path, zone="Europe/Berlin")
    check(got, fs, n, utc=int(begin.timestamp()) * 10**9)


# -- clocks that begin again or were set ----------------------------------------------------------


def of_day(seconds):
    return f"{int(seconds) // 3600 % 24:02d}:{int(seconds) // 60 % 60:02d}:{seconds % 60:06.3f}"


@pytest.mark.parametrize("gap", [0, 5, 300])
def test_midnight_in_times_of_day(tmp_path, gap):
    begin = 86400 - N / FS / 2
    seconds = begin + np.arange(N) / FS + np.where(np.arange(N) >= N // 2, gap, 0)
    got = read(capture(tmp_path, [of_day(round(v, 3)) for v in seconds], "time"))
    check(got, gaps=int(gap > 0))
    assert any("begins again at midnight" in note for note in got.notes)


@pytest.mark.parametrize("size", [86400, 86400e3, 2**16, 2**24, 2**32])
def test_a_counter_that_is_full_goes_on(tmp_path, size):
    name = "time_s" if size == 86400 else "time_ms"
    unit = 1 if size == 86400 else 1000
    ticks = np.round(size - N / FS / 2 * unit + np.arange(N) / FS * unit, 3) % size
    got = read(capture(tmp_path, [f"{v:.3f}" for v in ticks], name))
    check(got)
    assert any("begins again" in note for note in got.notes)


@pytest.mark.parametrize("shift", [0.5, 3.21, 600, 3600])
@pytest.mark.parametrize("row", [100, 2000])
def test_a_clock_that_was_set_back_is_refused_and_the_cure_works(tmp_path, shift, row):
    seconds = 5000 + np.arange(N) / FS
    seconds[row:] -= shift
    path = capture(tmp_path, [f"{v:.3f}" for v in seconds])
    with pytest.raises(InputError, match=f"line {row + 2}: time runs backwards") as caught:
        read(path)
    added = float(caught.value.cure.partition(" add ")[2].split()[0])
    seconds[row:] += added
    check(read(capture(tmp_path, [f"{v:.3f}" for v in seconds])))


def test_rows_out_of_order_are_refused_and_the_cure_works(tmp_path):
    times = [f"{i / FS:.3f}" for i in range(N)]
    swapped = times.copy()
    swapped[500:504] = swapped[500:504][::-1]
    with pytest.raises(InputError, match="sort the rows"):
        read(capture(tmp_path, swapped))
    check(read(capture(tmp_path, sorted(swapped, key=float))))


def test_a_clock_set_forward_is_a_gap(tmp_path):
    seconds = np.arange(N) / FS
    seconds[1000:] += 7.3
    check(read(capture(tmp_path, [f"{v:.3f}" for v in seconds])), gaps=1)


# -- times of packets, and rounded times ----------------------------------------------------------


@pytest.mark.parametrize("size", [2, 4, 10, 25])
@pytest.mark.parametrize("jitter", [0, 0.002])
def test_rows_of_a_packet_are_spread(tmp_path, size, jitter):
    late = np.repeat(np.random.default_rng(0).uniform(0, jitter, N // size + 1), size)[:N]
    seconds = np.arange(N) // size * size / FS + late
    got = read(capture(tmp_path, [f"{v:.4f}" for v in seconds]))
    assert got.channels[0].fs == pytest.approx(FS, rel=1e-3)
    assert lengths(got, "emg1") == [N]
    assert any("several rows have one time" in note for note in got.notes)


def test_a_lost_packet_is_a_gap(tmp_path):
    keep = np.r_[0:1000, 1200:N]
    seconds = (np.arange(N) // 10 * 10 / FS)[keep]
    got = read(capture(tmp_path, [f"{v:.3f}" for v in seconds], x=X[keep]))
    assert lengths(got, "emg1") == [1000, N - 1200]
    assert starts(got, "emg1")[1] == pytest.approx(1200 / FS * 1e9, abs=1e6)


@pytest.mark.parametrize(
    ("size", "jitter_s", "lost", "gaps"),
    [
        (10, 0.004, 0, (0, 0)),
        (10, 0.009, 0, (0, 4)),
        (20, 0.008, 0.02, (8, 20)),
        (50, 0.02, 0, (0, 3)),
    ],
)
def test_packets_that_arrive_late_have_the_true_rate(tmp_path, size, jitter_s, lost, gaps):
    rng = np.random.default_rng(2)
    count = 12_000 // size
    arrival = np.maximum.accumulate(np.arange(count) * size / FS + rng.uniform(0, jitter_s, count))
    arrival += np.arange(count) * 2e-6  # two packets at once still have two times
    keep = np.repeat(rng.random(count) >= lost, size)
    cells = [f"{1.7724e9 + v:.6f}" for v in np.repeat(arrival, size)[keep]]
    got = read(capture(tmp_path, cells, x=np.round(rng.normal(0, 20, count * size), 1)[keep]))
    assert got.channels[0].fs == pytest.approx(FS, rel=2e-3)
    assert gaps[0] <= len(lengths(got, "emg1")) - 1 <= gaps[1]


@pytest.mark.parametrize(("unit", "per_s"), [("milli", 1e3), ("micro", 1e6), ("nano", 1e9)])
def test_time_since_a_device_was_started_is_not_unix_time(tmp_path, unit, per_s):
    cells = [
        f"{(300_000 if unit == 'milli' else 3000) * per_s + i * per_s / FS:.0f}" for i in range(N)
    ]
    got = read(capture(tmp_path, cells, "timestamp"))
    assert got.start_utc_ns is None
    assert got.channels[0].fs == FS
    assert any(f"{unit}seconds from the start" in n for n in got.notes)
    assert not any("single precision" in n for n in got.notes)


def test_the_end_of_summer_time_without_a_zone_is_refused_and_the_cure_works(tmp_path):
    hours = ["02:59:59"] * 500 + ["02:00:00"] * 500
    cells = [f"2026-10-25 {h}.{i % 500 * 2:03d}" for i, h in enumerate(hours)]
    path = capture(tmp_path, cells, "time_local", X[:1000])
    with pytest.raises(InputError, match=r"zone Europe/Berlin|zone="):
        read(path)
    assert lengths(read(path, zone="Europe/Berlin"), "emg1") == [1000]


def packets(fs, size, lost, jitter_s, seed=0, seconds=30):
    """Return times of rows of packets that arrive late, and the rows that arrived."""
    rng = np.random.default_rng(seed)
    count = int(seconds * fs / size)
    arrival = np.maximum.accumulate(np.arange(count) * size / fs + rng.uniform(0, jitter_s, count))
    keep = rng.random(count) >= lost
    keep[[0, -1]] = True
    return np.repeat(arrival[keep], size), np.repeat(keep, size)


@pytest.mark.parametrize(("lost", "jitter_s"), [(0.05, 0), (0.05, 0.02), (0.2, 0.02), (0.4, 0.06)])
@pytest.mark.parametrize(("fs", "size"), [(25, 4), (104, 8), (250, 25), (1000, 4), (1000, 50)])
def test_packets_with_losses_have_the_true_rate_or_need_a_stated_one(fs, size, lost, jitter_s):
    times, keep = packets(fs, size, lost, jitter_s)
    x = np.random.default_rng(1).normal(0, 20, len(times))
    table = pd.DataFrame({"time_s": times, "emg1_uv": x})
    if fs < 200:
        table = pd.DataFrame({"time_s": times} | {f"acc_{a}_g": x / 1e3 + 0.6 for a in "xyz"})
    if jitter_s > 0.7 * size / fs:
        with pytest.raises(InputError, match=r"lost rows and a lower rate look the same.* fs"):
            read(table)
        got = read(table, fs=fs)
    else:
        got = read(table)
    channel = got.channels[0]
    assert channel.fs == pytest.approx(fs, rel=5e-3)
    last = got.segments[-1]
    end_s = last.start_ns / 1e9 + len(last.samples) / channel.fs
    assert end_s == pytest.approx(len(keep) / fs, abs=jitter_s + (2 + 32 * lost) * size / fs + 0.15)


@pytest.mark.parametrize("lost", ["regular", "random"])
def test_packets_on_the_grid_of_a_receiver_are_not_taken_for_losses(tmp_path, lost):
    # 20 ms of samples a packet, fetched every 15.6 ms: as if of 15.6 ms, with losses
    times, _ = packets(250, 5, 0.3 if lost == "random" else 0, 0)
    path = capture(tmp_path, np.ceil(times * 64 + 1e-6) / 64, x=emg(len(times)))
    with pytest.raises(InputError, match=r"the same .* fs"):
        read(path)
    assert read(path, fs=250).channels[0].fs == pytest.approx(250, rel=5e-3)


@pytest.mark.parametrize("rows", [97, 1000])
def test_block_size_does_not_change_packets(tmp_path, monkeypatch, rows):
    from twitchsense.io.text.csv import CsvTable

    path = capture(tmp_path, [f"{v:.3f}" for v in np.arange(N) // 7 * 7 / FS])
    want = content(read(path))["emg1"]
    blocks = CsvTable.blocks
    monkeypatch.setattr(
        CsvTable, "blocks", lambda self, n=10**6: blocks(self, n if n == 4096 else rows)
    )
    got = content(read(path))["emg1"]
    assert [t for t, _ in got] == [t for t, _ in want]
    np.testing.assert_array_equal(got[0][1], want[0][1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fs", "first", "form"),
    [(fs, first, repr) for fs in (25, 50, 100, 104, 128, 250) for first in (3600, 79_200)]
    + [(100, 20_000, "{:.6f}".format), (128, 40_000, "{:.6f}".format)],
)
def test_times_in_single_precision_have_the_true_rate(tmp_path, fs, first, form):
    t = (first + np.arange(4 * N) / fs).astype(np.float32)
    if (np.diff(t) <= 0).any():
        pytest.skip("too coarse: times repeat")
    cells = [str(v) if form is repr else form(float(v)) for v in t]
    z = np.round(np.random.default_rng(1).normal(1, 0.01, len(t)), 4)
    got = read(capture(tmp_path, cells, x=z, signal="acc_z_g"))
    assert got.channels[0].fs == pytest.approx(fs, rel=1e-5)
    assert lengths(got, "acc") == [len(t)]


@pytest.mark.parametrize("lost", [1, 3, 50])
def test_a_gap_in_single_precision_times_is_found(tmp_path, lost):
    keep = np.r_[0:5000, 5000 + lost : 4 * N]
    t = (79_200 + np.arange(4 * N) / 100).astype(np.float32)[keep]
    z = np.round(np.random.default_rng(1).normal(1, 0.01, len(t)), 4)
    got = read(capture(tmp_path, [str(v) for v in t], x=z, signal="acc_z_g"))
    assert got.channels[0].fs == pytest.approx(100, rel=1e-5)
    assert lengths(got, "acc") == [5000, 4 * N - 5000 - lost]


# -- rows without times ---------------------------------------------------------------------------


def test_rows_without_a_time_column_need_a_rate(tmp_path):
    path = write(tmp_path / "night.csv", {"emg1_uv": X})
    path.write_text("emg1_uv,note\n" + "".join(f"{x},\n" for x in X))
    with pytest.raises(InputError, match="no time column") as caught:
        read(path)
    assert "--fs" in caught.value.cure
    check(read(path, fs=FS))


def test_a_stated_rate_decides_between_rounding_and_loss(tmp_path):
    t = np.arange(N) // 9 * 10 + np.arange(N) % 9  # ms: 900 Hz, or 1000 Hz with losses
    path = capture(tmp_path, [repr(v / 1000) for v in t.tolist()])
    assert read(path).channels[0].fs == 900
    got = read(path, fs=1000)
    check(got, 1000, N, gaps=(N - 1) // 9)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1.0), ("ms", 1e3)])
def test_seconds_since_2001_are_not_taken_for_unix_time(tmp_path, unit, factor):
    t = (817_000_000 + np.arange(3000) / 100) * factor
    path = tmp_path / "a.csv"
    z = np.random.default_rng(1).normal(1, 0.01, len(t))
    lines = (f"{x:.3f},0.1,0.2,{v:.4f}" for x, v in zip(t, z, strict=True))
    path.write_text("\n".join(["time,acc_x_g,acc_y_g,acc_z_g", *lines]))
    with pytest.raises(InputError, match="1995-11-22 as Unix time, or 2026-11-22 if counted"):
        read(path)
    unix = read(path, time_unit=unit)
    assert unix.start_utc_ns == 817_000_000 * 10**9
    stated = read(path, time_unit=unit, start="2026-11-22T00:26:40Z")
    assert stated.start_utc_ns == (817_000_000 + 978_307_200) * 10**9
