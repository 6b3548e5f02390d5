"""Whole recordings, by name: `compose("night", "tune", 1, data=..., openhdemg=...)`."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.canvas import Canvas, Device
from benchmarks.accuracy.parts import load_parts
from benchmarks.accuracy.scenarios import SCENARIOS, drift, ladder
from benchmarks.accuracy.splits import SPLITS
from benchmarks.accuracy.targets import log_uniform

Arrays = dict[str, tuple[np.ndarray, float]]


def _device(scenario: str, rng: np.random.Generator) -> Device:
    """Draw the recording device; three of four are the plain one of 1000 and 100 Hz."""
    plain = SCENARIOS[scenario][0] in (ladder, drift) or rng.random() < 0.7
    fs = 1000.0 if plain else float(rng.choice((500.0, 2000.0)))
    acc_fs = 100.0 if plain else float(rng.choice((50.0, 64.0, 100.0)))
    n_emg = 2 if rng.random() < 0.8 else 1
    # Half of the devices sample both sensors by one clock.
    ppm = float(rng.choice((0.0, 1.0)) * rng.uniform(20, 100) * rng.choice((-1, 1)))
    offset = float(rng.uniform(-0.02, 0.02))
    if scenario.startswith("drift"):
        ppm = float(rng.choice((-100.0, 100.0)))
    if scenario == "drift_late":
        offset += ppm * 1e-6 * 7.3 * 3600
    if scenario == "rate_mismatch":
        ppm = float(rng.choice((-5000.0, 5000.0)))
    device = Device(
        fs=fs,
        acc_fs=0.0 if scenario == "emg_only" else acc_fs,
        n_emg=0 if scenario == "acc_only" else n_emg,
        drift_ppm=ppm,
        offset_s=offset,
        rate_error=float(rng.choice((-0.005, 0.005))) if scenario == "rate_error" else 0.0,
        emg_lsb_uv=float(rng.choice((0.2, 0.8))),
        emg_range_uv=float(rng.choice((1500.0, 3000.0, 5000.0))),
        acc_range_g=float(rng.choice((4.0, 8.0, 16.0))),
        analogue_order=int(rng.choice((0, 1, 2, 4))),
        analogue_share=float(rng.uniform(0.2, 0.47)),
        sharp=bool(rng.random() < 0.6),
    )
    if scenario == "amplifiers":
        low, high = float(log_uniform(rng, 1, 20)), float(rng.uniform(150, 450))
        order = int(rng.choice((1, 2)))
        device = replace(device, pass_order=order, low_hz=low, high_hz=high)
    if scenario == "contacts" and rng.random() < 0.6:  # a click is rounded, and swings back
        low, high = float(log_uniform(rng, 0.5, 20)), float(rng.uniform(100, 450))
        device = replace(device, pass_order=1, low_hz=low, high_hz=high)
    return device


def wide_device(rng: np.random.Generator) -> tuple[Device, tuple[float, ...]]:
    """Draw any recorder that can be bought, and the noise of its channels."""
    fs = float(rng.choice((200.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0),
                          p=(0.12, 0.2, 0.2, 0.33, 0.1, 0.05)))  # fmt: skip
    n_emg = 2 if rng.random() < 0.5 else 1
    range_uv = float(rng.choice((1500.0, 3000.0, 6000.0, 12000.0)))
    bits = int(rng.choice((8, 10, 12, 16, 24), p=(0.1, 0.1, 0.2, 0.35, 0.25)))
    if bits == 8:  # the range of so coarse a converter is small
        range_uv = float(rng.choice((200.0, 500.0, 1500.0)))
    level = log_uniform(rng, 1.0, 12.0)
    filtered = rng.random() < 0.6
    device = Device(
        fs=fs,
        acc_fs=0.0 if rng.random() < 0.05 else float(rng.choice((25.0, 50.0, 52.0, 100.0, 200.0),
                                                                 p=(0.08, 0.2, 0.2, 0.42, 0.1))),
        n_emg=n_emg,
        drift_ppm=float(rng.choice((0.0, 1.0)) * rng.uniform(-50, 50)),
        offset_s=float(rng.uniform(-0.01, 0.01)),
        emg_lsb_uv=2 * range_uv / 2**bits,
        emg_range_uv=range_uv,
        acc_range_g=float(rng.choice((4.0, 8.0, 16.0))),
        analogue_order=int(rng.choice((0, 1, 2, 4))),
        analogue_share=float(rng.uniform(0.2, 0.47)) * min(1.0, 1000.0 / fs),
        sharp=bool(rng.random() < 0.6),
        pass_order=int(rng.choice((1, 2))) if filtered else 0,
        low_hz=log_uniform(rng, 0.5, 20),
        high_hz=float(rng.uniform(150, 480)),
    )  # fmt: skip
    levels = [max(level * (1.0 if k == 0 else rng.uniform(0.7, 1.4)), 1.0) for k in range(n_emg)]
    return device, tuple(float(v) for v in levels)


def compose(
    scenario: str,
    split: str,
    seed: int,
    *,
    data: str | Path,
    openhdemg: str | Path,
    minutes: float | None = None,
) -> tuple[Arrays, pd.DataFrame]:
    """Compose a recording; the same call always gives the same samples.

    Parameters
    ----------
    scenario
        A name of `SCENARIOS`.
    split
        `tune` or `test`: the sides share no waveform and no seed.
    seed
        Number of the recording.
    data
        Folder of the real recordings.
    openhdemg
        Folder with the unzipped openhdemg wheel (`parts.fetch_openhdemg`).
    minutes
        Length; the scenario's usual one if not given.

    Returns
    -------
    arrays
        Column name to (samples, rate), as `Recording.from_arrays` takes them.
    truth
        See `canvas.COLUMNS` and the README; `truth.attrs` holds `seconds` and `device`.
    """
    builder, usual = SCENARIOS[scenario]
    name = zlib.crc32(scenario.encode())
    rng = np.random.default_rng([SPLITS[split].seed_base + seed, name])
    device = _device(scenario, rng)
    levels = tuple(float(log_uniform(rng, 2, 8)) for _ in range(max(device.n_emg, 1)))
    if len(levels) > 1:  # electrodes of one leg are put on by the same hand
        levels = (levels[0], min(max(levels[0] * float(rng.uniform(0.7, 1.4)), 2.0), 8.0))
    parts = load_parts(split, Path(data), Path(openhdemg))
    seconds = 60.0 * (usual if minutes is None else minutes)
    if scenario.startswith("wide"):
        device, levels = wide_device(rng)
    canvas = Canvas(seconds, device, parts, rng, levels)
    builder(canvas)
    arrays, truth = canvas.finish()
    truth.attrs |= {"scenario": scenario, "split": split, "seed": seed, "noise_uv": levels}
    return arrays, truth
