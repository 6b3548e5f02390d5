"""Synthetic recordings: noise, twitches, jerks, movements, a gap, an immobile leg."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from twitchsense.model.channels import NS, ArraySamples, Channel, Segment
from twitchsense.model.recording import Recording

START_UTC_NS = 1_772_573_400 * NS  # 2026-03-03 21:30 UTC


def make_recording(
    minutes: float = 20.0, seed: int = 1, *, utc: bool = True, gap: bool = True
) -> Recording:
    """Make EMG at 1000 Hz and acceleration at 100 Hz of one leg.

    Restless for the first quarter, still after it; a jerk every 4 min, a twitch
    about every 20 s, a movement every 5 min, and 20 s without signal.
    """
    rng = np.random.default_rng(seed)
    n, m = round(minutes * 60_000), round(minutes * 6_000)
    emg = rng.normal(0, 4, n)
    acc = rng.normal((0.1, 0.2, 0.97), 0.0015, (m, 3))
    length = minutes * 60
    for k, t in enumerate(np.arange(0, length / 4, 60.0)):
        acc[round(t * 100) : round((t + 60) * 100)] += (0.0, (-0.9, 0.6)[k % 2], -0.7)
    for t in np.arange(15, length / 4, 11.0):
        _shake(acc, t, 1.5, 0.25, rng)
        _burst(emg, t, 1.4, 60, rng)
    for t in np.arange(7, length - 2, 21.3):
        _burst(emg, t, rng.uniform(0.02, 0.08), rng.uniform(45, 130), rng)
    for t in np.arange(100, length - 2, 240):
        _burst(emg, t, 0.12, 260, rng)
        _jolt(acc, t + 0.03, rng.uniform(0.25, 0.9))
    for t in np.arange(200, length - 5, 300):
        _burst(emg, t, 2.0, 60, rng)
        _shake(acc, t, 1.8, 0.08, rng)
    emg_channel = Channel("emg1", "emg", "uV", 1000.0, ("emg1_uv",))
    acc_channel = Channel("acc", "acc", "g", 100.0, ("acc_x_g", "acc_y_g", "acc_z_g"))
    segments: list[Segment] = []
    cuts = (0.6 * length, 0.6 * length + 20) if gap else (length, length)
    for channel, data in ((emg_channel, emg[:, None]), (acc_channel, acc)):
        for start, stop in ((0.0, cuts[0]), (cuts[1], length)):
            a, b = round(start * channel.fs), round(stop * channel.fs)
            if b > a:
                part = np.ascontiguousarray(data[a:b], dtype=np.float32)
                segments.append(Segment(channel.name, round(start * NS), ArraySamples(part)))
    return Recording(
        (emg_channel, acc_channel),
        tuple(segments),
        start_utc_ns=START_UTC_NS if utc else None,
        zone="Europe/Berlin" if utc else None,
        source="night.csv",
        sha256="0" * 64,
        notes=("emg1: 1 gap, 20 s in all",) if gap else (),
    )


def _burst(emg: np.ndarray, t: float, duration: float, rms: float, rng) -> None:
    a, k = round(t * 1000), round(duration * 1000)
    raw = np.convolve(rng.normal(0, 1, k + 8), np.hanning(5) / 1.3, "same")[4 : 4 + k]
    emg[a : a + k] += rms * raw * np.hanning(k + 2)[1:-1] * 1.6


def _jolt(acc: np.ndarray, t: float, peak: float) -> None:
    a, s = round(t * 100), np.arange(40) / 100
    acc[a : a + 40] += (peak * np.exp(-s / 0.07) * np.sin(2 * np.pi * 7 * s))[:, None] * [
        0.5, 0.9, 0.4,
    ]  # fmt: skip


def _shake(acc: np.ndarray, t: float, duration: float, size: float, rng) -> None:
    a, k = round(t * 100), round(duration * 100)
    wave = np.convolve(rng.normal(0, 1, (k + 10)), np.hanning(12) / 3, "same")[5 : 5 + k]
    acc[a : a + k] += (size * wave * np.hanning(k))[:, None] * [1.0, 0.6, 0.3]


def write_captures(recording: Recording, folder: Path) -> list[Path]:
    """Write each channel of a gap-free recording as a capture."""
    paths = []
    for channel in recording.channels:
        samples = recording.segments_of(channel.name)[0].samples
        data = samples.read(0, len(samples))
        table = pd.DataFrame({"time_s": np.round(np.arange(len(data)) / channel.fs, 4)})
        for axis, name in enumerate(channel.columns):
            table[name] = np.round(data[:, axis].astype(float), 4)
        paths.append(folder / f"{channel.name}.csv")
        table.to_csv(paths[-1], index=False)
    return paths
