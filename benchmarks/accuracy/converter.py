"""From clean waveforms and noise to what the converter stores: gain, rails, steps, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import signal

if TYPE_CHECKING:
    from benchmarks.accuracy.canvas import Canvas

#: Corner of the soft decimation filter, as a share of the lower rate's Nyquist frequency.
SOFT_SHARE = 0.8


def per_sample(values: np.ndarray, n: int, fs: float) -> np.ndarray:
    """Return values given per second at every sample, linear between."""
    return np.interp(np.arange(n) / fs, np.arange(len(values)), values).astype(np.float32)


def amplified(canvas: Canvas, x: np.ndarray) -> np.ndarray:
    """Return a channel as it is behind the amplifier's own band-pass, if it has one."""
    d = canvas.device
    if not d.pass_order:
        return x
    sos = signal.butter(d.pass_order, (d.low_hz, d.high_hz), "bandpass", fs=canvas.fs, output="sos")
    return signal.sosfilt(sos, x)


def decimated(canvas: Canvas, x: np.ndarray) -> np.ndarray:
    """Return a channel at the rate of a device slower than the canvas."""
    factor = round(canvas.fs / canvas.device.fs)
    if canvas.device.sharp:
        return signal.resample_poly(x, 1, factor)
    return signal.sosfilt(signal.butter(3, SOFT_SHARE / factor, output="sos"), x)[::factor]


def recorded(canvas: Canvas, x: np.ndarray) -> np.ndarray:
    """Return a clean wave as far as the device can record it, at the rate of the canvas."""
    x = amplified(canvas, x)
    factor = round(canvas.fs / canvas.device.fs)
    if factor > 2:  # half of the canvas' rate leaves nearly all of the EMG band
        pad = round(0.05 * canvas.fs)
        sos = signal.butter(3, SOFT_SHARE / factor, output="sos")
        return signal.sosfiltfilt(sos, np.pad(x, pad))[pad:-pad]
    return x


def convert_emg(canvas: Canvas, channel: int, noise: np.ndarray) -> np.ndarray:
    """Return one channel as stored (µV, float32, NaN in gaps)."""
    d = canvas.device
    x = noise * per_sample(canvas.factor[channel], canvas.n, canvas.fs)
    signal_uv = canvas.emg[channel]
    if np.ptp(canvas.gain[channel]) > 0:
        signal_uv = signal_uv * per_sample(canvas.gain[channel], canvas.n, canvas.fs)
    x += signal_uv + np.float32(canvas.rng.normal(0, 20))  # offset of the amplifier
    x = amplified(canvas, x)
    if d.fs < canvas.fs:
        # Rails first: an analogue stage clips before anything filters.
        np.clip(x, -d.emg_range_uv, d.emg_range_uv, out=x)
        x = decimated(canvas, x)
    np.clip(x, -d.emg_range_uv, d.emg_range_uv, out=x)
    x = (np.round(x / d.emg_lsb_uv) * d.emg_lsb_uv).astype(np.float32)
    for where, a, b in canvas.gaps:
        if where in (channel, -1):
            x[round(a / canvas.fs * d.fs) : round(b / canvas.fs * d.fs)] = np.nan
    return x


def gravity_path(canvas: Canvas) -> np.ndarray:
    """Return gravity at every sample of the accelerometer, minimum-jerk turns between rests."""
    d = canvas.device
    times = (np.arange(canvas.n_acc) / d.acc_fs - d.offset_s) / (1 + d.drift_ppm * 1e-6)
    out = np.broadcast_to(canvas.first_gravity, (canvas.n_acc, 3)).copy()
    now = canvas.first_gravity
    for t, length, to in sorted(canvas.turns, key=lambda turn: turn[0]):
        first = int(np.searchsorted(times, t))
        s = np.clip((times[first:] - t) / length, 0, 1)
        path = (s**3 * (10 - 15 * s + 6 * s**2))[:, None]
        moved = (1 - path) * now + path * to
        out[first:] = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
        now = to
    return out


def convert_acc(canvas: Canvas, noise: np.ndarray) -> np.ndarray:
    """Return the three axes as stored (g, float32)."""
    d, rng = canvas.device, canvas.rng
    x = canvas.acc + gravity_path(canvas)
    x = x * (1 + rng.normal(0, 0.01, 3)) + rng.normal(0, 0.01, 3) + noise
    x = np.clip(x, -d.acc_range_g, d.acc_range_g)
    x = (np.round(x / d.acc_lsb_g) * d.acc_lsb_g).astype(np.float32)
    for where, a, b in canvas.gaps:
        if where in (9, -1):
            first, last = (round(canvas.on_acc_clock(i / canvas.fs) * d.acc_fs) for i in (a, b))
            x[first:last] = np.nan
    return x
