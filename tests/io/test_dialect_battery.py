"""A capture gives the same table in every dialect, unit, zone and rate, with any gap."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.io import makers
from tests.io.builders import content
from twitchsense.io import read
from twitchsense.model.recording import Recording

N = 500
START = datetime(2026, 3, 1, 22, 15, tzinfo=UTC)
UNIX_NS = int(START.timestamp()) * 10**9
ZONE = "Europe/Berlin"
CHECKS = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

rates = st.sampled_from([200, 250, 256, 500, 512, 1000, 1024, 1259.2593, 2000])
gaps = st.lists(st.tuples(st.integers(1, N - 2), st.integers(1, 60), st.booleans()), max_size=3)
seeds = st.integers(0, 2**16)


def signal(seed):
    """Return EMG of three decimals, some of it beyond 1000 µV."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 30, N)
    x[200:220] *= 60
    return np.round(x, 3)


def iso(moment, digits):
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}"[: 20 + digits]


def time_cells(kind, fs):
    """Return the name of the time column and its cells."""
    ns = [round(i * 1e9 / fs) for i in range(N)]
    if kind.startswith("time_"):
        scale = {"time_s": 10**9, "time_ms": 10**6, "time_us": 10**3, "time_ns": 1}[kind]
        digits = {"time_s": 9, "time_ms": 6, "time_us": 3, "time_ns": 0}[kind]
        return kind, [f"{v / scale:.{digits}f}" for v in ns]
    if kind.startswith("unix"):
        scale = {"unix_s": 10**9, "unix_ms": 10**6, "unix_us": 10**3, "unix_ns": 1}[kind]
        whole = [UNIX_NS + round(v, -3) for v in ns]
        if scale == 10**9:
            return "timestamp", [f"{v // scale}.{v % scale:09d}"[:-3] for v in whole]
        fraction = [f".{v % scale:06d}"[: 1 + (3 if scale == 10**6 else 0)] for v in whole]
        return "timestamp", [
            f"{v // scale}{f.rstrip('.')}" for v, f in zip(whole, fraction, strict=True)
        ]
    moments = [START + timedelta(microseconds=v / 1000) for v in ns]
    if kind == "utc":
        return "time_utc", [iso(m, 6) + "Z" for m in moments]
    local = [m.astimezone(ZoneInfo(ZONE)) for m in moments]
    if kind == "offset":
        return "time_utc", [iso(m, 6) + "+01:00" for m in local]
    return "time_local", [iso(m, 6).replace("T", " ") for m in local]


def number(value, decimal, thousands, quoted):
    """Return a number as text: decimal sign, and thousands separator if it has room."""
    text = f"{value:,.3f}" if thousands else f"{value:.3f}"
    text = text.replace(",", "T").replace(".", decimal).replace("T", thousands)
    return f'"{text}"' if quoted else text


@CHECKS
@given(
    seed=seeds,
    fs=rates,
    lost=gaps,
    kind=st.sampled_from(
        ["time_s", "time_ms", "time_us", "time_ns", "unix_s", "unix_ms", "unix_us", "unix_ns"]
        + ["utc", "offset", "local"]
    ),
    unit=st.sampled_from([("uv", 1), ("mv", 1000), ("v", 10**6)]),
    style=st.sampled_from(
        [(",", ".", "", False), (",", ".", ",", True), (",", ".", "'", False)]
        + [(",", ",", "", True), (";", ",", "", False), (";", ",", ".", False)]
        + [(";", ".", " ", False), ("\t", ",", "", False), ("\t", ".", "'", False)]
        + [("|", ".", "", False)]
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    head=st.sampled_from(["", "# a comment", "Subject: 7", "\ufeff"]),
    packed=st.booleans(),
    word=st.sampled_from(["", "NaN", "-1.#IND", "off", "#N/A"]),
)
def test_any_dialect_gives_the_plain_table(
    tmp_path, seed, fs, lost, kind, unit, style, end, head, packed, word
):
    x, keep = signal(seed), np.ones(N, bool)
    name, times = time_cells(kind, fs)
    sep, decimal, thousands, quoted = style
    dated = name in ("time_utc", "time_local")
    cells = [number(v, decimal, thousands, quoted) for v in x]
    if unit[1] > 1:  # small numbers: no thousands, more decimals
        cells = [f"{v / unit[1]:.9f}".replace(".", decimal) for v in x]
        cells = [f'"{c}"' for c in cells] if quoted else cells
    expected = x.copy()
    for start, count, row_is_missing in lost:
        stop = min(start + count, N - 1)
        expected[start:stop] = np.nan
        if row_is_missing:
            keep[start:stop] = False
        else:
            cells[start:stop] = [word] * (stop - start)
    if not dated:
        times = [t.replace(".", decimal) for t in times]
        times = [f'"{t}"' for t in times] if quoted else times
    lines = [f"sep={sep}"] * (sep == "|") + [f"{name}{sep}emg1_{unit[0]}"]
    if head == "\ufeff":
        lines[0] = head + lines[0]
    elif head:
        lines.insert(len(lines) - 1, head)
    lines += [f"{t}{sep}{c}" for t, c, k in zip(times, cells, keep, strict=True) if k]
    data = (end.join(lines) + end).encode()
    path = tmp_path / "night.csv"
    path.write_bytes(gzip.compress(data) if packed else data)
    got = read(path, zone=ZONE)
    # times of a microsecond leave a rate without a round number open to a millionth
    want = Recording.from_arrays({"emg1_uv": (expected, fs)})
    assert got.channels[0].fs == pytest.approx(fs, rel=2e-5)
    if not kind.startswith("time_"):
        assert got.start_utc_ns == UNIX_NS
    a, b = content(got)["emg1"], content(want)["emg1"]
    assert [len(s) for _, s in a] == [len(s) for _, s in b]
    for (t, found), (u, wanted) in zip(a, b, strict=True):
        assert abs(t - u) < 5000
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-3)


#: Still acceleration, beside EMG.
STILL = np.tile([0, 0, 1.0], (N, 1))
#: Writers of files of EMG, with the error of their numbers in µV.
EMG_MAKERS = {
    "opensignals": (lambda x, fs: makers.opensignals(x, fs), 2.0),
    "plux": (lambda x, fs: makers.opensignals(x, fs, "biosignalsplux", 16, "CH1"), 0.05),
    "openbci": (lambda x, fs: makers.openbci(x, fs=fs), 1e-3),
    "openbci_old": (lambda x, fs: makers.openbci(x, fs=fs, version=4), 1e-3),
    "shimmer": (lambda x, fs: makers.shimmer(x, np.tile([0, 0, 1.0], (len(x), 1)), fs), 1e-3),
    "noraxon": (lambda x, fs: makers.noraxon(x, np.tile([0, 0, 1.0], (len(x), 1)), fs), 1e-3),
    "emgworks": (lambda x, fs: makers.emgworks(x, STILL[: len(x) // 10], fs, fs / 10), 1e-3),
    "discover": (lambda x, fs: makers.discover(x, STILL[: len(x) // 10], fs, fs / 10), 1e-3),
    "units": (
        lambda x, fs: makers.logger(
            x[:, None],
            makers.numbers(np.arange(len(x)) / fs, "{:.6f}"),
            "Time (s),EMG 1 (mV)",
            1e-3,
        ),
        1e-3,
    ),
}


@CHECKS
@given(
    seed=seeds,
    fs=st.sampled_from([200, 250, 500, 1000, 2000]),
    maker=st.sampled_from(sorted(EMG_MAKERS)),
)
def test_any_makers_file_of_emg_gives_the_plain_table(tmp_path, seed, fs, maker):
    write, error = EMG_MAKERS[maker]
    x = signal(seed).clip(-1500, 1500)
    fs = (
        max(fs, 500) if maker in ("noraxon", "emgworks", "discover") else fs
    )  # its acceleration has a tenth
    fs = min(fs, 1000) if maker == "shimmer" else fs  # its acceleration has the same rate
    path = tmp_path / "night.txt"
    path.write_text(write(x, fs))
    got = read(path, zone=ZONE)
    channel = next(c.name for c in got.channels if c.kind == "emg")
    assert got.channel(channel).fs == pytest.approx(fs, rel=1e-5)
    found = np.concatenate([s for _, s in content(got)[channel]])[:, 0]
    np.testing.assert_allclose(found, x, atol=error)


#: Writers of files of acceleration, with the error of their numbers in g.
ACC_MAKERS = {
    "actigraph": (lambda a, fs: makers.actigraph(a, fs), 1e-3),
    "actigraph_times": (lambda a, fs: makers.actigraph(a, fs, True), 1e-3),
    "geneactiv": (lambda a, fs: makers.geneactiv(a, fs), 1e-3),
    "axivity": (lambda a, fs: makers.axivity(a, fs), 1e-3),
    "empatica": (lambda a, fs: makers.empatica_e4(a, fs), 0.01),
    "polar": (lambda a, fs: makers.polar(a, fs), 1e-3),
    "phyphox": (lambda a, fs: makers.phyphox(a, fs), 1e-3),
    "phyphox_comma": (lambda a, fs: makers.phyphox(a, fs, ";", ","), 1e-3),
    "movesense": (lambda a, fs: makers.movesense(a, fs), 1e-3),
}


@CHECKS
@given(
    seed=seeds,
    fs=st.sampled_from([25, 50, 100, 125, 200]),
    maker=st.sampled_from(sorted(ACC_MAKERS)),
)
def test_any_makers_file_of_acceleration_gives_the_plain_table(tmp_path, seed, fs, maker):
    write, error = ACC_MAKERS[maker]
    a = np.round(np.random.default_rng(seed).normal([0.02, -0.1, 0.99], 0.05, (N, 3)), 3)
    path = tmp_path / "night.csv"
    path.write_text(write(a, fs))
    got = read(path, zone=ZONE)
    assert got.channels[0].fs == pytest.approx(fs, rel=1e-4)
    found = np.concatenate([s for _, s in content(got)[got.channels[0].name]])
    np.testing.assert_allclose(found, a, atol=error)
