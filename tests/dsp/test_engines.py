"""The compiled engine gives the same bits as numpy and scipy, for every cutting of a signal."""

from __future__ import annotations

import json
import os
from copy import copy

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.signals import SimulatedLeg, cut_chunks, detect
from twitchsense.cli.app import main
from twitchsense.dsp.acc_motion import AccMotion
from twitchsense.dsp.buffers import ordered_sum
from twitchsense.dsp.ecg_canceller import EcgCanceller, subtract_waveforms
from twitchsense.dsp.ecg_rhythm import find_peaks
from twitchsense.dsp.emg_bands import EmgBands
from twitchsense.dsp.engine import VARIABLE, engine, engine_name, kernels, why_not_native
from twitchsense.dsp.filters import bandpass, burst_band, dynamic_band, leg_movement_band
from twitchsense.dsp.floor_memory import FloorMemories
from twitchsense.dsp.mains import MainsCanceller
from twitchsense.dsp.native import compiling, heart, sample_kernels
from twitchsense.dsp.native.floor import NativeFloorMemories
from twitchsense.dsp.native.loading import address
from twitchsense.errors import InputError

needs_kernels = pytest.mark.skipif(
    bool(why_not_native()),
    reason=f"{why_not_native()} (python src/twitchsense/dsp/native/compiling.py)",
)
BATTERY = settings(max_examples=12, deadline=None)
RATES = st.sampled_from([200.0, 250.0, 512.0, 999.7, 1000.0])
#: Equal values, and what is left after an overflow.
SPECIAL = [1.0, 2.0, 50.0, np.inf, np.nan]
CUTS = st.lists(st.integers(0, 24_000), max_size=8)


def assert_same_bits(one, other):
    """Check that two arrays have the same values; zeros may differ in sign."""
    np.testing.assert_array_equal(one, other, strict=True)


def emg(seconds, fs, seed, *, bpm=90, hum=0.0):
    """Return an EMG with a heart, a pause of it, bursts and hum."""
    leg = SimulatedLeg(seconds, fs=fs, seed=seed)
    leg.heart_beats(1.0, 0.6 * seconds, bpm, 150.0)
    leg.heart_beats(0.8 * seconds, seconds - 1, bpm, 400.0)
    leg.burst(0.5 * seconds, 0.3).twitch(0.55 * seconds)
    t = np.arange(len(leg.emg)) / fs
    drift = 49.9 * t + 0.002 * t * t
    return leg.emg + hum * (np.sin(2 * np.pi * drift) + 0.4 * np.sin(6 * np.pi * drift))


# -- the heart -----------------------------------------------------------------------------


def without_beats(name, x, cuts, fs):
    with engine(name):
        canceller = EcgCanceller(fs)
    out = [canceller.push(p) for p in np.split(x, sorted(min(c, len(x)) for c in cuts))]
    out.append(canceller.close())
    return np.concatenate(out), canceller.pop_beats().tolist()


@needs_kernels
@BATTERY
@given(fs=RATES, seed=st.integers(0, 50), bpm=st.floats(45, 140), cuts=CUTS)
def test_heart_is_subtracted_equally(fs, seed, bpm, cuts):
    x = emg(24, fs, seed, bpm=bpm)
    once, beats = without_beats("scipy", x, (), fs)
    native, found = without_beats("native", x, cuts, fs)
    assert_same_bits(once, native)
    assert beats == found


@needs_kernels
def test_many_beats_are_subtracted_equally():
    x = emg(60, 500.0, 3, bpm=75)  # more beats than are averaged, and a lost rhythm
    once, beats = without_beats("scipy", x, (), 500.0)
    native, found = without_beats("native", x, range(0, len(x), 777), 500.0)
    assert len(beats) > 40
    assert_same_bits(once, native)
    assert beats == found


@needs_kernels
@settings(max_examples=50, deadline=None)
@given(
    first=st.lists(st.integers(-30, 60), min_size=1, max_size=5),
    n=st.integers(1, 40),
    length=st.integers(1, 20),
)
def test_waveforms_are_subtracted_equally(first, n, length):
    rng = np.random.default_rng(n)
    x, waves = rng.normal(size=n), rng.normal(size=(len(first), length))
    one, other = x.copy(), x.copy()
    pending = 10, np.array(first), waves
    subtract_waveforms(one, *pending)
    heart.subtract_waveforms(kernels(), other, *pending)
    assert_same_bits(one, other)


# -- mains hum -----------------------------------------------------------------------------


def without_hum(name, x, cuts, fs):
    with engine(name):
        canceller = MainsCanceller(fs)
        return np.concatenate(
            [canceller.push(p) for p in np.split(x, sorted(min(c, len(x)) for c in cuts))]
        )


@needs_kernels
@BATTERY
@given(fs=RATES, seed=st.integers(0, 50), size=st.floats(5, 50), cuts=CUTS)
def test_hum_is_subtracted_equally(fs, seed, size, cuts):
    x = emg(24, fs, seed, hum=size)
    x[len(x) // 2 : 3 * len(x) // 4] = emg(24, fs, seed)[len(x) // 2 : 3 * len(x) // 4]
    one = without_hum("scipy", x, (), fs)
    assert (one != x).any()
    assert_same_bits(one, without_hum("native", x, cuts, fs))


@needs_kernels
def test_tables_of_sinusoids_are_bounded():
    fs = 200.0
    t = np.arange(0, 200, 1 / fs)
    drift = 49.7 * t + 0.003 * t * t / 2  # through more frequencies than tables are kept
    x = 20 * np.sin(2 * np.pi * drift) + np.random.default_rng(0).normal(size=len(t))
    assert_same_bits(without_hum("scipy", x, (), fs), without_hum("native", x, (), fs))


# -- filters, floor and peaks ----------------------------------------------------------------


@needs_kernels
@pytest.mark.parametrize("width", [0, 1, 3, 4])
@pytest.mark.parametrize(
    "make",
    [burst_band, leg_movement_band, dynamic_band, lambda fs: bandpass(8, 35, fs, order=(2, 2))],
)
def test_filters_are_equal(make, width):
    rng = np.random.default_rng(width)
    x = 1e3 + rng.normal(size=(900, width) if width else 900)
    pieces = np.split(x, [1, 2, 300, 300, 707])
    with engine("scipy"):
        one = make(1000.0)
    with engine("native"):
        other = make(1000.0)
    assert_same_bits(one.push(x), np.concatenate([other.push(p) for p in pieces]))


def measured_bands(name, x, cuts, fs, hop):
    """Return what `EmgBands` makes of a signal that arrives in pieces."""
    with engine(name):
        bands = EmgBands(fs, hop, max(1, round(fs / hop)))
    raw = np.rint(x / 40).astype(np.float32)  # values that occur more than once
    cuts = sorted(min(c, len(x)) for c in cuts)
    pieces = [bands.push(a, b) for a, b in zip(np.split(raw, cuts), np.split(x, cuts), strict=True)]
    fields = ("band", "burst_envelope", "leg_envelope", "seconds")
    joined = [np.concatenate([getattr(p, field) for p in pieces]) for field in fields]
    return [*joined, bands.close()]


@needs_kernels
@BATTERY
@given(
    fs=RATES,
    hop=st.sampled_from([1, 2, 5, 7, 20]),
    n=st.integers(0, 9000),
    cuts=st.lists(st.integers(0, 9000), max_size=12),
)
def test_bands_are_equal(fs, hop, n, cuts):
    x = 50.0 + emg(6, 1500.0, 1)[:n]
    one, other = (measured_bands(*way, fs, hop) for way in (("scipy", x, ()), ("native", x, cuts)))
    for a, b in zip(one, other, strict=True):
        assert_same_bits(a, b)
    for a, b in zip(one, measured_bands("scipy", x, cuts, fs, hop), strict=True):
        assert_same_bits(a, b)


@pytest.mark.parametrize("name", ["scipy", pytest.param("native", marks=needs_kernels)])
def test_bands_measure_what_they_say(name):
    fs, hop = 1000.0, 5
    x = 50.0 + emg(6, fs, 2)[1000:3300]
    band, burst, leg, seconds, last = measured_bands(name, x, (), fs, hop)
    alone = burst_band(fs).push(x)
    np.testing.assert_allclose(band, alone, rtol=1e-5, atol=1e-4)
    hops = np.square(alone).reshape(-1, hop).mean(axis=1)
    np.testing.assert_allclose(burst, np.sqrt((hops[1:] + hops[:-1]) / 2))
    frames = np.square(leg_movement_band(fs).push(x)).reshape(-1, 2 * hop).mean(axis=1)
    expected = [np.sqrt(frames[i : i + 15].mean()) for i in range(len(frames) - 14)]
    np.testing.assert_allclose(leg, expected)
    raw = np.rint(x / 40)
    for row, a, b in zip([*seconds, *last], (0, 1000, 2000), (1000, 2000, 2300), strict=True):
        part = raw[a:b]
        repeats = max((part == part.max()).sum(), (part == part.min()).sum())
        expected = [alone[a:b].min(), alone[a:b].max(), np.square(alone[a:b]).mean()]
        np.testing.assert_allclose(row, [*expected, np.ptp(part) / 2, repeats], rtol=1e-5)


def measured_motion(name, x, cuts, fs, hop):
    """Return what `AccMotion` makes of an acceleration that arrives in pieces."""
    with engine(name):
        motion = AccMotion(fs, x.shape[1], hop, max(1, round(fs / hop)))
    cuts = sorted({min(max(1, c), len(x)) for c in cuts})
    pieces = [motion.push(piece) for piece in np.split(x, cuts) if len(piece)]
    fields = ("dynamic", "magnitude", "rate", "seconds")
    return [*(np.concatenate([getattr(p, f) for p in pieces]) for f in fields), motion.close()]


def acceleration(n, width):
    rng = np.random.default_rng(n)
    return rng.normal(0.5, 0.1, (n, width)) + np.linspace(0, 1, n)[:, None] ** 2


@needs_kernels
@BATTERY
@given(
    fs=st.sampled_from([25.0, 52.0, 100.0, 833.0]),
    width=st.integers(1, 3),
    hop=st.sampled_from([1, 2, 8]),
    n=st.integers(1, 2000),
    cuts=CUTS,
)
def test_motion_is_equal(fs, width, hop, n, cuts):
    x, cuts = acceleration(n, width), [c % (n + 1) for c in cuts]
    one = measured_motion("scipy", x, (), fs, hop)
    for name in ("scipy", "native"):
        for a, b in zip(one, measured_motion(name, x, cuts, fs, hop), strict=True):
            assert_same_bits(a, b)


@pytest.mark.parametrize("name", ["scipy", pytest.param("native", marks=needs_kernels)])
def test_motion_measures_what_it_says(name):
    x = acceleration(230, 3)
    dynamic, magnitude, rate, seconds, last = measured_motion(name, x, (), 100.0, 2)
    np.testing.assert_allclose(dynamic, dynamic_band(100.0).push(x), atol=1e-12)
    sizes = np.linalg.norm(dynamic, axis=1)
    np.testing.assert_allclose(magnitude, sizes.reshape(-1, 2).max(axis=1))
    steps = 100 * np.linalg.norm(np.diff(dynamic, axis=0, prepend=dynamic[:1]), axis=1)
    np.testing.assert_allclose(rate, steps.reshape(-1, 2).max(axis=1))
    for row, part in zip(
        [*seconds, *last], (slice(100), slice(100, 200), slice(200, 230)), strict=True
    ):
        expected = [sizes[part].max(), sizes[part].mean(), np.ptp(x[part], axis=0).max()]
        np.testing.assert_allclose(row, [*expected, *x[part].mean(axis=0)])


@needs_kernels
@settings(max_examples=60, deadline=None)
@given(
    x=st.lists(st.integers(-4, 4), min_size=1, max_size=60),
    first=st.integers(0, 10),
    distance=st.integers(1, 6),
)
def test_peaks_are_equal(x, first, distance):
    x = np.array(x, np.float64)
    first = min(first, len(x))
    threshold = np.abs(np.random.default_rng(len(x)).normal(size=len(x) - first))
    expected = find_peaks(x, first, threshold, distance)
    found = sample_kernels.find_peaks(kernels(), x, first, threshold, distance)
    np.testing.assert_array_equal(expected, found, strict=True)


@needs_kernels
@settings(max_examples=60, deadline=None)
@given(
    seconds=st.lists(
        st.lists(st.floats(0, 9) | st.sampled_from(SPECIAL), min_size=12, max_size=12), max_size=40
    ),
    size=st.integers(1, 12),
    memories=st.lists(st.tuples(st.integers(10, 30), st.floats(0, 1)), min_size=1, max_size=2),
    least=st.sampled_from([[-np.inf], [-np.inf, 0.1]]),
    cut=st.integers(0, 40),
)
def test_floors_are_equal(seconds, size, memories, least, cut):
    rows = np.array(seconds, np.float64).reshape(-1, 12)[:, :size]
    one, other = FloorMemories(memories, least), NativeFloorMemories(kernels(), memories, least)
    with np.errstate(invalid="ignore"):  # infinite values
        for piece in (rows[:cut], rows[cut:]):
            for a, b in zip(one.learn(piece), other.learn(piece), strict=True):
                assert_same_bits(a, b)
            assert_same_bits(one.low(), other.low())
        assert_same_bits(copy(one).learn(rows)[1], copy(other).learn(rows)[1])


# -- tables of a recording -------------------------------------------------------------------


@needs_kernels
@pytest.mark.parametrize(("hum", "cuts"), [(0.0, (3.3, 11.0, 11.01, 19.7)), (6.0, (7.1, 16.4))])
def test_tables_are_equal(hum, cuts):
    leg = SimulatedLeg(30, fs=500.0, seed=4).jerk(14).movement(20, 1.2).twitch(27)
    leg.emg += emg(30, 500.0, 5, hum=hum)
    leg.emg[3500:3850] = np.nan
    recording = leg.recording()
    with engine("scipy"):
        one = detect(recording)
    with engine("native"):
        other = detect(recording, chunks=cut_chunks(recording, cuts))
    for table in ("events", "rejected"):
        a, b = getattr(one, table), getattr(other, table)
        assert a.equals(b)
    assert one.valid_s == other.valid_s
    for name, seconds in one.seconds.items():
        for field in seconds.__slots__:
            assert_same_bits(getattr(seconds, field), getattr(other.seconds[name], field))


# -- selection -------------------------------------------------------------------------------


def test_engine_is_selected_in_a_block(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with engine("scipy"):
        assert engine_name() == "scipy"
        assert kernels() is None
    assert VARIABLE not in os.environ


@needs_kernels
def test_compiled_kernels_run_by_default(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert engine_name() == "native"
    assert kernels() is not None


def test_unknown_engine_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "fortran")
    with pytest.raises(InputError, match="fortran"):
        kernels()


def test_missing_kernels_are_refused_with_the_reason(monkeypatch):
    reason = "the compiled engine is not available: it was not compiled"
    monkeypatch.setattr("twitchsense.dsp.engine.why_not_native", lambda: reason)
    monkeypatch.setenv(VARIABLE, "auto")
    assert engine_name() == "scipy"
    monkeypatch.setenv(VARIABLE, "native")
    with pytest.raises(InputError, match=r"not compiled; .* C compiler"):
        kernels()


def test_doctor_names_the_engine(monkeypatch):
    monkeypatch.setenv(VARIABLE, "scipy")
    facts = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)
    assert facts["engine"].split()[0] == "scipy"


# -- the library -----------------------------------------------------------------------------


def test_without_a_compiler_nothing_is_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(FileNotFoundError, match="no C compiler"):
        compiling.compile_library(tmp_path)
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    assert compiling.find_compiler() is None


def test_library_belongs_to_its_sources(monkeypatch, tmp_path):
    for path in compiling.FOLDER.glob("*.[ch]"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    name = compiling.kernels_name()
    monkeypatch.setattr(compiling, "FOLDER", tmp_path)
    assert compiling.kernels_name() == name
    (tmp_path / "heart.c").write_text("")
    assert compiling.kernels_name() != name


@pytest.mark.parametrize(
    ("x", "size"),
    [(np.zeros(3), 4), (np.zeros(3, np.float32), 3), (np.zeros((3, 2))[:, 0], 3)],
    ids=["size", "type", "layout"],
)
def test_kernels_refuse_arrays_of_another_size_or_type(x, size):
    with pytest.raises(ValueError, match="kernel"):
        address(x, np.float64, size)


def test_sums_are_taken_in_order():
    x = np.random.default_rng(1).normal(size=(3, 300)) * 10.0 ** np.arange(300)
    for row, total in zip(x, ordered_sum(x), strict=True):
        expected = 0.0
        for value in row.tolist():
            expected += value
        assert total == expected == ordered_sum(row)
