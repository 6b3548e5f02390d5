"""Captures of each format, read here and by independent programs: the largest differences.

Every file is written here, from the public description of its format, or by another program.
A reader that is not installed is named and skipped.

Run ``python -m benchmarks.captures.agreement``; it prints the table of docs/formats.md.
"""

from __future__ import annotations

import importlib
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.io import actigraphy_builder as builder
from tests.io import makers
from tests.io.edf_builder import EdfFile, digital
from tests.io.xdf_builder import emg_stream, encode
from twitchsense.io import read
from twitchsense.io.bids.bids_write import write_bids
from twitchsense.io.capture_export import export
from twitchsense.model.recording import Recording

Values = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Reading:
    """What another program read: values in µV or g, shape (n, width), and times in s."""

    values: Values
    times: Values


@dataclass(frozen=True)
class Case:
    """A file, and what reads it besides twitchsense."""

    name: str
    write: Callable[[Path], Path]
    channel: str
    module: str
    other: Callable[[Any, Path], Reading]
    via: str | None = None


def emg_recording(fs: float, n: int = 60_000) -> Recording:
    return Recording.from_arrays({"emg1_uv": (np.random.default_rng(1).normal(0, 12, n), fs)})


def acc_recording(n: int = 6000) -> Recording:
    g = builder.motion(n)
    return Recording.from_arrays({f"acc_{a}_g": (g[:, i], 100.0) for i, a in enumerate("xyz")})


def at_rate(values: Values, fs: float) -> Reading:
    return Reading(np.atleast_2d(values.T).T, np.arange(len(values)) / fs)


# ---- other programs --------------------------------------------------------------------


def edflib(pyedflib: Any, path: Path) -> Reading:
    with pyedflib.EdfReader(str(path)) as file:
        return at_rate(file.readSignal(0), file.getSampleFrequency(0))


def edfio(module: Any, path: Path) -> Reading:
    signal = (module.read_bdf if path.suffix == ".bdf" else module.read_edf)(path).signals[0]
    return at_rate(signal.data, signal.sampling_frequency)


def by_mne(mne: Any, path: Path) -> Reading:
    raw = mne.io.read_raw(path, verbose="error")
    return at_rate(raw.get_data([0])[0] * 1e6, raw.info["sfreq"])


def by_actfast(actfast: Any, path: Path) -> Reading:
    series = actfast.read(str(path))["timeseries"]
    fast = series.get("high_frequency") or series["acceleration"]
    times = fast["datetime"].astype(np.int64) / 1e9
    return Reading(fast["acceleration"].reshape(-1, 3), times - times[:1])


def by_cwa_reader(module: Any, path: Path) -> Reading:
    table = module.read_cwa_file(str(path))
    times = table.index.to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9
    return Reading(table[["acc_x", "acc_y", "acc_z"]].to_numpy(), times - times[0])


def by_pyxdf(pyxdf: Any, path: Path) -> Reading:
    (stream,), _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    times = np.asarray(stream["time_stamps"])
    return Reading(np.asarray(stream["time_series"])[:, :1], times - times[0])


def by_pandas(pandas: Any, path: Path) -> Reading:
    if path.name.endswith("_motion.tsv"):
        table = pandas.read_csv(path, sep="\t", header=None).to_numpy()
        return Reading(table[:, 1:] / 9.80665, table[:, 0])
    table = pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path)
    return Reading(table.iloc[:, 1:].to_numpy(), table["time_s"].to_numpy())


# ---- files -----------------------------------------------------------------------------


def exported(kind: str, recording: Recording) -> Callable[[Path], Path]:
    return lambda folder: export(recording, kind, folder / kind)[0]


def write_bdf(folder: Path) -> Path:
    module = importlib.import_module("edfio")
    x = np.random.default_rng(2).normal(0, 12, 20_000)
    signal = module.BdfSignal(x, 1000, label="emg1", physical_dimension="uV")
    module.Bdf([signal]).write(folder / "a.bdf")
    return folder / "a.bdf"


def write_motion(folder: Path) -> Path:
    write_bids(acc_recording(), folder / "bids")
    return next((folder / "bids").rglob("*_motion.tsv"))


def write_gt3x(kind: int) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        scale = builder.gt3x_parameters(256)
        log, _ = builder.gt3x_log(builder.motion(6000), 30, kind=kind, before=scale)
        files = {"info.txt": builder.gt3x_info(30), "log.bin": log}
        return builder.write_gt3x(folder / "a.gt3x", files)

    return write


def written(name: str, write: Callable[..., object], **options: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write(folder / name, builder.motion(6000), **options)
        return folder / name

    return make


def write_xdf(folder: Path) -> Path:
    times = 5000.0 + np.arange(0, 60, 5.0)
    stream = emg_stream(60_000, offsets=[(t, 3.0 + 2e-5 * (t - 5000)) for t in times])
    (folder / "a.xdf").write_bytes(encode([stream]))
    return folder / "a.xdf"


def write_fif(folder: Path) -> Path:
    mne = importlib.import_module("mne")
    info = mne.create_info(["emg1"], 999.97, "emg")
    values = np.random.default_rng(3).normal(0, 12e-6, (1, 20_000))
    mne.io.RawArray(values, info, verbose="error").save(folder / "a_raw.fif", verbose="error")
    return folder / "a_raw.fif"


def cases() -> Iterator[Case]:
    for fs in (1000.0, 999.97, 2148.1481):
        write = exported("edf", emg_recording(fs))
        name = f"EDF+ of `export`, {fs:g} Hz"
        yield Case(name, write, "emg1", "pyedflib", edflib)
        yield Case(name, write, "emg1", "edfio", edfio)
        yield Case(name, write, "emg1", "mne", by_mne)
    comma = EdfFile(digital(20), physical=(b"-3276,8", b"3276,7"))
    yield Case("EDF, decimal comma", lambda d: comma.write(d / "a.edf"), "emg1", "mne", by_mne)
    yield Case("BDF", write_bdf, "emg1", "edfio", edfio)
    yield Case("BDF", write_bdf, "emg1", "mne", by_mne)
    for name, options in (
        ("Axivity AX3, packed", {}),
        ("Axivity AX3, 16 bits, 98.87 Hz", {"packed": False, "true_hz": 98.87}),
        ("Axivity AX6", {"packed": False, "axes": 6, "scale": 3}),
    ):
        write = written("a.cwa", builder.write_cwa, **options)
        yield Case(name, write, "acc", "actfast", by_actfast)
        yield Case(name, write, "acc", "cwa_reader_rs", by_cwa_reader)
    write = written("a.bin", builder.write_geneactiv)
    yield Case("GENEActiv", write, "acc", "actfast", by_actfast)
    yield Case("ActiGraph, 16 bits", write_gt3x(26), "acc", "actfast", by_actfast)
    yield Case("ActiGraph, 12 bits", write_gt3x(0), "acc", "actfast", by_actfast)
    yield Case("XDF", write_xdf, "emg1_left", "pyxdf", by_pyxdf)
    yield Case("fif, `--via mne`", write_fif, "emg1", "mne", by_mne, "mne")
    yield Case("BIDS motion", write_motion, "acc", "pandas", by_pandas)
    yield Case("CSV", exported("csv", emg_recording(999.97)), "emg1", "pandas", by_pandas)
    yield Case("Parquet", exported("parquet", emg_recording(999.97)), "emg1", "pandas", by_pandas)


#: Columns of EMG (second) and of three axes (the last three), of a table and its times in s.
ACC_COLUMNS = slice(1, 4)


def by_table(
    columns: int | slice, factor: float = 1.0, offset: float = 0.0, fs: float = 0.0, **options: Any
) -> Callable[[Any, Path], Reading]:
    """Return a reader by pandas: values are offset + factor * number, times of column 0 or fs."""

    def read_table(pandas: Any, path: Path) -> Reading:
        table = pandas.read_csv(path, **options)
        values = table.iloc[:, columns].to_numpy(np.float64) * factor + offset
        if fs:
            return at_rate(values, fs)
        times = table.iloc[:, 0]
        if times.dtype.kind not in "fiu":
            times = pandas.to_datetime(times, format=DATE_FORMATS.get(path.name)).astype("M8[ns]")
            return Reading(np.atleast_2d(values.T).T, times.to_numpy().astype(np.int64) / 1e9)
        unit = 1e9 if times.iloc[0] > 1e15 else 1e3 if times.iloc[-1] > 1e4 else 1.0
        return Reading(np.atleast_2d(values.T).T, times.to_numpy(np.float64) / unit)

    return read_table


DATE_FORMATS = {"geneactiv.csv": "%Y-%m-%d %H:%M:%S:%f", "actigraph.csv": "%m/%d/%Y %H:%M:%S.%f"}


def text_cases() -> Iterator[Case]:
    """Yield text files of makers' programs, each read by pandas with the options it needs."""
    rng = np.random.default_rng(5)
    x = np.round(rng.normal(0, 200, 4000), 2)
    g = np.round(rng.normal([0.02, -0.1, 0.99], 0.02, (4000, 3)), 3)
    slow = np.repeat(g[:400], 10, axis=0)
    comma = makers.phyphox(g, 100, ";", ",")
    bits, plux = 3.3 / 1009 * 1e6, 3.0 / 1000 * 1e6
    emg = [
        ("OpenSignals, BITalino", "opensignals.txt", makers.opensignals(x), "emg1",
         by_table(5, bits / 1024, -bits / 2, 1000, sep="\t", comment="#", header=None)),
        ("OpenSignals, biosignalsplux", "plux.txt",
         makers.opensignals(x, 2000, "biosignalsplux", 16, "CH1"), "emg1",
         by_table(2, plux / 65536, -plux / 2, 2000, sep="\t", comment="#", header=None)),
        ("OpenBCI GUI", "openbci.txt", makers.openbci(x, slow), "emg1",
         by_table(1, fs=250, comment="%", skipinitialspace=True)),
        ("BrainFlow", "brainflow.csv", makers.brainflow(x, slow), "emg1",
         by_table(1, fs=250, sep="\t", header=None)),
        ("EMGworks", "emgworks.csv", makers.emgworks(x, g[:470]), "emg1_left",
         by_table(1, 1e6, fs=1259.259, skiprows=6)),
        ("Trigno Discover", "discover.csv", makers.discover(x, g[:470]), "emg1_right",
         by_table(1, 1e3, fs=1259.2593, skiprows=[0, 1, 2, 3, 4, 6])),
        ("Shimmer Consensys", "shimmer.csv", makers.shimmer(x, g), "emg1",
         by_table(1, 1e3, skiprows=[0, 2], sep="\t", usecols=range(5))),
        ("Noraxon", "noraxon.csv", makers.noraxon(x, slow), "emg1_left", by_table(1)),
        ("units in the header", "units.csv",
         makers.logger(x[:, None], makers.numbers(np.arange(4000) / 1000, "{:.3f}"),
                       "Time (s),EMG1 (mV)", 1e-3), "emg1", by_table(1, 1e3)),
    ]  # fmt: skip
    acc = [
        ("ActiGraph CSV", "actigraph.csv", makers.actigraph(g, 50, True),
         by_table(ACC_COLUMNS, skiprows=10)),
        ("GENEActiv CSV", "geneactiv.csv", makers.geneactiv(g),
         by_table(ACC_COLUMNS, skiprows=100, header=None, skip_blank_lines=False)),
        ("Axivity CSV", "axivity.csv", makers.axivity(g), by_table(ACC_COLUMNS, header=None)),
        ("Empatica E4", "ACC.csv", makers.empatica_e4(g),
         by_table(slice(0, 3), 1 / 64, fs=32, skiprows=2, header=None)),
        ("Polar Sensor Logger", "polar_ACC.txt", makers.polar(g),
         by_table(ACC_COLUMNS, 1e-3, sep=";", usecols=range(1, 5))),
        ("phyphox", "phyphox.csv", makers.phyphox(g), by_table(ACC_COLUMNS, 1 / 9.80665)),
        ("phyphox, decimal commas", "comma.csv", comma,
         by_table(ACC_COLUMNS, 1 / 9.80665, sep=";", decimal=",")),
        ("Movesense CSV", "movesense.csv", makers.movesense(g),
         by_table(ACC_COLUMNS, 1 / 9.80665, fs=52)),
    ]  # fmt: skip
    for title, name, text, channel, reader in emg:
        yield Case(title, text_file(name, text), channel, "pandas", reader)
    for title, name, text, reader in acc:
        channel = "acc_left" if "GENEActiv" in title else "acc"
        yield Case(title, text_file(name, text), channel, "pandas", reader)


def text_file(name: str, text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name

    return write


def compare(case: Case, folder: Path) -> str:
    """Return a row of the table."""
    path = case.write(folder)
    recording = read(path, via=case.via)
    channel = recording.channel(case.channel)
    (segment,) = recording.segments_of(case.channel)
    values = segment.samples.read(0, len(segment.samples))
    times = np.arange(len(values)) / channel.fs
    unit = "µV" if channel.kind == "emg" else "g"
    head = f"| {case.name} | {len(values):,} × {channel.width} at {channel.fs:.6g} Hz |"
    try:
        module = importlib.import_module(case.module)
    except ImportError:
        return f"{head} {case.module} | not installed | |"
    version = getattr(module, "__version__", "")
    try:
        other = case.other(module, path)
    except Exception as error:
        return f"{head} {case.module} | refuses it: {' '.join(str(error).split())[:80]} | |"
    reader = f"{case.module} {version}".strip()
    if len(other.values) != len(values):
        return f"{head} {reader} | it gives {len(other.values):,} samples | |"
    value = float(np.abs(values - other.values).max())
    time_ms = float(np.abs(times - (other.times - other.times[0])).max()) * 1000
    return f"{head} {reader} | {value:.2g} {unit} | {time_ms:.2g} ms |"


def main() -> None:
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    print("| format | read | independent reader | largest difference: value | time |")
    print("|---|---|---|---|---|")
    for case in (*cases(), *text_cases()):
        with tempfile.TemporaryDirectory() as folder:
            print(compare(case, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
