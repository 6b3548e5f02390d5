"""Twitches of one shape: the same motor units, perhaps, seen again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from twitchsense.report.event_windows import Trace
from twitchsense.report.protocols import NightLike

Floats = NDArray[np.float64]

_HALF_MS: Final = 20.0  # around the largest peak
_MOST: Final = 500  # twitches compared of a channel, the strongest
_SHIFT_MS: Final = 3.0  # the largest peak of two copies may be another one
_ALIKE: Final = 0.85  # mean correlation inside a group [E]
_LEAST: Final = 5  # fewer are no group


@dataclass(frozen=True, slots=True)
class Shape:
    """A group of twitches with one waveform.

    Attributes
    ----------
    channel : str
    rows : tuple of int
        Rows of the event table.
    time_ms : ndarray, shape (n,)
        From the largest peak.
    waves : ndarray, shape (members, n)
        µV.
    """

    channel: str
    rows: tuple[int, ...]
    time_ms: Floats
    waves: Floats


def find_shapes(night: NightLike, traces: list[Trace], most: int = 4) -> list[Shape]:
    """Return the largest groups of twitches of one waveform.

    Waveforms are cut ±20 ms around their largest peak and compared by their best
    correlation within ±3 ms; groups come from average linkage, cut where the mean
    correlation falls below 0.85. Twitches near a gap are left out.

    Parameters
    ----------
    night : Night
    traces : list of Trace
    most : int
        Groups returned at most.
    """
    kind = night.events["trial_type"].to_numpy(object)
    size = night.events["amplitude_uv"].fillna(0).to_numpy(np.float64)
    out: list[Shape] = []
    for channel in night.recording.channels:
        if channel.kind != "emg":
            continue
        mine = [t for t in traces if t.channel == channel.name and kind[t.event] == "twitch"]
        mine = sorted(mine, key=lambda t: -size[t.event])[:_MOST]
        half, shift = (round(ms * channel.fs / 1000) for ms in (_HALF_MS, _SHIFT_MS))
        cut = [(t.event, w) for t in mine if (w := _around_peak(t, half)) is not None]
        if len(cut) < _LEAST:
            continue
        rows, waves = [r for r, _ in cut], np.stack([w for _, w in cut])
        group = fcluster(linkage(squareform(1 - _likeness(waves, shift), checks=False), "average"),
                         1 - _ALIKE, "distance")  # fmt: skip
        for g in np.unique(group):
            members = np.flatnonzero(group == g)
            if len(members) >= _LEAST:
                time = np.arange(-half, half + 1) * 1000 / channel.fs
                inside = sorted(members.tolist(), key=lambda m: rows[m])
                names = tuple(rows[m] for m in inside)
                out.append(Shape(channel.name, names, time, waves[inside]))
    return sorted(out, key=lambda s: -len(s.rows))[:most]


def _around_peak(trace: Trace, half: int) -> Floats | None:
    wave = trace.values("emg")[:, 0]
    if not np.isfinite(wave).all():
        return None
    wave = wave - np.median(wave)
    # the event stands in the middle of its window, after the lead
    inner = slice(min(half, len(wave) // 4), len(wave) - min(half, len(wave) // 4))
    peak = inner.start + int(np.abs(wave[inner]).argmax())
    if peak < half or peak + half >= len(wave):
        return None
    part = wave[peak - half : peak + half + 1]
    return part if np.ptp(part) > 0 else None


def _likeness(waves: Floats, shift: int) -> Floats:
    unit = waves - waves.mean(axis=1, keepdims=True)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    wide = np.pad(unit, ((0, 0), (shift, shift)))
    n = unit.shape[1]
    best = np.full((len(unit), len(unit)), -1.0)
    for k in range(2 * shift + 1):
        np.maximum(best, unit @ wide[:, k : k + n].T, out=best)
    best = np.maximum(best, best.T)
    np.fill_diagonal(best, 1.0)
    return np.asarray(np.clip(best, -1.0, 1.0))
