"""Cluster twitches by waveform: those of one cluster may come from the same motor units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from twitchsense.report.event_windows import EventWindow
from twitchsense.report.protocols import NightLike

Floats = NDArray[np.float64]

#: Half-width (ms) of the waveform around its largest peak.
_HALF_MS: Final = 20.0
#: Maximum number of twitches compared per channel, the largest first.
_MAX_TWITCHES: Final = 500
#: Maximum shift (ms) between two waveforms: their largest peaks may not correspond.
_MAX_SHIFT_MS: Final = 3.0
#: Mean correlation at which clusters are separated; an engineering choice.
_MIN_CORRELATION: Final = 0.85
#: Minimum number of twitches in a cluster.
_MIN_SIZE: Final = 5


@dataclass(frozen=True, slots=True)
class WaveformCluster:
    """Twitches of one channel with similar waveforms.

    Attributes
    ----------
    channel : str
    events : tuple of int
        Rows of the event table, in ascending order.
    time_ms : ndarray of float64, shape (n_samples,)
        Time from the largest peak.
    waveforms : ndarray of float64, shape (n_events, n_samples)
        µV.
    """

    channel: str
    events: tuple[int, ...]
    time_ms: Floats
    waveforms: Floats


def cluster_waveforms(
    night: NightLike, windows: list[EventWindow], max_clusters: int = 4
) -> list[WaveformCluster]:
    """Return the largest clusters of twitches with similar waveforms.

    Waveforms are cut ±20 ms around their largest peak and compared by their highest
    correlation within ±3 ms. Clusters come from average linkage, separated where the mean
    correlation falls below 0.85. Twitches next to a gap are left out.

    Parameters
    ----------
    night : Night
    windows : list of EventWindow
    max_clusters : int

    Returns
    -------
    list of WaveformCluster
        At most `max_clusters`, the largest first.
    """
    kind = night.events["trial_type"].to_numpy(object)
    amplitude = night.events["amplitude_uv"].fillna(0).to_numpy(np.float64)
    clusters: list[WaveformCluster] = []
    for channel in night.recording.channels:
        if channel.kind != "emg":
            continue
        twitches = [w for w in windows if w.channel == channel.name and kind[w.event] == "twitch"]
        twitches = sorted(twitches, key=lambda w: -amplitude[w.event])[:_MAX_TWITCHES]
        half, shift = (round(ms * channel.fs / 1000) for ms in (_HALF_MS, _MAX_SHIFT_MS))
        cut = [(w.event, x) for w in twitches if (x := _cut_around_peak(w, half)) is not None]
        if len(cut) < _MIN_SIZE:
            continue
        events, waveforms = [event for event, _ in cut], np.stack([x for _, x in cut])
        distance = squareform(1 - _correlations(waveforms, shift), checks=False)
        assigned = fcluster(linkage(distance, "average"), 1 - _MIN_CORRELATION, "distance")
        time_ms = np.arange(-half, half + 1) * 1000 / channel.fs
        for number in np.unique(assigned):
            members = np.flatnonzero(assigned == number)
            if len(members) >= _MIN_SIZE:
                ordered = sorted(members.tolist(), key=lambda m: events[m])
                rows = tuple(events[m] for m in ordered)
                clusters.append(WaveformCluster(channel.name, rows, time_ms, waveforms[ordered]))
    return sorted(clusters, key=lambda c: -len(c.events))[:max_clusters]


def _cut_around_peak(window: EventWindow, half: int) -> Floats | None:
    """Return `half` samples on either side of the largest peak; None next to a gap or edge."""
    values = window.to_units("emg")[:, 0]
    if not np.isfinite(values).all():
        return None
    values = values - np.median(values)
    # the event lies in the middle of its window, after the margin
    edge = min(half, len(values) // 4)
    peak = edge + int(np.abs(values[edge : len(values) - edge]).argmax())
    if peak < half or peak + half >= len(values):
        return None
    part = values[peak - half : peak + half + 1]
    return part if np.ptp(part) > 0 else None


def _correlations(waveforms: Floats, max_shift: int) -> Floats:
    """Return the highest correlation of each pair within `max_shift` samples.

    Parameters
    ----------
    waveforms : ndarray of float64, shape (n, n_samples)
    max_shift : int

    Returns
    -------
    ndarray of float64, shape (n, n)
        Symmetric, with a diagonal of 1.
    """
    unit = waveforms - waveforms.mean(axis=1, keepdims=True)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    padded = np.pad(unit, ((0, 0), (max_shift, max_shift)))
    n_samples = unit.shape[1]
    best = np.full((len(unit), len(unit)), -1.0)
    for k in range(2 * max_shift + 1):
        np.maximum(best, unit @ padded[:, k : k + n_samples].T, out=best)
    best = np.maximum(best, best.T)
    np.fill_diagonal(best, 1.0)
    return np.asarray(np.clip(best, -1.0, 1.0))
