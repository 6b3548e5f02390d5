"""What goes on inside a movement: its bursts, and whether the leg swings in a rhythm.

The event table holds a movement as one row. Whether it is a train of bursts is
read off the samples again, in a window around each row; the result is a pure
function of the recording and the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage, signal

from twitchsense.model.channels import NS, Channel
from twitchsense.model.intervals import runs_of
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: Kinds that may be many bursts, from this length on, read no further than that.
LONG_KINDS: Final = ("movement", "gross_movement")
LEAST_S, MOST_S, PAD_S = 1.0, 60.0, 0.4
#: Envelope: RMS over about 25 ms, at this rate; it resolves 18 Hz [E].
ENVELOPE_HZ, SMOOTH_S = 250.0, 0.010
BAND_HZ: Final = (20.0, 450.0)
#: A burst opens and closes at these shares of the way from rest to the loud tenth [E].
OPEN_SHARE, CLOSE_SHARE, LOUD = 0.5, 0.25, 0.9
BRIDGE_S: Final = 0.025
#: Frequencies among which a swing must stand out.
SWING_HZ: Final = (0.2, 5.0)
#: Power this near to the peak, as a share of its frequency, is the swing's [E].
SHARP: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Rhythms:
    """Bursts and swings inside the long rows of an event table.

    Attributes
    ----------
    bursts : DataFrame
        ``event`` (row of the table), ``onset``, ``duration`` (s), in order.
    swing_hz : ndarray, shape (events,)
        Rate of the leg's swing where most of its power is at one rhythm; else NaN.
    """

    bursts: pd.DataFrame
    swing_hz: Floats


def no_rhythms(n: int) -> Rhythms:
    """Return what is known where no samples can be read."""
    empty = pd.DataFrame({"event": np.empty(0, np.int64), "onset": [], "duration": []}, dtype=float)
    return Rhythms(empty.astype({"event": np.int64}), np.full(n, np.nan))


def leg_names(channels: Sequence[Channel], legs: Mapping[str, str]) -> dict[str, str]:
    """Return the leg of each channel as the detector names it.

    Parameters
    ----------
    channels : sequence of Channel
    legs : mapping of channel name to leg
        Where the channel itself doesn't say (`Settings.legs`).
    """
    named = {c.leg or legs.get(c.name) for c in channels} - {None}
    # an unnamed channel sits on the one leg that is named
    only = next(iter(named)) if len(named) == 1 else None
    return {c.name: c.leg or legs.get(c.name) or only or "" for c in channels}


def measure_rhythms(recording: Recording, events: pd.DataFrame, settings: Settings) -> Rhythms:
    """Measure the bursts and the swing of every long movement."""
    rhythms = no_rhythms(len(events))
    legs = leg_names(recording.channels, settings.legs)
    kinds = {c.name: c.kind for c in recording.channels}
    rows: list[tuple[int, float, float]] = []
    long = events["trial_type"].isin(LONG_KINDS) & (events["duration"] >= LEAST_S)
    for row in np.flatnonzero(long.to_numpy()).tolist():
        leg, start = str(events["leg"].iloc[row]), float(events["onset"].iloc[row])
        stop = start + min(float(events["duration"].iloc[row]), MOST_S)
        mine = {
            kind: [n for n in legs if legs[n] == leg and kinds[n] == kind]
            for kind in ("emg", "acc")
        }
        if events["channel"].iloc[row] in mine["emg"]:
            mine["emg"] = [str(events["channel"].iloc[row])]
        found = [_bursts(recording, name, start, stop) for name in mine["emg"]]
        best = max(found, key=len, default=[])
        rows += [(row, onset, length) for onset, length in best]
        swings = [_swing(recording, name, start, stop, settings) for name in mine["acc"]]
        told = [s for s in swings if np.isfinite(s)]
        rhythms.swing_hz[row] = told[0] if told else np.nan
    bursts = pd.DataFrame(rows, columns=["event", "onset", "duration"])
    return Rhythms(bursts.astype({"event": np.int64, "onset": float, "duration": float}),
                   rhythms.swing_hz)  # fmt: skip


def _bursts(
    recording: Recording, name: str, start: float, stop: float
) -> list[tuple[float, float]]:
    """Return onset and duration (s) of the bursts of an EMG channel."""
    fs = recording.channel(name).fs
    envelope, first_s = _envelope(recording, name, start - PAD_S, stop + PAD_S, fs)
    if len(envelope) == 0:
        return []
    rate = min(ENVELOPE_HZ, fs)
    rest, loud = np.quantile(envelope, [0.05, LOUD])
    above = envelope > rest + CLOSE_SHARE * (loud - rest)
    above = ndimage.binary_closing(above, np.ones(max(1, round(BRIDGE_S * rate)), bool))
    high = envelope > rest + OPEN_SHARE * (loud - rest)
    spans = [(a, b) for a, b in runs_of(np.asarray(above, bool)) if high[a:b].any()]
    return [(first_s + a / rate, (b - a) / rate) for a, b in spans]


def _envelope(
    recording: Recording, name: str, start: float, stop: float, fs: float
) -> tuple[Floats, float]:
    """Return the RMS envelope and the time of its first value; empty across a gap."""
    times, samples = recording.window(name, round(start * NS), round(stop * NS))
    steps = np.diff(times)
    if len(times) < fs / 2 or (steps > 1.5 * NS / fs).any():
        return np.empty(0), 0.0
    top = min(BAND_HZ[1], 0.45 * fs)
    sos = signal.butter(4, [BAND_HZ[0], top], "bandpass", fs=fs, output="sos")
    band = signal.sosfiltfilt(sos, samples[:, 0].astype(np.float64))
    power = ndimage.gaussian_filter1d(np.square(band), SMOOTH_S * fs)
    step = fs / min(ENVELOPE_HZ, fs)
    at = np.rint(np.arange(0, len(power), step)).astype(np.int64)
    return np.sqrt(power[at[at < len(power)]]), float(times[0]) / NS


def _swing(recording: Recording, name: str, start: float, stop: float, settings: Settings) -> float:
    """Return the rate at which the leg swings, NaN if at none above all others."""
    rule, fs = settings.trains, recording.channel(name).fs
    times, samples = recording.window(name, round(start * NS), round(stop * NS))
    if (
        len(times) < rule.rock_least * fs / rule.rock_hz[1]
        or (np.diff(times) > 1.5 * NS / fs).any()
    ):
        return float("nan")
    centred = samples.astype(np.float64) - samples.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    along = centred @ axes[0]
    # trends are turning, not swinging
    frequency, power = signal.periodogram(
        signal.detrend(along), fs, window="hann", nfft=max(4096, 4 * len(along))
    )
    band = (frequency >= SWING_HZ[0]) & (frequency <= SWING_HZ[1])
    inside = (frequency >= rule.rock_hz[0]) & (frequency <= rule.rock_hz[1])
    if power[band].sum() <= 0:
        return float("nan")
    peak = float(frequency[inside][np.argmax(power[inside])])
    share = power[band & (np.abs(frequency / peak - 1) <= SHARP)].sum() / power[band].sum()
    enough = (stop - start) * peak >= rule.rock_least
    return peak if enough and share >= rule.rock_share else float("nan")
