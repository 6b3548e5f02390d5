"""Adaptive subtraction of heart beats from an EMG, once the cardiac rhythm is known.

A heart beat in the EMG of a leg masks simultaneous muscle activity, and its slow waves
make muscle activity nearby resemble an electrode artefact. The beat is learned from
the signal itself (`twitchsense.dsp.ecg_rhythm`): the median waveform of the last
beats, scaled in amplitude, is subtracted wherever the next beats are found.
A waveform without a rhythm is never learned, so a twitch is preserved.

Each beat is decided from samples up to a fixed time after it, so the result does
not depend on how the signal is cut into chunks. The cost is a delay of at most
`MAX_DELAY_S` while the rhythm is known: samples are held back only where a beat may
still be subtracted.

References
----------
Kahl & Hofmann 2019, template subtraction of ECG from EMG, doi:10.1515/cdbme-2019-0090.
Boyer et al. 2023, review of methods for single-channel EMG, doi:10.3390/s23062927.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.buffers import SampleBuffer, row_medians
from twitchsense.dsp.ecg_rhythm import (
    HALF_WIDTH_S,
    MAX_AGE_S,
    MAX_CANDIDATES,
    MAX_OFFSET_S,
    MIN_BEATS,
    MIN_DISTANCE_S,
    RR_RANGE_S,
    Ints,
    PeakDetector,
    Rhythm,
    RhythmDetector,
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
#: Maximum delay of the output, s.
MAX_DELAY_S = MIN_DISTANCE_S + MAX_OFFSET_S + BEFORE_S + 0.06


@dataclass(frozen=True, slots=True)
class Beat:
    """A heart beat.

    Attributes
    ----------
    sample : int
        Sample of the segment at the centre of the QRS complex.
    amplitude_uv : float
        Peak-to-peak amplitude of the QRS complex, in µV.
    residual_uv : float
        Median peak-to-peak amplitude of the residue of recent beats after subtraction,
        in µV; the amplitude of the beat if no beat has been subtracted yet.
    """

    sample: int
    amplitude_uv: float
    residual_uv: float


class EcgCanceller:
    """Subtracts heart beats from one segment of one EMG channel.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.
    """

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self._x = SampleBuffer(np.float64)
        self._peaks, self._rhythm = PeakDetector(fs), RhythmDetector(fs)
        self._half_width, self._max_offset = round(HALF_WIDTH_S * fs), round(MAX_OFFSET_S * fs)
        self._before, self._after = round(BEFORE_S * fs), round(AFTER_S * fs)
        self._recent = RecentBeats(self._before + self._after)
        self._median_beat: MedianBeat | None = None
        self._residuals: deque[float] = deque(maxlen=N_AVERAGED)
        self._incomplete: list[float] = []  # centres of beats whose waveform is incomplete
        self._last_centre = 0.0
        self._interval = 0.0  # RR interval in samples; 0: no rhythm is known
        self._subtractions: list[tuple[int, Floats]] = []  # first sample, waveform
        self._n_emitted = 0
        self._beats: list[Beat] = []
        fade = max(1, round(FADE_S * fs))
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
        self._points = np.arange(self._before + self._after, dtype=np.float64)
        self._padded_points = np.arange(self._before + self._after + 2, dtype=np.float64)
        self._taper = np.ones(self._before + self._after)
        self._taper[:fade], self._taper[-fade:] = ramp, ramp[::-1]

    def push(self, x: Floats) -> Floats:
        """Append samples and return the samples that no further beat can change.

        Parameters
        ----------
        x : ndarray, shape (n,)
            In µV.

        Returns
        -------
        ndarray, shape (m,)
            Samples without beats; they follow the samples returned before.
        """
        self._x.push(x)
        self._process(self._peaks.push(x))
        return self._emit(self._final_until())

    def close(self) -> Floats:
        """End the segment and return the remaining samples.

        Returns
        -------
        ndarray, shape (m,)
        """
        self._process(self._peaks.close())
        return self._emit(self._x.stop)

    def pop_beats(self) -> list[Beat]:
        """Return the beats found since the last call.

        Returns
        -------
        list of Beat
            In order of time.
        """
        found, self._beats = self._beats, []
        return found

    def _process(self, positions: Ints) -> None:
        """Examine candidates in order."""
        complex_start = self._peaks.to_sample(positions) - self._half_width - self._max_offset
        positions = positions[complex_start >= max(0, self._x.start)]
        while len(positions):
            if not self._interval:
                block = positions[:MAX_CANDIDATES]
                rhythm = self._rhythm.push(self._peaks.waveforms(block))
                n_used = len(block)
                if rhythm is not None:
                    samples = self._peaks.to_sample(block)
                    n_used = int(np.searchsorted(samples, rhythm.samples[-1])) + 1
                    self._start_heart(rhythm)
                positions = positions[n_used:]
                continue
            sample = int(self._peaks.to_sample(positions[0]))
            if sample - self._last_centre < MAX_MISSED_BEATS * self._interval:
                self._track(sample)
                positions = positions[1:]
            else:
                self._reset()

    def _start_heart(self, rhythm: Rhythm) -> None:
        """Record the beats of a rhythm that has just been recognised."""
        self._interval = rhythm.interval_s * self._fs
        centres = self._align(rhythm.samples)
        for centre in centres:
            amplitude = self._amplitude(centre)
            self._beats.append(Beat(round(centre), amplitude, amplitude))
        self._incomplete.extend(centres)
        self._last_centre = centres[-1]

    def _align(self, samples: list[int]) -> list[float]:
        """Return the centres of complexes of one shape, aligned by their waveform."""
        half = self._half_width + self._max_offset
        pieces = [self._piece(sample, half) for sample in samples]
        whole = [k for k, piece in enumerate(pieces) if len(piece) == 2 * half]
        reference = np.median(
            [pieces[k][self._max_offset : -self._max_offset] for k in whole], axis=0
        )
        template = Template(reference)
        return [samples[k] + template.fit(pieces[k])[0] - self._max_offset for k in whole]

    def _piece(self, sample: int, half: int) -> Floats:
        return np.asarray(self._x.get(sample - half, sample + half), np.float64)

    def _amplitude(self, centre: float) -> float:
        piece = self._piece(round(centre), self._half_width)
        return peak_to_peak(subtract_baseline(piece)) if len(piece) else 0.0

    def _track(self, sample: int) -> None:
        """Decide whether a candidate is a beat of the known rhythm, and subtract it."""
        beat = self._current_median_beat(sample)
        piece = self._piece(sample, self._half_width + self._max_offset)
        if beat is None or len(piece) < 2 * (self._half_width + self._max_offset):
            return
        lag, scale, explained = beat.qrs.fit(piece)
        centre = sample + lag - self._max_offset
        gap = centre - self._last_centre
        too_soon = gap < RR_RANGE_S[0] * 0.8 * self._fs
        if too_soon or not AMPLITUDE_RANGE[0] < scale < AMPLITUDE_RANGE[1]:
            return
        count = max(1, round(gap / self._interval))
        due = abs(gap / count - self._interval) < DUE_TOLERANCE * self._interval
        if explained < (MIN_EXPLAINED_DUE if due else MIN_EXPLAINED):
            return
        clear = explained > MIN_EXPLAINED
        amplitude = scale * beat.amplitude_uv
        if clear:
            start = round(lag)
            rest = piece[start : start + 2 * self._half_width] - scale * beat.qrs.waveform
            self._residuals.append(peak_to_peak(subtract_baseline(rest)))
        residual = median(self._residuals) if self._residuals else amplitude
        self._beats.append(Beat(round(centre), amplitude, residual))
        self._subtract(centre, beat.waveform * (scale if clear else 1.0))
        if clear:
            self._incomplete.append(centre)
        if count == 1 and due:
            self._interval += (gap - self._interval) / 8
        self._last_centre = centre

    def _current_median_beat(self, sample: int) -> MedianBeat | None:
        """Return the median of the beats that are complete when a candidate is examined."""
        complete = sample + round(MIN_DISTANCE_S * self._fs)
        while self._incomplete and round(self._incomplete[0]) + self._after + 1 <= complete:
            centre = self._incomplete.pop(0)
            whole = round(centre)
            first = whole - self._before
            wave = self._x.get(first - 1, first + self._before + self._after + 1)
            if first - 1 >= self._x.start and len(wave) == self._before + self._after + 2:
                moved = np.interp(1 + centre - whole + self._points, self._padded_points, wave)
                self._recent.add(subtract_baseline(moved))
                self._median_beat = None
        if self._median_beat is None and len(self._recent) >= MIN_BEATS - 2:
            wave = self._recent.median()
            qrs = wave[self._before - self._half_width : self._before + self._half_width]
            self._median_beat = MedianBeat(wave, Template(qrs), peak_to_peak(qrs))
        return self._median_beat

    def _subtract(self, centre: float, wave: Floats) -> None:
        whole = int(np.floor(centre))
        moved = np.interp(self._points - (centre - whole), self._points, wave, left=0.0)
        moved *= self._taper
        self._subtractions.append((whole - self._before, moved))

    def _reset(self) -> None:
        """Discard the rhythm and its beats."""
        self._interval = 0.0
        self._median_beat = None
        self._recent.clear()
        self._residuals.clear()
        self._incomplete.clear()

    def _final_until(self) -> int:
        """Return the sample before which no further beat can be subtracted."""
        refractory = round(0.8 * RR_RANGE_S[0] * self._fs)  # minimum distance of two beats
        if not self._interval:
            # the next candidate may complete a rhythm, and the one after it may be subtracted
            first = self._peaks.searched_until - self._max_offset + refractory
            return first - self._before - 1
        earliest = max(
            self._peaks.undecided_from - self._max_offset, int(self._last_centre) + refractory
        )
        return earliest - self._before - 1

    def _emit(self, stop: int) -> Floats:
        """Return the samples up to an index, with the beats subtracted."""
        stop = min(stop, self._x.stop)
        if stop <= self._n_emitted:
            return np.empty(0)
        out = np.array(self._x.get(self._n_emitted, stop))
        for first, wave in self._subtractions:
            a, b = max(first, self._n_emitted), min(first + len(wave), stop)
            if a < b:
                out[a - self._n_emitted : b - self._n_emitted] -= wave[a - first : b - first]
        self._subtractions = [(f, w) for f, w in self._subtractions if f + len(w) > stop]
        self._n_emitted = stop
        self._x.discard(stop - round((MAX_AGE_S + 2 * AFTER_S) * self._fs))
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
