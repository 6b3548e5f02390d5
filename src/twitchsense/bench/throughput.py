"""Throughput of the analysis: signal time per second of computing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.bench.process import Cost, measure_cost
from twitchsense.bench.stages import StageSampler
from twitchsense.bench.synthetic import Arrays
from twitchsense.dsp.engine import engine, why_not_native
from twitchsense.io.read import read
from twitchsense.model.recording import Recording
from twitchsense.results.night import Night, analyze

#: Rows of a capture that are written at a time.
_ROWS: Final = 200_000


def time_numpy_sum(arrays: Arrays) -> Cost:
    """Measure `numpy.sum` over all arrays: one pass over the samples in memory."""
    return measure_cost(lambda: [np.sum(x) for x, _ in arrays.values()], 5)


def analyze_arrays(arrays: Arrays) -> Night:
    """Analyse arrays: from samples in memory to the labelled event table."""
    return analyze(Recording.from_arrays(arrays))


def time_arrays(arrays: Arrays, repeats: int = 2) -> dict[str, Any]:
    """Measure the analysis of arrays, in comparison with one pass over the samples.

    Parameters
    ----------
    arrays : dict of str to (ndarray of float32, float)
        Column name to samples and sampling rate in Hz.
    repeats : int
        Number of runs; the fastest counts.

    Returns
    -------
    dict
        ``hours`` of signal, ``events``, ``sum_s`` (`numpy.sum` over all arrays),
        ``seconds``, ``wall_s`` and ``cpu_s`` of the analysis, ``times_sum`` (analysis
        over `numpy.sum`), ``times_real_time`` (signal time over computing time), and
        ``stages``: seconds of each stage.
    """
    # once beforehand, so that imports are not measured
    analyze_arrays({name: (x[:60_000], fs) for name, (x, fs) in arrays.items()})
    with StageSampler() as sampler:
        night = analyze_arrays(arrays)
    summing = time_numpy_sum(arrays)
    cost = measure_cost(lambda: analyze_arrays(arrays), repeats)
    hours = (night.recording.end_ns - night.recording.start_ns) / 3.6e12
    shares = sampler.seconds()
    total = sum(shares.values())
    return {
        "hours": hours,
        "events": len(night.events),
        "sum_s": summing.seconds,
        "seconds": cost.seconds,
        "wall_s": cost.wall_s,
        "cpu_s": cost.cpu_s,
        "times_sum": cost.seconds / summing.seconds,
        "times_real_time": 3600 * hours / cost.seconds,
        "stages": {stage: cost.seconds * s / total for stage, s in shares.items()},
    }


def compare_engines(arrays: Arrays, repeats: int = 2) -> dict[str, Any]:
    """Measure the analysis of arrays with both engines in turn.

    Parameters
    ----------
    arrays : dict of str to (ndarray of float32, float)
        Column name to samples and sampling rate in Hz.
    repeats : int
        Number of runs of each; the fastest counts.

    Returns
    -------
    dict
        ``scipy_s``, ``native_s`` and ``scipy_over_native``; the last two are None where the
        compiled engine is not available, for the reason ``why_not_native``.
    """
    reason = why_not_native()
    names = ("scipy",) if reason else ("scipy", "native")
    took: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            with engine(name):
                took[name].append(measure_cost(lambda: analyze_arrays(arrays)).seconds)
    scipy_s = min(took["scipy"])
    native_s = min(took["native"]) if "native" in took else None
    return {
        "scipy_s": scipy_s,
        "native_s": native_s,
        "scipy_over_native": None if native_s is None else scipy_s / native_s,
        "why_not_native": reason,
    }


def time_files(captures: Sequence[Path], folder: Path, repeats: int = 1) -> dict[str, Any]:
    """Measure CSV files -> result files without the report, in comparison with parsing alone.

    Parameters
    ----------
    captures : sequence of Path
    folder : Path
        For the results.
    repeats : int
        Number of runs; the fastest counts.

    Returns
    -------
    dict
        ``megabytes`` of CSV, ``parse_s`` (pandas' C engine, the whole file into memory),
        ``seconds``, ``wall_s`` and ``cpu_s`` of the whole, ``times_parse`` (the whole over
        parsing).
    """
    parse = measure_cost(lambda: [pd.read_csv(p, engine="c") for p in captures], repeats)
    cost = time_pipeline(captures, folder, repeats)
    return {
        "megabytes": sum(p.stat().st_size for p in captures) / 1e6,
        "parse_s": parse.seconds,
        "seconds": cost.seconds,
        "wall_s": cost.wall_s,
        "cpu_s": cost.cpu_s,
        "times_parse": cost.seconds / parse.seconds,
    }


def time_pipeline(captures: Sequence[Path], folder: Path, repeats: int = 1) -> Cost:
    """Measure captures -> result files without the report."""
    out = folder / "result"
    return measure_cost(lambda: analyze(read(*captures)).save(out, report=False), repeats)


def write_csv(arrays: Arrays, seconds: float, folder: Path) -> list[Path]:
    """Write arrays, repeated up to a length, as captures.

    Parameters
    ----------
    arrays : dict of str to (ndarray of float32, float)
        Column name to samples and sampling rate in Hz.
    seconds : float
        Length of the captures.
    folder : Path

    Returns
    -------
    list of Path
        ``emg.csv`` and ``acc.csv``, where there are such columns.
    """
    paths = []
    for kind in ("emg", "acc"):
        columns = {name: x for name, (x, _) in arrays.items() if name.startswith(kind)}
        if not columns:
            continue
        fs = next(rate for name, (_, rate) in arrays.items() if name in columns)
        decimals = 1 if kind == "emg" else 4
        paths.append(folder / f"{kind}.csv")
        with paths[-1].open("w", newline="", encoding="ascii") as file:
            for first in range(0, round(seconds * fs), _ROWS):
                index = np.arange(first, min(first + _ROWS, round(seconds * fs)))
                table = pd.DataFrame({"time_s": np.round(index / fs, 6)})
                for name, x in columns.items():
                    table[name] = np.round(x.take(index, mode="wrap").astype(float), decimals)
                table.to_csv(file, index=False, header=first == 0)
    return paths
