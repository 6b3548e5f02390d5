"""Leg movements, brief contractions, gross movements, posture changes, walking and tone."""

from __future__ import annotations

import numpy as np
from scipy import signal

from .electrode import drift, log_uniform
from .events import twitch
from .leg import FS as LEG_FS
from .scene import Push, Scene

STEP = 0.01


def drive_shape(rng: np.random.Generator, seconds: float, floor: float = 0.4) -> np.ndarray:
    """Drive of a movement: fast or slow rise, ups and downs not under ``floor``, a fall."""
    n = max(4, int(seconds / STEP))
    t = np.arange(n) * STEP
    y = np.clip(0.75 + 0.22 * drift(rng, n, 1 / STEP, rng.uniform(0.15, 0.8)), floor, 1.0)
    rise, fall = rng.uniform(0.02, 0.25) * min(1, seconds), rng.uniform(0.02, 0.3) * min(1, seconds)
    if rng.random() < 0.25:
        rise = min(0.6, 0.3 * seconds)
    return y * np.clip(t / rise, 0.15, 1) * np.clip((t[-1] - t) / fall, 0.1, 1) * rng.uniform(0.25, 0.8)


def level_rms(s: Scene, wave: np.ndarray) -> np.ndarray:
    """0.15-s RMS in 10-100 Hz of the recorded clean wave (µV)."""
    y = s._band(s.rec.analogue(wave), 10, 100)
    m = int(0.15 * s.fs)
    return np.sqrt(np.convolve(y * y, np.ones(m) / m, "same"))


def contract(s: Scene, drive: np.ndarray, above: float) -> np.ndarray:
    """Interference pattern whose median lies ``above`` µV over the resting RMS (10-100 Hz)."""
    wave = s.muscle.contraction(s.rng, drive, STEP)
    level = level_rms(s, wave[0])
    level = float(np.median(level[level > 0.3 * level.max()]))
    target = np.sqrt((s.rest + above) ** 2 - s.rest**2)
    return s.sized(wave, np.ptp(wave[0]) * target / max(level, 1e-9))


def swing(s: Scene, t: float, drive: np.ndarray, g: float) -> Push:
    """Acceleration of a movement: the drive, unsteady, through the leg after 15-70 ms."""
    if not s.rec.acc_fs or g <= 0:
        return Push()
    n = int((drive.size * STEP + 1.0) * LEG_FS)
    x = np.interp(np.arange(n) / LEG_FS, np.arange(drive.size) * STEP, drive, right=0.0)
    x = x * np.clip(1 + 0.3 * drift(s.rng, n, LEG_FS, 0.2), 0.2, 2)
    acc = s.leg.respond(s.rng, x, g, s.rng.uniform(0.04, 0.09), s.gravity[min(int(t * LEG_FS), s.na - 1)])
    return s.push(t + s.rng.uniform(0.015, 0.07), acc)


def movement(
    s: Scene, t: float, seconds: float = 0.0, above: float = 0.0, g: float = -1.0, note: str = ""
) -> float:
    """A leg movement of 0.5-10 s, from just above the +8 µV rule to mV, moving or not.

    Parameters
    ----------
    seconds, above : float
        Length and level over rest (µV RMS, 10-100 Hz); 0 = drawn.
    g : float
        Peak acceleration; -1 = drawn (40 % none).
    """
    rng = s.rng
    seconds = seconds or log_uniform(rng, 0.6, 9.5)
    above = above or log_uniform(rng, 9.5, 500)
    if g < 0:
        g = 0.0 if rng.random() < (0.4 if s.rec.fs else 0.0) else log_uniform(rng, 0.012, 0.5)
    drive = drive_shape(rng, seconds)
    wave = contract(s, drive, above)
    s.lay(t, wave)
    push = swing(s, t, drive, g)
    row = s.row(t, "movement", "interference", wave[0], push=push, rms=True, note=f"{note} {above:.0f} uV above rest".strip())
    if s.rec.fs and above < 10:
        s.relabel("unclear", "at the +8 uV rule")
    if not 0.5 <= row.duration <= 10:
        s.relabel("brief_contraction" if 0.15 < row.duration < 0.45 else "unclear", "")
    if not s.rec.fs and push.peak < 0.015:
        s.relabel("unclear", "below 15 mg")
    return t + max(seconds, row.duration) + 0.3


def brief(s: Scene, t: float) -> float:
    """Contraction of 150-500 ms without jerk acceleration."""
    rng = s.rng
    seconds = rng.uniform(0.17, 0.44)
    drive = drive_shape(rng, seconds, 0.6)
    wave = contract(s, drive, log_uniform(rng, 10, 300))
    s.lay(t, wave)
    push = swing(s, t, drive, 0.0 if rng.random() < 0.6 else log_uniform(rng, 0.004, 0.05))
    row = s.row(t, "brief_contraction", "interference", wave[0], push=push, rms=True)
    if not 0.16 < row.duration < 0.49 or push.peak > 0.08:
        s.relabel("unclear", "length or acceleration at a limit")
    return t + 0.8


def periodic(s: Scene, t: float) -> float:
    """Periodic series: 5-14 alike movements every 12-45 s."""
    rng = s.rng
    gap, above, seconds = rng.uniform(14, 34), log_uniform(rng, 15, 250), rng.uniform(0.9, 4)
    g = 0.0 if rng.random() < 0.35 else log_uniform(rng, 0.015, 0.3)
    for _ in range(int(rng.integers(5, 15))):
        if t > s.end - 15:
            break
        movement(s, t, seconds * rng.uniform(0.7, 1.35), above * rng.uniform(0.7, 1.4), g * rng.uniform(0.6, 1.4), "periodic")
        t += max(gap * rng.normal(1, 0.16), seconds * 1.35 + 4)
    return t


def _writhe(s: Scene, t: float, seconds: float, g: float) -> Push:
    """Many-axis body acceleration of 0.3-8 Hz in bouts."""
    n = int((seconds + 0.4) * LEG_FS)
    sos = signal.butter(1, [0.3, s.rng.uniform(2, 8)], "bandpass", fs=LEG_FS, output="sos")
    x = signal.sosfilt(sos, s.rng.normal(size=(n, 3)), axis=0)
    bout = np.clip(0.6 + 0.5 * drift(s.rng, n, LEG_FS, 0.7), 0.05, 2)
    edge = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.3 * LEG_FS), 0, 1)
    x *= (bout * edge)[:, None]
    return s.push(t + s.rng.uniform(0.01, 0.08), g * x / max(np.linalg.norm(x, axis=1).max(), 1e-9))


def gross(s: Scene, t: float) -> float:
    """Gross body movement of 3-40 s, strong EMG and acceleration, often a turn."""
    rng = s.rng
    seconds = log_uniform(rng, 11, 40)
    n = int(seconds / STEP)
    edge = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / 30, 0.1, 1)
    drive = np.clip(0.4 + 0.3 * drift(rng, n, 1 / STEP, 0.6), 0.08, 1.0) * edge
    wave = contract(s, drive, log_uniform(rng, 30, 400))
    s.lay(t, wave)
    push = _writhe(s, t, seconds, log_uniform(rng, 0.15, 1.8))
    degrees = float(rng.choice([0, rng.uniform(5, 25), rng.uniform(35, 120)]))
    if degrees:
        s.turn(t + 0.3 * seconds, rng.uniform(0.8, 3), degrees)
    s.row(t, "gross_movement", "writhing", wave[0], push=push, rms=True, note=f"turn {degrees:.0f} deg")
    return t + seconds + 1


def posture(s: Scene, t: float) -> float:
    """Change of posture: a turn of 35-150 degrees in 0.8-3 s with 1-4 s of EMG."""
    rng = s.rng
    seconds = rng.uniform(1.2, 4)
    wave = contract(s, drive_shape(rng, seconds), log_uniform(rng, 15, 300))
    s.lay(t, wave)
    push = _writhe(s, t, seconds, log_uniform(rng, 0.06, 0.6))
    degrees = rng.uniform(35, 150)
    s.turn(t + 0.1, rng.uniform(0.8, 0.9 * seconds + 0.3), degrees)
    s.row(t, "posture_change", "turn", wave[0], push=push, rms=True, note=f"turn {degrees:.0f} deg")
    return t + seconds + 1


def walk(s: Scene, t: float) -> float:
    """Walking for 25-80 s: tibialis-like bursts, heel strikes; clear twitches in and just after."""
    rng = s.rng
    stride, seconds = rng.uniform(0.95, 1.25), rng.uniform(25, 80)
    n = int(seconds / STEP)
    phase = np.cumsum(STEP / stride * (1 + 0.03 * drift(rng, n, 1 / STEP, 2.0)))
    p = phase % 1.0
    drive = 0.7 * np.exp(-((p - 0.04) ** 2) / 0.004) + 0.5 * np.exp(-((p - 0.75) ** 2) / 0.012)
    drive = np.where(drive > 0.02, drive, 0.0)
    wave = contract(s, drive, log_uniform(rng, 40, 350))
    s.lay(t, wave)
    k = int(seconds * LEG_FS)
    q = np.interp(np.arange(k) / LEG_FS, np.arange(n) * STEP, phase)
    fade = np.clip(np.minimum(np.arange(k), np.arange(k)[::-1]) / LEG_FS, 0, 1)[:, None]
    acc = rng.uniform(0.15, 0.4) * np.sin(2 * np.pi * q)[:, None] * s.leg.along
    acc = acc + rng.uniform(0.3, 0.7) * (np.sin(4 * np.pi * q + 1) * (q % 1 > 0.55))[:, None] * s.leg.across
    acc = signal.sosfiltfilt(signal.butter(2, 12.0, fs=LEG_FS, output="sos"), acc, axis=0)
    age = (q % 1.0) * stride
    strike = rng.uniform(0.8, 2.5) * np.exp(-age / 0.035) * np.sin(2 * np.pi * 17 * age)
    acc = (acc + strike[:, None] * s.leg.along) * fade
    push = s.push(t, acc)
    s.row(t, "gross_movement", "walking", wave[0], push=push, rms=True, active=True, note=f"stride {stride:.2f} s")
    top = float(np.ptp(wave[0]))
    s.active = True
    for j in range(3, int(seconds / stride) - 3):
        if rng.random() < 0.12:
            i = int(np.searchsorted(phase, j + rng.uniform(0.25, 0.38)))
            twitch(s, t + i * STEP, max(top * rng.uniform(0.25, 1.5), 30 * s.noise), "compound" if rng.random() < 0.5 else "unit", note="in walking, stance silence")
    s.active = False
    t += seconds + rng.uniform(1, 3)
    for _ in range(int(rng.integers(2, 8))):
        twitch(s, t, log_uniform(rng, max(40, 12 * s.noise), 1500), note="just after walking")
        t += rng.uniform(1.0, 6)
    return t


def tone(s: Scene, t: float) -> float:
    """Tonic contraction of 12-70 s with clear twitches inside and just after."""
    rng = s.rng
    seconds = rng.uniform(12, 70)
    n = int(seconds / STEP)
    drive = np.clip(0.12 + 0.03 * drift(rng, n, 1 / STEP, 2.0), 0.04, 0.3)
    drive *= np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / 50, 0.15, 1)
    wave = contract(s, drive, log_uniform(rng, 10, 120))
    s.lay(t, wave)
    push = swing(s, t, drive, log_uniform(rng, 0.003, 0.08))
    s.row(t, "gross_movement", "tonic_contraction", wave[0], push=push, rms=True, active=True)
    rms = float(np.sqrt(np.mean(wave[0] ** 2)))
    s.active = True
    x = rng.uniform(3, 8)
    while x < seconds - 2:
        twitch(s, t + x, max(rms * rng.uniform(14, 45), 30 * s.noise), note="in tonic contraction")
        x += rng.uniform(3, 15)
    s.active = False
    t += seconds + rng.uniform(0.7, 3)
    for _ in range(int(rng.integers(1, 5))):
        twitch(s, t, log_uniform(rng, max(40, 12 * s.noise), 1500), note="just after tone")
        t += rng.uniform(1.0, 6)
    return t
