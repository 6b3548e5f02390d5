"""Measurement of several bursts together: the same bursts as one at a time, sooner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.detect.burst_feature_rows import (
    electrode_rows,
    log_main_lobe_widths,
    low_frequency_shares,
    net_area_ratios,
    spectrum_rows,
)
from twitchsense.detect.burst_measures import (
    FILTER_PAD,
    MIN_FILTERED,
    WAVEFORM_POINTS,
    WAVEFORM_S,
    assemble_burst,
    find_edges,
    measure_burst,
    zero_phase_sections,
)
from twitchsense.detect.burst_signals import BurstSignals
from twitchsense.detect.burst_window import BurstWindow, edge_share, fine_window
from twitchsense.detect.electrode_artifact import hanning
from twitchsense.detect.interpolation import reflected
from twitchsense.model.candidates import Burst
from twitchsense.model.channels import Channel
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: Number of bursts from which measuring them together is faster.
MIN_TOGETHER: Final = 5


def measure_bursts(
    channel: Channel, windows: Sequence[BurstWindow], settings: Settings
) -> list[Burst]:
    """Measure bursts.

    Parameters
    ----------
    channel : Channel
    windows : sequence of BurstWindow
    settings : Settings

    Returns
    -------
    list of Burst
        `burst_measures.measure_burst` of each window.
    """
    if len(windows) < MIN_TOGETHER:
        return [measure_burst(channel, window, settings) for window in windows]
    windows = [fine_window(window, channel.fs) for window in windows]
    fs, clean = channel.fs * windows[0].up, [w.clean for w in windows]
    bands = zero_phase_pieces(clean, fs)
    share = edge_share(channel.fs)
    edges = [
        find_edges(band, w.inside, fs, w.floor, settings, share)
        for band, w in zip(bands, windows, strict=True)
    ]
    signals = BurstSignals.join(clean, bands, [(e.begin, e.end) for e in edges], fs)
    noise_uv = np.array([w.floor.centre for w in windows])
    slow = low_frequency_shares(signals)
    electrode = electrode_rows(signals, low_frequency_share=slow, noise_uv=noise_uv)
    columns = zip(
        windows, edges, bands, (signals.peak - signals.first).tolist(), slow.tolist(), electrode,
        net_area_ratios(signals).tolist(), log_main_lobe_widths(signals).tolist(),
        spectrum_rows(signals, channel.fs).tolist(), waveforms(signals, noise_uv), strict=True,
    )  # fmt: skip
    return [
        assemble_burst(
            channel,
            window,
            edge,
            band,
            peak,
            settings,
            low_frequency_share=slow_share,
            electrode=features,
            net_area=net_area,
            main_lobe=main_lobe,
            spectrum=spectrum,
            shape=shape.copy(),  # so that a burst that is kept does not keep the others
        )
        for (
            window, edge, band, peak, slow_share, features, net_area, main_lobe, spectrum, shape,
        ) in columns
    ]  # fmt: skip


def zero_phase_pieces(pieces: Sequence[Floats], fs: float) -> list[Floats]:
    """Return `burst_measures.zero_phase` of several pieces of signal.

    Parameters
    ----------
    pieces : sequence of ndarray, shape (n,)
        EMG without mains hum and ECG, µV.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    list of ndarray, shape (n,)
    """
    filtered = [x - x.mean() if len(x) else x for x in pieces]
    alike: dict[int, list[int]] = {}
    for i, x in enumerate(pieces):
        if len(x) >= MIN_FILTERED:
            alike.setdefault(len(x).bit_length(), []).append(i)
    for members in alike.values():  # of similar length: the shorter ones are padded
        for i, y in zip(members, _zero_phase([pieces[i] for i in members], fs), strict=True):
            filtered[i] = y
    return filtered


def _zero_phase(pieces: Sequence[Floats], fs: float) -> list[Floats]:
    (sos, steady), pad = zero_phase_sections(fs), FILTER_PAD
    stops = [len(x) + 2 * pad for x in pieces]
    forth, back = np.zeros((2, len(pieces), max(stops)))
    for row, x, stop in zip(forth, pieces, stops, strict=True):
        row[:stop] = reflected(x, pad)
    forth, _ = signal.sosfilt(sos, forth, zi=steady[:, None, :] * forth[None, :, :1])
    for row, y, stop in zip(back, forth, stops, strict=True):
        row[:stop] = y[stop - 1 :: -1]
    back, _ = signal.sosfilt(sos, back, zi=steady[:, None, :] * back[None, :, :1])
    return [y[stop - 1 :: -1][pad:-pad] for y, stop in zip(back, stops, strict=True)]


def waveforms(signals: BurstSignals, noise_uv: Floats) -> NDArray[np.float32]:
    """Return `burst_measures.waveform` of each burst.

    Parameters
    ----------
    signals : BurstSignals
    noise_uv : ndarray, shape (k,)
        RMS of the noise, µV.

    Returns
    -------
    ndarray of float32, shape (k, 64)
    """
    offsets = (np.arange(WAVEFORM_POINTS) / WAVEFORM_POINTS - 0.5) * WAVEFORM_S * signals.fs
    points = (signals.peak - signals.first)[:, None] + offsets
    last = (signals.stop - signals.first - 1)[:, None]
    # as numpy.interp, with 0 outside
    low = np.clip(np.floor(points).astype(np.int64), 0, np.maximum(last - 1, 0))
    at = signals.first[:, None] + low
    left, right = signals.band[at], signals.band[np.minimum(at + 1, signals.stop[:, None] - 1)]
    between = (right - left) * (points - low) + left
    values = np.where(points == last, signals.band[signals.stop - 1][:, None], between)
    taper = hanning(WAVEFORM_POINTS)
    shape = np.where((points < 0) | (points > last), 0.0, values) * taper
    energy = np.square(shape).sum(axis=1)
    noise = np.array([uv**2 for uv in noise_uv.tolist()]) * float(np.square(taper).sum())
    own = np.maximum(energy - noise, 0.25 * energy)
    return (shape / np.sqrt(np.where(own > 0, own, 1.0))[:, None]).astype(np.float32)
