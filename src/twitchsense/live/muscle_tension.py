"""How much the EMG of a tensed muscle exceeds that at rest, from a short recording of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.model.channels import NS, Channel
from twitchsense.model.recording import Recording

#: Lower edge (Hz) of the band that is measured: movement and sweat lie below.
_LOW_HZ: Final = 20.0
#: Length (s) of the windows of which the median is taken.
_WINDOW_S: Final = 0.25
#: Time (s) after a request, and before the next one, that is not measured.
_DELAY_S: Final = 4.0
_MARGIN_S: Final = 1.0
#: Tensed over rest from which an electrode sees the muscle.
MIN_RATIO: Final = 3.0


@dataclass(frozen=True, slots=True)
class MuscleTension:
    """The EMG of one channel.

    Attributes
    ----------
    channel : str
    tensed, rest : float
        RMS, in the unit of the recording.
    """

    channel: str
    tensed: float
    rest: float

    @property
    def is_seen(self) -> bool:
        """Whether the electrode sees the muscle."""
        return self.tensed >= MIN_RATIO * self.rest > 0


def measure_tension(recording: Recording, tense_s: float, rest_s: float) -> list[MuscleTension]:
    """Measure the EMG of each channel, first tensed, then at rest.

    Parameters
    ----------
    recording : Recording
        The user tenses the muscle from its start on.
    tense_s : float
        When the user was asked to rest, s from the start.
    rest_s : float
        How long the user rested, s.

    Returns
    -------
    list of MuscleTension
        One for each EMG channel that has a signal in both parts.
    """
    found = []
    for channel in recording.channels:
        if channel.kind != "emg":
            continue
        tensed = _rms(recording, channel, _DELAY_S, tense_s - _MARGIN_S)
        rest = _rms(recording, channel, tense_s + _DELAY_S, tense_s + rest_s - _MARGIN_S)
        if tensed is not None and rest is not None:
            found.append(MuscleTension(channel.name, tensed, rest))
    return found


def _rms(recording: Recording, channel: Channel, start_s: float, stop_s: float) -> float | None:
    """Return the median RMS of the windows of a time, or None without a signal in it."""
    n = round(_WINDOW_S * channel.fs)
    windows: list[NDArray[np.float64]] = []
    for segment in recording.segments_of(channel.name):
        begin_s = (segment.start_ns - recording.start_ns) / NS
        first = max(0, round((start_s - begin_s) * channel.fs))
        last = min(len(segment.samples), round((stop_s - begin_s) * channel.fs))
        if last - first < 4 * n:
            continue
        samples = segment.samples.read(first, last)[:, 0].astype(np.float64)
        high = signal.butter(2, _LOW_HZ, "highpass", fs=channel.fs, output="sos")
        filtered = signal.sosfiltfilt(high, samples)
        windows.append(filtered[: len(filtered) // n * n].reshape(-1, n))
    if not windows:
        return None
    return float(np.median(np.sqrt((np.concatenate(windows) ** 2).mean(axis=1))))
