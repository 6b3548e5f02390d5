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

from collections.abc import Sequence
from copy import deepcopy
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.beat_tracker import AFTER_S, BEFORE_S, Beat, BeatLengths, BeatTracker
from twitchsense.dsp.buffers import SampleBuffer
from twitchsense.dsp.ecg_rhythm import (
    MAX_AGE_S,
    MAX_CANDIDATES,
    MAX_OFFSET_S,
    MIN_DISTANCE_S,
    MIN_INTERVAL_S,
    Ints,
    PeakDetector,
    RhythmDetector,
)
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.native import heart
from twitchsense.dsp.native.heart import NativeBeatTracker
from twitchsense.dsp.template import Template, peak_to_peak, subtract_baseline

Floats = NDArray[np.float64]

_NO_BEATS: Final = np.empty((0, len(Beat._fields)))
#: Frequency above which a heart beat has hardly any power, Hz.
QRS_HZ: Final = 45.0
#: Maximum share of the power above it in what returns: of 720 hearts of six composers none had more
#: than 0.16, of 16 units and loose contacts with a cardiac rhythm, 15 had 0.41 to 0.88.
MAX_FAST_SHARE: Final = 0.25
#: Maximum delay of the output, s.
MAX_DELAY_S = MIN_DISTANCE_S + MAX_OFFSET_S + BEFORE_S + 0.06


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
        self._lengths = BeatLengths(fs)
        self._kernels = kernels()
        self._tracker = (
            BeatTracker(fs) if self._kernels is None else NativeBeatTracker(self._kernels, fs)
        )
        # waveforms that reach samples not yet returned: first sample, values
        self._first = np.empty(0, np.int64)
        self._waveforms = np.empty((0, self._lengths.beat))
        self._n_searched = self._n_emitted = 0
        self._beats: list[Floats] = []  # rows of `Beat`

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
        self.extend(len(x))[:] = x
        return self.search()

    def extend(self, n: int) -> Floats:
        """Append samples that the caller writes before `search`.

        Parameters
        ----------
        n : int

        Returns
        -------
        ndarray, shape (n,)
            Their place, in µV.
        """
        return self._x.extend(n)

    def search(self) -> Floats:
        """Search the samples appended since the last call; otherwise as `push`."""
        x = self._x.get(self._n_searched, self._x.stop)
        self._n_searched = self._x.stop
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

    def held(self) -> Floats:
        """Return the samples that are held back, without the beats found before.

        Returns
        -------
        ndarray, shape (n,)
            They follow the samples returned before; a further beat may be subtracted later.
        """
        held = np.array(self._x.get(self._n_emitted, self._x.stop))
        if len(held) and len(self._first):
            self._subtract(held, self._first, self._waveforms)
        return held

    def subtract_likely_beats(self, held: Floats) -> bool:
        """Subtract the beats that will be found if no larger deflection follows.

        Parameters
        ----------
        held : ndarray, shape (n,)
            From `held`; changed in place.

        Returns
        -------
        bool
            Whether there was a beat.
        """
        likely = self._peaks.to_sample(self._peaks.likely)
        if not len(likely) or not self._tracker.interval:
            return False
        tracked = deepcopy(self._tracker).track(self._x, likely)
        self._subtract(held, tracked.first, tracked.waveforms)
        return len(tracked.first) > 0

    def pop_beats(self) -> Floats:
        """Return the beats found since the last call.

        Returns
        -------
        ndarray, shape (n, 3)
            The values of each `Beat`, in order of time.
        """
        if not self._beats:
            return _NO_BEATS
        found, self._beats = self._beats, []
        return np.concatenate(found)

    def _process(self, positions: Ints) -> None:
        """Examine candidates in order."""
        if not len(positions):  # most packets
            return
        complex_start = (
            self._peaks.to_sample(positions) - self._lengths.half_width - self._lengths.max_offset
        )
        positions = positions[complex_start >= max(0, self._x.start)]
        while len(positions):
            if self._tracker.interval:
                tracked = self._tracker.track(self._x, self._peaks.to_sample(positions))
                self._beats.append(tracked.beats)
                self._keep_waveforms(tracked.first, tracked.waveforms)
                positions = positions[tracked.n_used :]
                continue
            block = positions[:MAX_CANDIDATES]
            rhythm = self._rhythm.push(self._peaks.waveforms(block))
            n_used = len(block)
            if rhythm is not None:
                samples = self._peaks.to_sample(block)
                n_used = int(np.searchsorted(samples, rhythm.samples[-1])) + 1
                centres = self._align(rhythm.samples)
                half = self._lengths.half_width
                beats = [self._piece(round(centre), half) for centre in centres]
                if fast_share(beats, self._fs, QRS_HZ) <= MAX_FAST_SHARE:
                    self._start_heart(rhythm.interval_s, centres)
            positions = positions[n_used:]

    def _keep_waveforms(self, first: Ints, waveforms: Floats) -> None:
        """Keep the waveforms of beats until the samples that they reach are returned."""
        if len(self._first):
            first = np.concatenate([self._first, first])
            waveforms = np.concatenate([self._waveforms, waveforms])
        self._first, self._waveforms = first, waveforms

    def _start_heart(self, interval_s: float, centres: list[float]) -> None:
        """Record the beats of a rhythm that has just been recognised."""
        sizes = [self._amplitude(centre) for centre in centres]
        rows = [Beat(round(at), size, size) for at, size in zip(centres, sizes, strict=True)]
        self._beats.append(np.array(rows, np.float64))
        self._tracker.start(interval_s * self._fs, centres)

    def _align(self, samples: list[int]) -> list[float]:
        """Return the centres of complexes of one shape, aligned by their waveform."""
        offset = self._lengths.max_offset
        half = self._lengths.half_width + offset
        pieces = [self._piece(sample, half) for sample in samples]
        whole = [k for k, piece in enumerate(pieces) if len(piece) == 2 * half]
        reference = np.median([pieces[k][offset:-offset] for k in whole], axis=0)
        template = Template(reference)
        return [samples[k] + template.fit(pieces[k])[0] - offset for k in whole]

    def _piece(self, sample: int, half: int) -> Floats:
        return np.asarray(self._x.get(sample - half, sample + half), np.float64)

    def _amplitude(self, centre: float) -> float:
        piece = self._piece(round(centre), self._lengths.half_width)
        return peak_to_peak(subtract_baseline(piece)) if len(piece) else 0.0

    def _final_until(self) -> int:
        """Return the sample before which no further beat can be subtracted."""
        refractory = round(MIN_INTERVAL_S * self._fs)
        if not self._tracker.interval:
            # the next candidate may complete a rhythm, and the one after it may be subtracted
            first = self._peaks.searched_until - self._lengths.max_offset + refractory
            return first - self._lengths.before - 1
        earliest = max(
            self._peaks.undecided_from - self._lengths.max_offset,
            int(self._tracker.last_centre) + refractory,
        )
        return earliest - self._lengths.before - 1

    def _emit(self, stop: int) -> Floats:
        """Return the samples up to an index, with the beats subtracted."""
        stop = min(stop, self._x.stop)
        if stop <= self._n_emitted:
            return np.empty(0)
        out = np.array(self._x.get(self._n_emitted, stop))
        if len(self._first):
            self._subtract(out, self._first, self._waveforms)
            reaching = self._first + self._lengths.beat > stop
            self._first, self._waveforms = self._first[reaching], self._waveforms[reaching]
        self._n_emitted = stop
        self._x.discard(stop - round((MAX_AGE_S + 2 * AFTER_S) * self._fs))
        return out

    def _subtract(self, x: Floats, first: Ints, waveforms: Floats) -> None:
        """Subtract waveforms from the samples that are to be returned next, in place."""
        if self._kernels is None:
            subtract_waveforms(x, self._n_emitted, first, waveforms)
        else:
            heart.subtract_waveforms(self._kernels, x, self._n_emitted, first, waveforms)


def fast_share(beats: Sequence[Floats] | Floats, fs: float, above_hz: float) -> float:
    """Return the share of the power above a frequency in what returns with each beat.

    A beat reaches the leg as a slow wave; the discharges of a motor unit that fires at the rate of
    a heart are faster. Noise differs from beat to beat, so it cancels in the products of the
    spectra of two different beats.

    Parameters
    ----------
    beats : sequence of ndarray
        Samples around each beat, aligned; pieces shorter than the longest are left out.
    fs : float
        Sampling rate, Hz.
    above_hz : float

    Returns
    -------
    float
        About 0 to 1; 0 if nothing returns.
    """
    length = max(map(len, beats))
    x = np.stack([beat for beat in beats if len(beat) == length])
    x = (x - x.mean(axis=1, keepdims=True)) * np.hanning(length)
    spectra = np.fft.rfft(x, axis=1)
    power = np.abs(spectra.sum(axis=0)) ** 2 - (np.abs(spectra) ** 2).sum(axis=0)
    fast = np.fft.rfftfreq(length, 1 / fs) > above_hz
    whole = float(power.sum())
    return float(power[fast].sum()) / whole if whole > 0 else 0.0


def subtract_waveforms(x: Floats, start: int, first: Ints, waveforms: Floats) -> None:
    """Subtract waveforms from the part of a signal that they reach, in place.

    Parameters
    ----------
    x : ndarray, shape (n,)
    start : int
        Sample of the segment at which `x` begins.
    first : ndarray of int64, shape (m,)
        Sample of the segment at which each waveform begins.
    waveforms : ndarray, shape (m, length)
    """
    for at, wave in zip((first - start).tolist(), waveforms, strict=True):
        a, b = max(at, 0), min(at + len(wave), len(x))
        if a < b:
            x[a:b] -= wave[a - at : b - at]
