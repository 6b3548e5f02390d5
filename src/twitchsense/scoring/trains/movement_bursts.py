"""Bursts and rhythmic swings within a long movement, measured from the samples.

The event table holds a movement as one row. Whether it consists of a train of bursts is
measured from the samples in a window around the row; the result is a pure function of
the recording and the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage, signal

from twitchsense.model.channels import NS, leg_by_channel
from twitchsense.model.intervals import runs_of
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: Kinds of event that may consist of several bursts.
SEVERAL_BURST_KINDS: Final = ("movement", "gross_movement")
#: Shortest event that is measured, s.
MIN_DURATION_S: Final = 1.0
#: Longest part of an event that is measured, s.
MAX_DURATION_S: Final = 60.0
#: Signal before and after the event that the envelope includes, s.
PADDING_S: Final = 0.4
#: Rate of the RMS envelope, Hz; it resolves 18 Hz [E].
ENVELOPE_HZ: Final = 250.0
#: Standard deviation of the Gaussian window of the envelope, s; about 25 ms wide [E].
SMOOTHING_S: Final = 0.010
#: Band of the EMG, Hz.
BAND_HZ: Final = (20.0, 450.0)
#: Quantile of the envelope that estimates the resting level.
REST_QUANTILE: Final = 0.05
#: Quantile of the envelope that estimates the active level [E].
ACTIVE_QUANTILE: Final = 0.9
#: Share of the difference between active and resting level that a burst must exceed [E].
OPEN_SHARE: Final = 0.5
#: Share of that difference at which a burst begins and ends [E].
CLOSE_SHARE: Final = 0.25
#: Gaps up to this length within a burst are bridged, s.
BRIDGE_S: Final = 0.025
#: Band of frequencies among which a swing must dominate, Hz.
SWING_HZ: Final = (0.2, 5.0)
#: Half the width of the spectral peak of a swing, relative to its frequency [E].
SWING_HALF_WIDTH: Final = 0.2
#: Step between samples above which there is a gap, in sampling intervals.
_GAP_INTERVALS: Final = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class MovementBursts:
    """Bursts and swings within the long events of a table.

    Attributes
    ----------
    bursts : DataFrame
        ``event`` (row of the event table), ``onset``, ``duration`` (s), in order.
    swing_hz : ndarray of float64, shape (events,)
        Rate of the leg's swing where one rhythm has most of the power, Hz; else NaN.
    """

    bursts: pd.DataFrame
    swing_hz: Floats


def no_movement_bursts(n: int) -> MovementBursts:
    """Return the result for events without a recording: no bursts, no swings.

    Parameters
    ----------
    n : int
        Number of events.

    Returns
    -------
    MovementBursts
    """
    empty = pd.DataFrame({"event": np.empty(0, np.int64), "onset": [], "duration": []}, dtype=float)
    return MovementBursts(empty.astype({"event": np.int64}), np.full(n, np.nan))


def measure_movement_bursts(
    recording: Recording, events: pd.DataFrame, settings: Settings
) -> MovementBursts:
    """Measure the bursts and the swing of every long movement.

    Parameters
    ----------
    recording : Recording
        Samples of the events.
    events : DataFrame
        Event table.
    settings : Settings
        ``legs``, and the limits of ``rock`` under ``trains``.

    Returns
    -------
    MovementBursts
    """
    swing_hz = np.full(len(events), np.nan)
    legs = leg_by_channel(recording.channels, settings.legs)
    kinds = {c.name: c.kind for c in recording.channels}
    rows: list[tuple[int, float, float]] = []
    long = events["trial_type"].isin(SEVERAL_BURST_KINDS) & (events["duration"] >= MIN_DURATION_S)
    for row in np.flatnonzero(long.to_numpy()).tolist():
        leg, start = str(events["leg"].iloc[row]), float(events["onset"].iloc[row])
        stop = start + min(float(events["duration"].iloc[row]), MAX_DURATION_S)
        names = {
            kind: [n for n in legs if legs[n] == leg and kinds[n] == kind]
            for kind in ("emg", "acc")
        }
        if events["channel"].iloc[row] in names["emg"]:
            names["emg"] = [str(events["channel"].iloc[row])]
        by_channel = [_find_bursts(recording, name, start, stop) for name in names["emg"]]
        most = max(by_channel, key=len, default=[])
        rows += [(row, onset, length) for onset, length in most]
        swings = [_swing_rate(recording, name, start, stop, settings) for name in names["acc"]]
        finite = [s for s in swings if np.isfinite(s)]
        swing_hz[row] = finite[0] if finite else np.nan
    bursts = pd.DataFrame(rows, columns=["event", "onset", "duration"])
    bursts = bursts.astype({"event": np.int64, "onset": float, "duration": float})
    return MovementBursts(bursts, swing_hz)


def _find_bursts(
    recording: Recording, name: str, start: float, stop: float
) -> list[tuple[float, float]]:
    """Return onset and duration (s) of the bursts of an EMG channel."""
    fs = recording.channel(name).fs
    envelope, first_s = _envelope(recording, name, start - PADDING_S, stop + PADDING_S, fs)
    if len(envelope) == 0:
        return []
    rate = min(ENVELOPE_HZ, fs)
    rest, active = np.quantile(envelope, [REST_QUANTILE, ACTIVE_QUANTILE])
    above = envelope > rest + CLOSE_SHARE * (active - rest)
    above = ndimage.binary_closing(above, np.ones(max(1, round(BRIDGE_S * rate)), bool))
    high = envelope > rest + OPEN_SHARE * (active - rest)
    runs = [(a, b) for a, b in runs_of(np.asarray(above, bool)) if high[a:b].any()]
    return [(first_s + a / rate, (b - a) / rate) for a, b in runs]


def _envelope(
    recording: Recording, name: str, start: float, stop: float, fs: float
) -> tuple[Floats, float]:
    """Return the RMS envelope and the time (s) of its first value; empty across a gap."""
    times, samples = recording.window(name, round(start * NS), round(stop * NS))
    steps = np.diff(times)
    if len(times) < fs / 2 or (steps > _GAP_INTERVALS * NS / fs).any():
        return np.empty(0), 0.0
    band = signal.sosfiltfilt(_band_sections(fs), samples[:, 0].astype(np.float64))
    power = ndimage.gaussian_filter1d(np.square(band), SMOOTHING_S * fs)
    step = fs / min(ENVELOPE_HZ, fs)
    at = np.rint(np.arange(0, len(power), step)).astype(np.int64)
    return np.sqrt(power[at[at < len(power)]]), float(times[0]) / NS


@lru_cache
def _band_sections(fs: float) -> Floats:
    """Return the sections of the band-pass filter of the EMG."""
    high_hz = min(BAND_HZ[1], 0.45 * fs)
    sos = signal.butter(4, [BAND_HZ[0], high_hz], "bandpass", fs=fs, output="sos")
    return np.asarray(sos, np.float64)


def _swing_rate(
    recording: Recording, name: str, start: float, stop: float, settings: Settings
) -> float:
    """Return the rate (Hz) at which the leg swings; NaN if no rhythm dominates."""
    rule, fs = settings.trains, recording.channel(name).fs
    times, samples = recording.window(name, round(start * NS), round(stop * NS))
    too_short = len(times) < rule.rock_least * fs / rule.rock_hz[1]
    if too_short or (np.diff(times) > _GAP_INTERVALS * NS / fs).any():
        return float("nan")
    centred = samples.astype(np.float64) - samples.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    along = centred @ axes[0]
    # a linear trend is a turn of the leg, not a swing
    frequency, power = signal.periodogram(
        signal.detrend(along), fs, window="hann", nfft=max(4096, 4 * len(along))
    )
    band = (frequency >= SWING_HZ[0]) & (frequency <= SWING_HZ[1])
    inside = (frequency >= rule.rock_hz[0]) & (frequency <= rule.rock_hz[1])
    total = power[band].sum()
    if total <= 0:
        return float("nan")
    peak = float(frequency[inside][np.argmax(power[inside])])
    near_peak = band & (np.abs(frequency / peak - 1) <= SWING_HALF_WIDTH)
    share = power[near_peak].sum() / total
    enough = (stop - start) * peak >= rule.rock_least
    return peak if enough and share >= rule.rock_share else float("nan")
