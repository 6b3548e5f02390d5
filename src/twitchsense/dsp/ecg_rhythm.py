"""Detection of heart beats in an EMG: deflections of one shape at a cardiac rhythm.

Candidates are the largest deflections of the 8-35 Hz band. Candidates whose
waveforms correlate, whose amplitudes agree and whose intervals are regular
within the range of heart rates are beats; a twitch has no such rhythm.

Each candidate is decided from samples up to a fixed time after it, so the
result does not depend on how the signal is cut into chunks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from twitchsense.dsp.buffers import SampleBuffer
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.filters import bandpass
from twitchsense.dsp.native import sample_kernels as native
from twitchsense.dsp.noise_floor import FloorEstimate, NoiseFloor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Index = TypeVar("Index", int, NDArray[np.int64])

#: Pass band of the peak search, Hz.
BAND_HZ = (8.0, 35.0)
#: Approximate sampling rate of the peak search, Hz.
SEARCH_FS = 250.0
#: Time to either side within which a candidate is the largest deflection, s.
MIN_DISTANCE_S = 0.08
#: Minimum height of a candidate, as a multiple of the median deflection.
MIN_HEIGHT = 4.0
#: Half width of the QRS complex that is compared, s.
HALF_WIDTH_S = 0.06
#: Maximum distance of a candidate from the centre of its complex, s.
MAX_OFFSET_S = 0.04
#: Maximum number of candidates compared with the newest one.
MAX_CANDIDATES = 64
#: Maximum age of a candidate compared with the newest one, s.
MAX_AGE_S = 14.0
#: Shifts at which two waveforms are correlated, in samples of the search.
SHIFTS = (-2, -1, 0, 1, 2)
#: Minimum correlation of two beats [E].
MIN_CORRELATION = 0.85
#: Maximum ratio of the amplitudes of two beats [E].
MAX_AMPLITUDE_RATIO = 1.6
#: Minimum number of beats that make a rhythm [E].
MIN_BEATS = 7
#: Range of the median interval between beats, s: 40 to 150 beats a minute [E].
RR_RANGE_S = (0.4, 1.5)
#: Maximum deviation of a regular interval from the median, as a share of it [E].
RR_TOLERANCE = 0.15
#: Minimum share of regular intervals in a rhythm [E].
MIN_REGULAR_SHARE = 0.75
#: Shortest interval between two beats, s.
MIN_INTERVAL_S = 0.8 * RR_RANGE_S[0]
#: Maximum share of shorter intervals in a rhythm [E]: a twitch may resemble a beat and lie between
#: two, but a unit that fires irregularly often has such intervals.
MAX_SHORT_SHARE = 0.125


@dataclass(frozen=True, slots=True)
class Peaks:
    """Candidates for beats, in order of time.

    Attributes
    ----------
    samples : ndarray of int64, shape (n,)
        Sample of the segment at which each deflection peaks.
    waveforms : ndarray, shape (n, points)
        Band-passed waveforms around the peaks, of unit norm.
    amplitudes : ndarray, shape (n,)
        Absolute values of the band-passed signal at the peaks, in µV.
    """

    samples: Ints
    waveforms: Floats
    amplitudes: Floats

    def __getitem__(self, rows: slice | NDArray[np.bool_]) -> Peaks:
        return Peaks(self.samples[rows], self.waveforms[rows], self.amplitudes[rows])

    def __add__(self, other: Peaks) -> Peaks:
        return Peaks(
            np.concatenate([self.samples, other.samples]),
            np.concatenate([self.waveforms, other.waveforms]),
            np.concatenate([self.amplitudes, other.amplitudes]),
        )

    def similar_to_last(self, fs: float) -> NDArray[np.bool_]:
        """Return which candidates resemble the last one and are recent.

        Parameters
        ----------
        fs : float
            Sampling rate of the segment in Hz.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        score, *others = (self.waveforms @ last for last in _rolled(self.waveforms[-1:])[0])
        for other in others:
            np.maximum(score, other, out=score)
        ratio = self.amplitudes / self.amplitudes[-1]
        similar = (
            (score > MIN_CORRELATION)
            & (ratio < MAX_AMPLITUDE_RATIO)
            & (ratio > 1 / MAX_AMPLITUDE_RATIO)
        )
        return np.asarray(similar & (self.samples[-1] - self.samples <= MAX_AGE_S * fs))


class PeakDetector:
    """Finds the largest deflections of the 8-35 Hz band in a signal that arrives in chunks.

    The search runs on the band-passed signal at about 250 Hz; its indices are
    called positions.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.
    """

    def __init__(self, fs: float) -> None:
        self._kernels = kernels()
        self._step = max(1, round(fs / SEARCH_FS))
        search_fs = fs / self._step
        self._band = bandpass(*BAND_HZ, fs, order=(2, 2))
        self._delay = round(self._band.delay_s * fs)
        self._distance = max(1, round(MIN_DISTANCE_S * search_fs))
        self._half_width = max(2, round(HALF_WIDTH_S * search_fs))
        self._floor = NoiseFloor(max(1, round(search_fs)), (30.0, 0.5))
        self._filtered = SampleBuffer(np.float64)
        self._threshold = SampleBuffer(np.float64)
        self._phase = 0  # samples until the next one that is searched
        self._next = 0  # position at which the search continues
        self._undecided = 0  # no position before this can still become a candidate
        #: Positions of the deflections that are the largest so far.
        self.likely = np.empty(0, np.int64)
        # a candidate is returned when its whole complex has arrived, for any chunking
        complex_end = round(HALF_WIDTH_S * fs) + round(MAX_OFFSET_S * fs) - self._delay
        self._wait = max(self._distance, -(-complex_end // self._step))

    def push(self, x: Floats) -> Ints:
        """Append samples and return the candidates that are complete.

        Parameters
        ----------
        x : ndarray, shape (n,)
            In µV.

        Returns
        -------
        ndarray of int64, shape (m,)
            Positions of the candidates, ascending.
        """
        band = self._band.push(x)[self._phase :: self._step]
        self._phase = (self._phase - len(x)) % self._step
        self._filtered.push(band)
        self._add_threshold(self._floor.push(np.abs(band)))
        return self._search(self._threshold.stop - self._wait)

    def close(self) -> Ints:
        """End the segment and return the remaining candidates.

        Returns
        -------
        ndarray of int64, shape (m,)
            Positions of the candidates, ascending.
        """
        self._add_threshold(self._floor.close())
        return self._search(self._threshold.stop)

    def to_sample(self, position: Index) -> Index:
        """Convert positions to samples of the segment, the filter's delay removed.

        Parameters
        ----------
        position : int or ndarray of int64

        Returns
        -------
        int or ndarray of int64
        """
        return position * self._step - self._delay

    @property
    def searched_until(self) -> int:
        """Sample up to which all candidates have been returned."""
        return self.to_sample(self._next)

    @property
    def undecided_from(self) -> int:
        """Sample before which no further candidate can be found."""
        return self.to_sample(self._undecided)

    def waveforms(self, positions: Ints) -> Peaks:
        """Return candidates with their waveforms.

        Parameters
        ----------
        positions : ndarray of int64, shape (n,)
            Returned by the last call of `push` or `close`.

        Returns
        -------
        Peaks
            Without the candidates whose waveform is cut by an end of the segment.
        """
        half = self._half_width
        first, stop = self._filtered.start + half, self._filtered.stop - half
        positions = positions[(positions >= first) & (positions < stop)]
        around = positions[:, None] - self._filtered.start + np.arange(-half, half + 1)
        waveforms = self._filtered.get(self._filtered.start, self._filtered.stop)[around]
        norms = np.sqrt(np.square(waveforms).sum(axis=1, keepdims=True))
        return Peaks(self.to_sample(positions), waveforms / norms, np.abs(waveforms[:, half]))

    def _add_threshold(self, estimate: FloorEstimate) -> None:
        self._threshold.push(estimate.per_value(MIN_HEIGHT * estimate.floors[0][0]))

    def _search(self, stop: int) -> Ints:
        """Search up to a position; return the candidates found."""
        if stop <= self._next:
            return np.empty(0, np.int64)
        self._filtered.discard(self._next - 2 * self._distance - self._half_width)
        self._threshold.discard(self._next)
        first = max(self._filtered.start, self._next - self._distance)
        known = self._threshold.stop
        x, threshold = self._filtered.get(first, known), self._threshold.get(self._next, known)
        offset, self._next = self._next - first, stop
        if self._kernels is None:
            positions = find_peaks(x, offset, threshold, self._distance)
        else:
            positions = native.find_peaks(self._kernels, x, offset, threshold, self._distance)
        positions += first
        self.likely = positions[positions >= stop]
        self._undecided = int(self.likely[0]) if len(self.likely) else known
        return positions[: len(positions) - len(self.likely)]


def find_peaks(x: Floats, first: int, threshold: Floats, distance: int) -> Ints:
    """Return the largest deflections of a signal.

    Parameters
    ----------
    x : ndarray, shape (n,)
    first : int
        Index from which on they are returned.
    threshold : ndarray, shape (n - first,)
        Absolute value that a deflection exceeds.
    distance : int
        Samples to either side of which none is larger.

    Returns
    -------
    ndarray of int64, shape (m,)
        Indices, ascending.
    """
    size = np.abs(x)
    high = size[first:] > threshold
    if not high.any():
        return np.empty(0, np.int64)
    largest = maximum_filter1d(size, 2 * distance + 1, mode="constant")
    return first + np.flatnonzero(high & (size[first:] == largest[first:]))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The first beats of a cardiac rhythm.

    Attributes
    ----------
    samples : list of int
        Peaks of the beats, ascending.
    interval_s : float
        Median interval between beats, in s.
    """

    samples: list[int]
    interval_s: float


class RhythmDetector:
    """Recognises a cardiac rhythm among candidates.

    Parameters
    ----------
    fs : float
        Sampling rate of the segment in Hz.
    """

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self._known: Peaks | None = None

    def push(self, peaks: Peaks) -> Rhythm | None:
        """Append at most `MAX_CANDIDATES` candidates and return the rhythm they complete.

        Without heart beats, few candidates resemble each other. All of them are therefore
        compared at once, and only candidates that resemble enough others one by one.

        Parameters
        ----------
        peaks : Peaks

        Returns
        -------
        Rhythm or None
            Ends at the first candidate that completes a rhythm; the candidates after
            it are not used. All candidates are then discarded.
        """
        known = peaks if self._known is None else self._known + peaks
        n_old = len(known.samples) - len(peaks.samples)
        for k in _with_similar(known, n_old, self._fs).tolist():
            recent = known[max(0, k + 1 - MAX_CANDIDATES) : k + 1]
            samples = recent.samples[recent.similar_to_last(self._fs)]
            interval_s = median_rr_interval(samples / self._fs)
            if interval_s:
                self._known = None
                return Rhythm(samples.tolist(), interval_s)
        self._known = known[max(0, len(known.samples) + 1 - MAX_CANDIDATES) :]
        return None


def _with_similar(known: Peaks, first: int, fs: float) -> Ints:
    """Return the candidates from `first` on that may resemble enough others."""
    new = known[first:]
    index = np.arange(len(known.samples))
    rolled = _rolled(new.waveforms)
    # matrix products may be rounded differently from products of single rows
    score = (rolled @ known.waveforms.T).max(axis=1) + 1e-9
    ratio = known.amplitudes / new.amplitudes[:, None]
    age = index[first:, None] - index
    similar = (
        (score > MIN_CORRELATION)
        & (ratio < MAX_AMPLITUDE_RATIO)
        & (ratio > 1 / MAX_AMPLITUDE_RATIO)
        & (age >= 0)
        & (age < MAX_CANDIDATES)
    )
    similar &= new.samples[:, None] - known.samples <= MAX_AGE_S * fs
    return first + np.flatnonzero(similar.sum(axis=1) >= MIN_BEATS)


def _rolled(waveforms: Floats) -> Floats:
    """Return each waveform rolled by each of `SHIFTS`, shape (n, len(SHIFTS), points)."""
    return waveforms[:, _rolled_places(waveforms.shape[1])]


@lru_cache
def _rolled_places(points: int) -> Ints:
    """Return the place of each point before rolling by each of `SHIFTS`."""
    return np.asarray((np.arange(points) - np.array(SHIFTS)[:, None]) % points, np.int64)


def median_rr_interval(
    times: Floats, *, min_beats: int = MIN_BEATS, max_interval_s: float = RR_RANGE_S[1]
) -> float:
    """Return the median interval between beats if it is a cardiac rhythm.

    A missed beat leaves an interval of twice the median; up to two missed beats in
    a row count as regular.

    Parameters
    ----------
    times : ndarray, shape (n,)
        Times of the beats in s, ascending.
    min_beats : int
        Minimum number of beats.
    max_interval_s : float
        Longest median interval, in s.

    Returns
    -------
    float
        In s; 0 if the times have no cardiac rhythm.
    """
    if len(times) < min_beats:
        return 0.0
    intervals = times[1:] - times[:-1]
    ordered = np.sort(intervals)
    if ordered.searchsorted(MIN_INTERVAL_S) > MAX_SHORT_SHARE * len(ordered):
        return 0.0
    median = float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    if not RR_RANGE_S[0] <= median <= max_interval_s:
        return 0.0
    count = np.maximum(1, np.rint(ordered / median))
    regular = (np.abs(ordered / count - median) < RR_TOLERANCE * median) & (count <= 3)
    return median if np.count_nonzero(regular) >= MIN_REGULAR_SHARE * len(ordered) else 0.0
