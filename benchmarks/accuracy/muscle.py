"""Waveforms of muscle at the electrodes of a recording: single units and interference pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.canvas import Canvas
from benchmarks.accuracy.units import drawn_unit
from benchmarks.accuracy.waves import (
    TEMPLATE_HZ,
    add_copies,
    in_band,
    looped,
    peak_to_peak,
    resampled,
)


@dataclass(frozen=True)
class Seen:
    """One unit as this recording's electrodes see it: a stable waveform per channel.

    `templates` have 1 µV peak to peak in the channel that sees the unit best; `others` are
    waveforms of neighbouring pairs, of which a little is mixed in from firing to firing.
    """

    templates: tuple[np.ndarray, ...]
    others: tuple[np.ndarray, ...]
    stretch: float
    source: str
    intervals: np.ndarray


def see_unit(canvas: Canvas) -> Seen:
    """Draw a unit and the electrodes' places over it."""
    rng = canvas.rng
    units = canvas.parts.units
    drawn = rng.random() < canvas.parts.split.drawn
    unit = drawn_unit(rng) if drawn else units[rng.integers(len(units))]
    count = max(canvas.device.n_emg, 1)
    height = np.ptp(unit.waves, axis=1)
    templates, others, source = [], [], unit.name
    apart = rng.random() < 0.4  # the second pair lies on another muscle
    for channel in range(count):
        strong = np.flatnonzero(height >= (0.4 if channel == 0 else 0.2) * height.max())
        pick = int(rng.choice(strong))
        near = np.abs(unit.places - unit.places[pick]).sum(axis=1)
        neighbours = np.flatnonzero((near > 0) & (near <= 1.5))
        wave = unit.waves[pick]
        other = unit.waves[int(rng.choice(neighbours))] if len(neighbours) else wave
        if channel and len(unit.waves) == 1:
            # One pair only was recorded: the second sees it weaker and later (modelled).
            wave = np.roll(wave, round(rng.uniform(-0.004, 0.004) * TEMPLATE_HZ))
            wave = wave * rng.uniform(0.1, 0.8)
        if channel and apart:
            wave = wave * rng.uniform(0.0, 0.15)
        templates.append(wave)
        others.append(other)
        if len(unit.waves) > 1:
            source += f"; pair {unit.places[pick][0]:.0f}/{unit.places[pick][1]:g}"
    most = max(np.ptp(t) for t in templates)
    if count > 1 and rng.random() < 0.35:
        templates, others = templates[::-1], others[::-1]
    sign = rng.choice((-1.0, 1.0))
    stretch = 1.0 if drawn else float(rng.uniform(*canvas.parts.split.stretch))
    return Seen(
        tuple(sign * t / most for t in templates),
        tuple(sign * t / max(np.ptp(t), 1e-9) * np.ptp(o) / most
              for t, o in zip(others, templates, strict=True)),
        stretch, source, unit.intervals,
    )  # fmt: skip


def draw_firings(
    canvas: Canvas, firings: list[tuple[Seen, float, float]], lead_s: float = 0.04
) -> list[np.ndarray]:
    """Return waveforms of a few firings (unit, seconds after `lead_s`, µV peak to peak)."""
    rng, fs = canvas.rng, canvas.fs
    last = max(t for _, t, _ in firings)
    n = round((2 * lead_s + last + 0.02) * fs)
    out = [np.zeros(n) for _ in range(max(canvas.device.n_emg, 1))]
    for seen, t, size in firings:
        mix = rng.normal(0, 0.06)  # jitter between the unit's own fibres
        for target, template, other in zip(out, seen.templates, seen.others, strict=False):
            shape = (1 - abs(mix)) * template + mix * other
            add_copies(target, fs, np.array([lead_s + t]), np.array([size]), shape, seen.stretch)
    return out


def draw_contraction(canvas: Canvas, seconds: float) -> tuple[list[np.ndarray], str]:
    """Return real contraction of unit RMS per channel; the second has other muscle and gain.

    Longer than the recording it comes from, it is continued from another place of it with a
    crossfade.
    """
    rng, fs = canvas.rng, canvas.fs
    pieces = canvas.parts.contractions
    order = rng.permutation(len(pieces))
    out, source = [], ""
    n = round(seconds * fs)
    ratio = float(rng.uniform(0.15, 0.9))
    home = 0 if rng.random() < 0.65 else 1
    first = None
    for channel in range(max(canvas.device.n_emg, 1)):
        piece = pieces[order[channel % len(order)]]
        need = int(n * piece.fs / fs) + 40
        x = _stretch(piece.x, need, rng)
        x = resampled(x, piece.fs, fs)[:n]
        x = x / x.std()
        if first is None:
            first = x
        else:
            x = 0.85 * x + 0.5 * first  # crosstalk
        own = 1.0 if channel == min(home, max(canvas.device.n_emg, 1) - 1) else ratio
        out.append(x / x.std() * own)
        source += ("; " if source else "") + piece.source
    return out, source


def _stretch(x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    if n <= len(x):
        start = int(rng.integers(0, len(x) - n + 1))
        return x[start : start + n]
    return looped(x, n, min(200, len(x) // 8), rng)


def shaped(waves: list[np.ndarray], envelope: np.ndarray, lead: int) -> list[np.ndarray]:
    """Return waves under an envelope, with `lead` samples of nothing on both sides."""
    return [np.pad(w * envelope, (lead, lead)) for w in waves]


def scaled_to(waves: list[np.ndarray], fs: float, height_uv: float) -> list[np.ndarray]:
    """Return waves such that the largest has `height_uv` peak to peak in the EMG band."""
    most = max((peak_to_peak(in_band(w, fs)) for w in waves), default=1.0)
    return [w * (height_uv / most) for w in waves]


def ramped(n: int, rise: int, fall: int) -> np.ndarray:
    """Return an envelope with raised-cosine flanks of the given samples."""
    k = np.arange(n)
    up = np.clip((k + 1) / (rise + 1), 0, 1)
    down = np.clip((n - k) / (fall + 1), 0, 1)
    return (0.5 - 0.5 * np.cos(np.pi * up)) * (0.5 - 0.5 * np.cos(np.pi * down))
