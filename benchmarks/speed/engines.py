"""Both engines side by side on the same arrays, in turn in one process."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from scipy import signal

from benchmarks.speed.peer_worker import script
from twitchsense.bench.process import measure_cost
from twitchsense.bench.stages import StageSampler
from twitchsense.bench.synthetic import Arrays, make_tile, repeat_arrays
from twitchsense.bench.throughput import analyze_arrays
from twitchsense.dsp.engine import engine
from twitchsense.threads import VARIABLE

Figures = dict[str, Any]

SIGNALS = {
    "EMG and acceleration alone": (False, False),
    "with a heart": (True, False),
    "with hum": (False, True),
    "with a heart and hum": (True, True),
}
ENGINES = ("scipy", "native")


def measure_engines(hours: float, rounds: int = 3) -> Figures:
    """Measure the analysis with either engine, and two usual operations on the EMG, in a thread."""
    rows = []
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "1"
    for name, (heart, hum) in SIGNALS.items():
        arrays = repeat_arrays(make_tile(heart=heart, hum=hum), 3600 * hours)
        emg = [x.astype(np.float64) for x, fs in arrays.values() if fs == 1000]
        took: dict[str, list[float]] = {}
        for _ in range(rounds):
            for key, job in _jobs(arrays, emg).items():
                took.setdefault(key, []).append(measure_cost(job).seconds)
        row: Figures = {"signal": name, "hours": hours}
        row |= {f"{key}_s": min(times) for key, times in took.items()}
        row["stages"] = {key: _stages(arrays, key, row[f"{key}_s"]) for key in ENGINES}
        rows.append(row)
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before
    return {"rows": rows}


def _jobs(arrays: Arrays, emg: list[np.ndarray]) -> dict[str, Any]:
    sos = signal.butter(4, (20, 450), "bandpass", fs=1000, output="sos")
    find = script()

    def analyse(name: str) -> None:
        with engine(name):
            analyze_arrays(arrays)

    return {
        "scipy": lambda: analyse("scipy"),
        "native": lambda: analyse("native"),
        "sosfilt": lambda: [signal.sosfilt(sos, x) for x in emg],
        "script": lambda: [find(x, 1000.0) for x in emg],
    }


def _stages(arrays: Arrays, name: str, seconds: float) -> dict[str, float]:
    with engine(name), StageSampler() as sampler:
        analyze_arrays(arrays)
    shares = sampler.seconds()
    return {stage: seconds * s / sum(shares.values()) for stage, s in shares.items()}


def section(figures: Figures, table: Any) -> list[str]:
    """Return the section of the page."""
    rows = figures["rows"]
    last = rows[-1]
    stages = sorted(last["stages"]["scipy"], key=lambda s: -last["stages"]["scipy"][s])
    return [
        "## Two engines",
        "",
        "The [compiled engine](compiled-engine.md) and numpy with scipy give the same tables. "
        f"{last['hours']:g} h, measured in turn in one process with one thread; the processor was "
        "shared with other programs, so the ratios are more exact than the seconds.",
        "",
        *table(
            "signal | numpy and scipy | compiled | ratio | script over compiled "
            "| compiled over one `sosfilt` of the EMG",
            (
                f"{r['signal']} | {r['scipy_s']:.2f} s | {r['native_s']:.2f} s "
                f"| {r['scipy_s'] / r['native_s']:.1f} | {r['script_s'] / r['native_s']:.1f} "
                f"| {r['native_s'] / r['sosfilt_s']:.1f}"
                for r in rows
            ),
        ),
        "",
        f"By stage, {last['signal']}:",
        "",
        *table(
            "stage | numpy and scipy, s | compiled, s | ratio",
            (
                f"{stage} | {(a := last['stages']['scipy'][stage]):.2f} "
                f"| {(b := last['stages']['native'].get(stage, 0.0)):.2f} "
                f"| {f'{a / b:.1f}' if b else ''}"
                for stage in stages
            ),
        ),
    ]
