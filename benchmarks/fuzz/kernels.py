"""Run the compiled kernels on random signals, and compare them with numpy and scipy bit by bit.

    python -m benchmarks.fuzz.kernels [--minutes 2] [--seed 1] [--sanitize]

Signals hold what recordings hold and what they should not: flat lines, steps, bursts, hearts that
come and go, hum, values up to 1e30, rates from 198 to 4000 Hz, chunks from one sample to minutes.
With `--sanitize`, the kernels are compiled with AddressSanitizer and UndefinedBehaviorSanitizer
into a copy of the sources, and the tests of the engines run on them, too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import twitchsense as ts
from twitchsense.detect.detector import Detector
from twitchsense.dsp.acc_motion import AccMotion
from twitchsense.dsp.ecg_canceller import EcgCanceller
from twitchsense.dsp.emg_bands import EmgBands
from twitchsense.dsp.engine import engine
from twitchsense.dsp.filters import dynamic_band
from twitchsense.dsp.mains import MainsCanceller
from twitchsense.dsp.native import compiling
from twitchsense.dsp.noise_floor import NoiseFloor

RATES = (198.0, 200.0, 250.0, 256.0, 333.3, 500.0, 512.0, 999.7, 1000.0, 1024.0, 2000.0, 4000.0)
SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
ROOT = Path(__file__).parents[2]


def signal(rng: np.random.Generator, fs: float) -> np.ndarray:
    """Return 1 to 60 s of a signal."""
    n = round(fs * rng.uniform(1, 60))
    t = np.arange(n) / fs
    x = rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3)
    if rng.random() < 0.7:  # a heart, for a part of the time
        beat = np.exp(-np.square(np.arange(-0.1, 0.3, 1 / fs) / 0.012)) * 10.0 ** rng.uniform(0, 4)
        interval = rng.uniform(0.35, 1.6)
        for at in np.arange(rng.uniform(0, t[-1]), rng.uniform(0, t[-1]), interval):
            first = round((at + rng.normal() * 0.03) * fs)
            piece = x[max(0, first) : first + len(beat)]
            piece += beat[: len(piece)]
    if rng.random() < 0.7:  # hum whose frequency drifts
        line = rng.choice([50.0, 60.0]) + rng.uniform(-0.6, 0.6)
        phase = 2 * np.pi * (line * t + rng.uniform(-0.01, 0.01) * t * t)
        size = 10.0 ** rng.uniform(-1, 4) * (t > rng.uniform(-20, 20)) * (t < rng.uniform(20, 80))
        x += size * (np.sin(phase) + rng.uniform(0, 1) * np.sin(3 * phase))
    for _ in range(rng.integers(0, 6)):
        a = int(rng.integers(0, n))
        b = a + int(rng.integers(1, n + 1))
        what = rng.integers(0, 5)
        if what == 0:
            x[a:b] = 0.0
        elif what == 1:
            x[a:b] += 10.0 ** rng.uniform(0, 6)
        elif what == 2:
            x[a : a + 1] = 10.0 ** rng.uniform(0, 30)
        elif what == 3:
            x[a:b] *= 10.0 ** rng.uniform(-9, 9)
        else:
            x[a:b] = np.rint(x[a:b])
    return x


def cut(rng: np.random.Generator, x: np.ndarray) -> list[np.ndarray]:
    return np.split(x, np.sort(rng.integers(0, len(x) + 1, rng.integers(0, 12))))


def outputs(name: str, pieces: list[np.ndarray], fs: float) -> dict[str, np.ndarray]:
    """Return the output of every stage of an engine."""
    out: dict[str, list[np.ndarray]] = {}

    def keep(stage: str, values: np.ndarray) -> None:
        out.setdefault(stage, []).append(values)

    with engine(name):
        mains, ecg = MainsCanceller(fs), EcgCanceller(fs)
        hop = max(1, round(0.005 * fs))
        bands = EmgBands(fs, hop, max(1, round(fs / hop)))
        axes, motion = dynamic_band(fs), AccMotion(fs, 3, hop, max(1, round(fs / hop)))
        floor = NoiseFloor(round(fs / 5), (30.0, 0.25), min_spread=0.1)

        def after(clean: np.ndarray) -> None:
            piece = bands.push(clean.astype(np.float32), clean)
            keep("burst band", piece.band)
            keep("leg movement band", piece.leg_envelope)
            keep("seconds", piece.seconds.ravel())
            estimate = floor.push(piece.burst_envelope)
            keep("floor", np.stack([estimate.per_value(x) for x in estimate.floors[0]], axis=1))

        for x in pieces:
            acceleration = np.stack([x, -x, x * x], axis=1)
            keep("axes", axes.push(acceleration).ravel())
            if len(x):
                moved = motion.push(acceleration)
                keep("motion", moved.dynamic.ravel())
                keep("seconds of motion", moved.seconds.ravel())
                keep("hops", np.stack([moved.magnitude, moved.rate], axis=1))
            clean = mains.push(x)
            keep("hum", clean)
            after(ecg.push(clean))
        after(ecg.close())
        keep("seconds", bands.close().ravel())
        keep("seconds of motion", motion.close().ravel())
        keep("heart", ecg.pop_beats().ravel())
    return {stage: np.concatenate(values) for stage, values in out.items()}


def tables(name: str, recording: ts.Recording) -> dict[str, str]:
    """Return the tables that the detector of an engine makes of a recording."""
    with engine(name):
        detector = Detector(ts.get_profile("default-2026"), recording.channels)
        for chunk in recording.chunks():
            detector.push(chunk)
        found = detector.close()
    return {"events": found.events.to_csv(), "rejected": found.rejected.to_csv()}


def recording_of(rng: np.random.Generator, x: np.ndarray, fs: float) -> ts.Recording:
    """Return a signal as EMG with bursts, beside an accelerometer."""
    seconds, emg = len(x) / fs, np.clip(x, -1e6, 1e6)
    for _ in range(rng.integers(0, 20)):
        size = 10.0 ** rng.uniform(1, 4)
        piece = emg[int(rng.integers(0, len(x))) :][: round(fs * rng.uniform(0.005, 0.5))]
        piece += size * rng.normal(size=len(piece))
    acc = 0.002 * rng.normal(size=(round(seconds * 100) + 1, 3)) + (0.0, 0.0, 1.0)
    signals = {f"acc_{axis}_g": (acc[:, k], 100.0) for k, axis in enumerate("xyz")}
    return ts.Recording.from_arrays({"emg1_uv": (emg.astype(np.float32), fs), **signals})


def run(minutes: float, seed: int) -> int:
    """Compare both engines; return the number of differences."""
    rng, stop = np.random.default_rng(seed), time.monotonic() + 60 * minutes
    counts: Counter[str] = Counter()
    with np.errstate(all="ignore"):
        while time.monotonic() < stop:
            fs = float(rng.choice(RATES))
            x = signal(rng, fs)
            one, other = outputs("scipy", [x], fs), outputs("native", cut(rng, x), fs)
            counts["signals"] += 1
            counts["seconds"] += round(len(x) / fs)
            counts["beats"] += len(one["heart"]) // 3
            counts["with hum"] += bool(len(x) and (one["hum"] != x).any())
            for stage in one:
                same = np.array_equal(one[stage], other[stage], equal_nan=True)
                counts[f"{stage} differs"] += not same
            if fs >= 200:
                night = recording_of(rng, x, fs)
                found, expected = tables("native", night), tables("scipy", night)
                counts["bursts"] += sum(table.count("\n") - 1 for table in expected.values())
                for table in expected:
                    counts[f"{table} differs"] += found[table] != expected[table]
    print(", ".join(f"{name}: {count}" for name, count in counts.items()))
    return sum(count for name, count in counts.items() if name.endswith("differs"))


def run_sanitized(arguments: list[str]) -> int:
    """Run this script and the tests of the engines in a copy with sanitized kernels."""
    compiler = compiling.find_compiler()
    assert compiler is not None, "no C compiler"
    runtime = subprocess.run(
        [*compiler, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(Path(ts.__file__).parent, source / "twitchsense")
        native = source / "twitchsense" / "dsp" / "native"
        compiling.compile_library(native, SANITIZE)
        environment = {
            **os.environ,
            "LD_PRELOAD": runtime.stdout.strip(),
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONPATH": f"{source}{os.pathsep}{ROOT}",
            "PYTHONMALLOC": "malloc",  # every array on the heap that is watched
        }
        for command in (
            ["-m", "benchmarks.fuzz.kernels", *arguments],
            [
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "tests/dsp/test_engines.py",
                "tests/detect/test_burst_batch.py",
            ],
        ):
            done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment)
            if done.returncode:
                return done.returncode
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sanitize", action="store_true")
    args = parser.parse_args()
    if args.sanitize:
        sys.exit(run_sanitized(["--minutes", str(args.minutes), "--seed", str(args.seed)]))
    sys.exit(1 if run(args.minutes, args.seed) else 0)


if __name__ == "__main__":
    main()
