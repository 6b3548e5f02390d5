"""Tracking of a known heart: which candidates are beats, and the waveform subtracted for each.

The median waveform of the last beats is fitted to each candidate. Sums are taken in the order
of the samples, so that the compiled engine (`twitchsense.dsp.native`) gives the same bits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.buffers import SampleBuffer, ordered_sum, row_medians
from twitchsense.dsp.ecg_rhythm import (
    HALF_WIDTH_S,
    MAX_OFFSET_S,
    MIN_BEATS,
    MIN_DISTANCE_S,
    MIN_INTERVAL_S,
    Ints,
)
from twitchsense.dsp.template import Template, peak_to_peak, subtract_baseline

Floats = NDArray[np.float64]

#: Start of the subtracted waveform before the centre of the QRS complex, s.
BEFORE_S = 0.10
#: End of the subtracted waveform after the centre of the QRS complex, s.
AFTER_S = 0.40
#: Length of the taper at either end of the subtracted waveform, s.
FADE_S = 0.03
#: Number of beats whose median is subtracted.
N_AVERAGED = 15
#: Minimum share of a candidate's power that the median QRS complex explains.
MIN_EXPLAINED = 0.7
#: Minimum share for a candidate at the expected time of the next beat.
MIN_EXPLAINED_DUE = 0.2
#: Range of a beat's amplitude relative to the median beat.
AMPLITUDE_RANGE = (0.5, 1.8)
#: Maximum distance of a beat from its expected time, in RR intervals.
DUE_TOLERANCE = 0.2
#: Number of RR intervals without a beat after which the rhythm is discarded.
MAX_MISSED_BEATS = 6
#: Increase of the roughness of a beat by the subtraction of the median above which the median is
#: that of something else [E]. The noise of a median of five beats adds a third of the noise.
MAX_ROUGHENING = 2.0
#: Beats in a row that the median makes so much rougher, after which the rhythm is discarded [E].
MAX_ROUGHENED_BEATS = N_AVERAGED


class Beat(NamedTuple):
    """A heart beat: a row of `TrackedBeats.beats`.

    Attributes
    ----------
    sample : float
        Sample of the segment at the centre of the QRS complex, a whole number.
    amplitude_uv : float
        Peak-to-peak amplitude of the QRS complex, in µV.
    residual_uv : float
        Median peak-to-peak amplitude of the residue of recent beats after subtraction,
        in µV; the amplitude of the beat if no beat has been subtracted yet.
    """

    sample: float
    amplitude_uv: float
    residual_uv: float


@dataclass(frozen=True, slots=True)
class TrackedBeats:
    """What has become of the candidates for beats.

    Attributes
    ----------
    n_used : int
        Candidates that were examined; fewer than were given if the rhythm is lost.
    beats : ndarray, shape (n, 3)
        The values of each `Beat`, in order of time.
    first : ndarray of int64, shape (m,)
        First sample of each waveform to be subtracted.
    waveforms : ndarray, shape (m, length)
        In µV.
    """

    n_used: int
    beats: Floats
    first: Ints
    waveforms: Floats


class BeatLengths:
    """Lengths in samples.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.

    Attributes
    ----------
    half_width : int
        Half width of the QRS complex.
    max_offset : int
        Maximum distance of a candidate from the centre of its complex.
    before, after : int
        Extent of the subtracted waveform before and after the centre of the complex.
    beat : int
        Length of the subtracted waveform.
    until_examined : int
        A candidate is examined so many samples after it.
    min_interval : float
        Minimum distance of two beats.
    """

    def __init__(self, fs: float) -> None:
        self.half_width, self.max_offset = round(HALF_WIDTH_S * fs), round(MAX_OFFSET_S * fs)
        self.before, self.after = round(BEFORE_S * fs), round(AFTER_S * fs)
        self.beat = self.before + self.after
        self.until_examined = round(MIN_DISTANCE_S * fs)
        self.min_interval = MIN_INTERVAL_S * fs


def taper(fs: float) -> Floats:
    """Return the factor of each sample of the subtracted waveform.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray, shape (BeatLengths(fs).beat,)
        Rises from 0 and falls to 0 within `FADE_S`.
    """
    fade = max(1, round(FADE_S * fs))
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    factor = np.ones(BeatLengths(fs).beat)
    factor[:fade], factor[-fade:] = ramp, ramp[::-1]
    return factor


class BeatTracker:
    """Follows the beats of a known rhythm in one segment of one EMG channel.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.

    Attributes
    ----------
    interval : float
        RR interval in samples; 0: no rhythm is known.
    last_centre : float
        Centre of the newest beat, in samples of the segment.
    """

    def __init__(self, fs: float) -> None:
        self._lengths = BeatLengths(fs)
        self._taper = taper(fs)
        self._recent = RecentBeats(self._lengths.beat)
        self._median_beat: MedianBeat | None = None
        self._residuals: deque[float] = deque(maxlen=N_AVERAGED)
        self._roughened = 0  # beats in a row that the median made rougher
        self._incomplete: list[float] = []  # centres of beats whose waveform is incomplete
        self.interval = self.last_centre = 0.0

    def start(self, interval: float, centres: list[float]) -> None:
        """Begin with the first beats of a rhythm.

        Parameters
        ----------
        interval : float
            RR interval in samples.
        centres : list of float
            Centres of the beats in samples of the segment, ascending.
        """
        self.interval, self.last_centre = interval, centres[-1]
        self._incomplete.extend(centres)

    def track(self, x: SampleBuffer, candidates: Ints) -> TrackedBeats:
        """Decide which candidates are beats. If the rhythm is lost, everything is forgotten.

        Parameters
        ----------
        x : SampleBuffer of float64
            The segment, in µV.
        candidates : ndarray of int64, shape (n,)
            Samples of the segment, ascending.

        Returns
        -------
        TrackedBeats
        """
        beats: list[Beat] = []
        subtracted: list[tuple[int, Floats]] = []
        n_used = 0
        for sample in candidates.tolist():
            if not sample - self.last_centre < MAX_MISSED_BEATS * self.interval:
                self._reset()
                break
            self._examine(x, sample, beats, subtracted)
            n_used += 1
            if self._roughened == MAX_ROUGHENED_BEATS:
                self._reset()
                break
        first = np.array([start for start, _ in subtracted], np.int64)
        waves = np.array([w for _, w in subtracted]).reshape(-1, self._lengths.beat)
        rows = np.array(beats, np.float64).reshape(-1, len(Beat._fields))
        return TrackedBeats(n_used, rows, first, waves)

    def _examine(
        self,
        x: SampleBuffer,
        sample: int,
        beats: list[Beat],
        subtracted: list[tuple[int, Floats]],
    ) -> None:
        """Decide whether a candidate is a beat; if so, append it and its waveform.

        The waveform of a beat that the median does not explain is left out if the signal would be
        much rougher without it.
        """
        n = self._lengths
        beat = self._current_median_beat(x, sample)
        reach = n.half_width + n.max_offset
        piece = x.get(sample - reach, sample + reach)
        if beat is None or len(piece) < 2 * reach:
            return
        lag, scale, explained = beat.qrs.fit(piece)
        centre = sample + lag - n.max_offset
        gap = centre - self.last_centre
        if gap < n.min_interval or not AMPLITUDE_RANGE[0] < scale < AMPLITUDE_RANGE[1]:
            return
        count = max(1, round(gap / self.interval))
        due = abs(gap / count - self.interval) < DUE_TOLERANCE * self.interval
        if explained < (MIN_EXPLAINED_DUE if due else MIN_EXPLAINED):
            return
        clear = explained > MIN_EXPLAINED
        amplitude = scale * beat.amplitude_uv
        start = round(lag)
        part = piece[start : start + 2 * n.half_width]
        if clear:
            rest = part - scale * beat.qrs.waveform
            self._residuals.append(peak_to_peak(subtract_baseline(rest)))
        residual = median(self._residuals) if self._residuals else amplitude
        beats.append(Beat(round(centre), amplitude, residual))
        whole = int(np.floor(centre))
        without = part - beat.qrs.waveform
        rougher = not clear and roughness(without) > MAX_ROUGHENING * roughness(part)
        self._roughened = self._roughened + 1 if rougher else 0
        if not rougher:
            wave = _delayed(beat.waveform * (scale if clear else 1.0), centre - whole)
            subtracted.append((whole - n.before, wave * self._taper))
        if clear:
            self._incomplete.append(centre)
        if count == 1 and due:
            self.interval += (gap - self.interval) / 8
        self.last_centre = centre

    def _current_median_beat(self, x: SampleBuffer, sample: int) -> MedianBeat | None:
        """Return the median of the beats that are complete when a candidate is examined."""
        n = self._lengths
        complete = sample + n.until_examined
        while self._incomplete and round(self._incomplete[0]) + n.after + 1 <= complete:
            centre = self._incomplete.pop(0)
            whole = round(centre)
            first = whole - n.before
            wave = x.get(first - 1, first + n.beat + 1)
            if first - 1 >= x.start and len(wave) == n.beat + 2:
                self._recent.add(subtract_baseline(_advanced(wave, centre - whole)))
                self._median_beat = None
        if self._median_beat is None and len(self._recent) >= MIN_BEATS - 2:
            wave = self._recent.median()
            qrs = wave[n.before - n.half_width : n.before + n.half_width]
            self._median_beat = MedianBeat(wave, Template(qrs), peak_to_peak(qrs))
        return self._median_beat

    def _reset(self) -> None:
        """Discard the rhythm and its beats."""
        self.interval = 0.0
        self._roughened = 0
        self._median_beat = None
        self._recent.clear()
        self._residuals.clear()
        self._incomplete.clear()


def roughness(x: Floats) -> float:
    """Return the sum of the squared changes from sample to sample.

    Parameters
    ----------
    x : ndarray, shape (n,)
        At least two samples.

    Returns
    -------
    float
    """
    return float(ordered_sum(np.square(x[1:] - x[:-1])))


def _advanced(wave: Floats, by: float) -> Floats:
    """Return a waveform a fraction of a sample later in time, without its first and last sample.

    Parameters
    ----------
    wave : ndarray, shape (n + 2,)
    by : float
        From -0.5 to 0.5 samples; linear interpolation.
    """
    here = wave[1:-1]
    slope = wave[2:] - here if by >= 0 else here - wave[:-2]
    return np.asarray(here + by * slope, np.float64)


def _delayed(wave: Floats, by: float) -> Floats:
    """Return a waveform that begins a fraction of a sample later; before it there is nothing.

    Parameters
    ----------
    wave : ndarray, shape (n,)
    by : float
        From 0 to 1 sample; linear interpolation.
    """
    out = np.empty_like(wave)
    out[1:] = wave[1:] - by * (wave[1:] - wave[:-1])
    out[0] = wave[0] if by == 0 else 0.0
    return out


@dataclass(frozen=True, slots=True)
class MedianBeat:
    """The median of the last beats.

    Attributes
    ----------
    waveform : ndarray, shape (n,)
        In µV, from `BEFORE_S` before the centre to `AFTER_S` after it.
    qrs : Template
        The QRS complex of the waveform.
    amplitude_uv : float
        Peak-to-peak amplitude of the QRS complex, in µV.
    """

    waveform: Floats
    qrs: Template
    amplitude_uv: float


class RecentBeats:
    """Waveforms of the last `N_AVERAGED` beats.

    Parameters
    ----------
    length : int
        Samples of a beat.
    """

    def __init__(self, length: int) -> None:
        self._table = np.empty((length, N_AVERAGED))
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, N_AVERAGED)

    def add(self, waveform: Floats) -> None:
        """Add a beat; it replaces the oldest one when `N_AVERAGED` are stored.

        Parameters
        ----------
        waveform : ndarray, shape (length,)
        """
        self._table[:, self._count % N_AVERAGED] = waveform
        self._count += 1

    def median(self) -> Floats:
        """Return the sample-wise median of the beats.

        Returns
        -------
        ndarray, shape (length,)
        """
        return row_medians(self._table[:, : len(self)])

    def clear(self) -> None:
        """Remove all beats."""
        self._count = 0
