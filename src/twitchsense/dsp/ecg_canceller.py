"""Takes the heart out of an EMG, but only once it is known to be there.

A heart beat in the EMG of a leg hides what happens on top of it, and its slow
waves make muscle beside it look like a bad contact. The beat is learned from the
signal itself: deflections of 8-35 Hz that look alike and come at a heart's rhythm
are beats; their median waveform, fitted in height, is subtracted wherever the
next ones are found. What has no rhythm is never learned, so a twitch stays.

Everything is decided candidate by candidate, from samples up to a fixed time
after it: however the signal is cut, the answer is the same. The price is a delay
of at most `DELAY_S` while a heart is known: samples are kept back only where a
beat may still have to be taken out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from twitchsense.dsp.buffers import History
from twitchsense.dsp.filters import bandpass
from twitchsense.dsp.framing import medians
from twitchsense.dsp.noise_floor import NoiseFloor
from twitchsense.dsp.template import Template, off_line, swing

Floats = NDArray[np.float64]
Index = TypeVar("Index", int, NDArray[np.int64])

#: Band in which beats are looked for, and the rate at which that is done.
BAND_HZ, SEARCH_FS = (8.0, 35.0), 250.0
#: A candidate is the largest deflection within this time to either side, and so
#: many times the usual one.
APART_S, OPEN = 0.08, 4.0
#: Half length of the complex that is compared, and how far off its centre may be.
HALF_S, OFF_S = 0.06, 0.04
#: What is subtracted: from this long before the complex to this long after it,
#: fading over the ends.
BEFORE_S, AFTER_S, FADE_S = 0.10, 0.40, 0.03
#: Candidates compared with the newest one, over this long, set off by so many values.
KNOWN, KNOWN_S = 64, 14.0
SHIFTS = (-2, -1, 0, 1, 2)
#: Alike in shape and size, and so many at a rhythm of 40 to 150 a minute, of which
#: this share of the intervals lies this near to the usual one: a heart [E].
ALIKE, RATIO, LEAST = 0.85, 1.6, 7
RANGE_S, REGULAR, SHARE = (0.4, 1.5), 0.15, 0.75
#: Beats whose median is the waveform.
MEMORY = 15
#: A complex is a beat if the waveform explains this share of it, or less if it
#: comes when the next one is due; and by this its height may differ.
EXPLAINED, DUE_EXPLAINED, HEIGHTS = 0.7, 0.2, (0.5, 1.8)
#: Due: within this part of an interval from where the rhythm says.
DUE = 0.2
#: So many intervals without a beat, and the heart is unknown again.
LOST = 6
#: Samples come out this much later than they went in, at most.
DELAY_S = APART_S + OFF_S + BEFORE_S + 0.06


@dataclass(frozen=True, slots=True)
class Beat:
    """A heart beat.

    Attributes
    ----------
    at : int
        Sample of the segment at which the complex is centred.
    size_uv : float
        Peak to peak of the complex.
    left_uv : float
        Peak to peak of what taking out the beats before it usually left; of a beat
        that was not taken out, its size.
    """

    at: int
    size_uv: float
    left_uv: float


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Deflections, in order of time: samples ``(n,)``, shapes ``(n, points)``, heights ``(n,)``."""

    at: NDArray[np.int64]
    shapes: Floats
    heights: Floats

    def __getitem__(self, rows: slice | NDArray[np.bool_]) -> _Candidates:
        return _Candidates(self.at[rows], self.shapes[rows], self.heights[rows])

    def __add__(self, other: _Candidates) -> _Candidates:
        return _Candidates(
            np.concatenate([self.at, other.at]),
            np.concatenate([self.shapes, other.shapes]),
            np.concatenate([self.heights, other.heights]),
        )

    def like_last(self, alike: float, fs: float) -> NDArray[np.bool_]:
        """Return which candidates are so much like the last one, and near it."""
        last = self.shapes[-1]
        score = np.max([self.shapes @ np.roll(last, k) for k in SHIFTS], axis=0)
        ratio = self.heights / self.heights[-1]
        like = (score > alike) & (ratio < RATIO) & (ratio > 1 / RATIO)
        return np.asarray(like & (self.at[-1] - self.at <= KNOWN_S * fs))


class HeartCanceller:
    """Follows one segment of one EMG channel.

    Parameters
    ----------
    fs : float
    """

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self._step = max(1, round(fs / SEARCH_FS))
        search_fs = fs / self._step
        self._band = bandpass(*BAND_HZ, fs, order=(2, 2))
        self._delay = round(self._band.delay_s * fs)
        self._apart = max(1, round(APART_S * search_fs))
        self._half_search = max(2, round(HALF_S * search_fs))
        self._floor = NoiseFloor(max(1, round(search_fs)), 30.0, 0.5, 0.0)
        self._x = History(np.float64)
        self._search = History(np.float64)  # band-passed, every `step` samples
        self._opening = History(np.float64)  # threshold of a candidate
        self._phase = 0  # samples until the next one that is searched
        self._next = 0  # next index of the search to be looked at
        self._open = 0  # no index before this can still turn out to be a candidate
        self._given = 0  # samples handed out
        self._half, self._off = round(HALF_S * fs), round(OFF_S * fs)
        # a candidate is judged when its whole complex is there, however samples come
        after = -(-(self._half + self._off - self._delay) // self._step)
        self._wait = max(self._apart, after)
        self._before, self._after = round(BEFORE_S * fs), round(AFTER_S * fs)
        self._known = self._candidates(np.empty(0, np.int64))
        self._waves = _Waves(self._before + self._after)
        self._usual: _Usual | None = None  # of those waves
        self._left: deque[float] = deque(maxlen=MEMORY)  # sizes of what is left of beats
        self._owed: list[tuple[int, float]] = []  # beats whose waveform is not yet complete
        self._last = 0.0
        self._interval = 0.0
        self._subtract: list[tuple[int, Floats]] = []
        self._beats: list[Beat] = []
        fade = max(1, round(FADE_S * fs))
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
        self._points = np.arange(self._before + self._after, dtype=np.float64)
        self._wider = np.arange(self._before + self._after + 2, dtype=np.float64)
        self._taper = np.ones(self._before + self._after)
        self._taper[:fade], self._taper[-fade:] = ramp, ramp[::-1]

    def push(self, x: Floats) -> Floats:
        """Take the next samples, shape ``(n,)`` in µV; return those without beats so far."""
        self._x.push(x)
        band = self._band.push(x)[self._phase :: self._step]
        self._phase = (self._phase - len(x)) % self._step
        self._search.push(band)
        self._note(self._floor.push(np.abs(band)).centre)
        self._examine(self._opening.stop - self._wait)
        return self._release(self._untouched())

    def close(self) -> Floats:
        """End the segment; return the rest of the samples."""
        self._note(self._floor.close().centre)
        self._examine(self._opening.stop)
        return self._release(self._x.stop)

    def take(self) -> list[Beat]:
        """Hand over the beats found since the last call."""
        found, self._beats = self._beats, []
        return found

    # -- candidates -------------------------------------------------------------

    def _note(self, usual: Floats) -> None:
        self._opening.push(OPEN * usual)

    def _sample(self, search_index: Index) -> Index:
        return search_index * self._step - self._delay

    def _examine(self, stop: int) -> None:
        """Look at the search's values up to an index."""
        if stop <= self._next:
            return
        first, known = max(self._search.first, self._next - self._apart), self._opening.stop
        size = np.abs(self._search.get(first, known))
        here = slice(self._next - first, None)
        peaks, self._open = size[here] > self._opening.get(self._next, known), known
        if peaks.any():
            largest = maximum_filter1d(size, 2 * self._apart + 1, mode="constant")
            places = self._next + np.flatnonzero(peaks & (size[here] == largest[here]))
            self._open = int(np.append(places[places >= stop], known)[0])
            self._judge(places[places < stop])
        self._next = stop
        self._search.forget(stop - 2 * self._apart - self._half_search)
        self._opening.forget(stop)

    def _judge(self, places: NDArray[np.int64]) -> None:
        """Look at candidates, in order."""
        places = places[self._sample(places) - self._half - self._off >= max(0, self._x.first)]
        while len(places):
            if not self._interval:
                places = places[self._recognise(places) :]
                continue
            at = int(self._sample(places[0]))
            if at - self._last < LOST * self._interval:
                self._follow(at)
                places = places[1:]
            else:
                self._forget_heart()

    # -- a heart that is not known yet --------------------------------------------

    def _candidates(self, places: NDArray[np.int64]) -> _Candidates:
        """Return the candidates at indices of the search whose complex is there."""
        half = self._half_search
        first, stop = self._search.first + half, self._search.stop - half
        places = places[(places >= first) & (places < stop)]
        around = places[:, None] - self._search.first + np.arange(-half, half + 1)
        shapes = self._search.get(self._search.first, self._search.stop)[around]
        sizes = np.sqrt(np.square(shapes).sum(axis=1, keepdims=True))
        return _Candidates(self._sample(places), shapes / sizes, np.abs(shapes[:, half]))

    def _recognise(self, places: NDArray[np.int64]) -> int:
        """Ask of each whether it and those like it are a heart; return how many were asked.

        Where there is no heart few candidates are alike: all are compared at once, and
        only those with enough others like them are looked at one by one.
        """
        places = places[:KNOWN]
        fresh = self._candidates(places)
        known = self._known + fresh
        before = len(self._known.at)
        for k in _in_company(known, before, self._fs).tolist():
            seen = known[max(0, k + 1 - KNOWN) : k + 1]
            alike = seen[seen.like_last(ALIKE, self._fs)].at
            beat = usual_interval(alike / self._fs)
            if beat:
                self._begin(alike.tolist(), beat)
                return int(np.searchsorted(self._sample(places), known.at[k])) + 1
        self._known = known[max(0, len(known.at) + 1 - KNOWN) :]
        return len(places)

    def _begin(self, places: list[int], beat_s: float) -> None:
        """Take the candidates at some samples for the first beats."""
        self._interval = beat_s * self._fs
        centres = self._align(places)
        for centre in centres:
            size = self._size(centre)
            self._beats.append(Beat(round(centre), size, size))
            self._owed.append((round(centre), centre))
        self._last = centres[-1]
        self._known = self._known[:0]

    def _align(self, places: list[int]) -> list[float]:
        """Put candidates of one shape on the same part of it."""
        pieces = [self._complex(at, self._half + self._off) for at in places]
        whole = [k for k, p in enumerate(pieces) if len(p) == 2 * (self._half + self._off)]
        reference = np.median([pieces[k][self._off : -self._off] for k in whole], axis=0)
        template = Template(reference)
        return [places[k] + template.fit(pieces[k])[0] - self._off for k in whole]

    def _complex(self, at: int, half: int) -> Floats:
        return np.asarray(self._x.get(at - half, at + half), np.float64)

    def _size(self, centre: float) -> float:
        piece = self._complex(round(centre), self._half)
        return swing(off_line(piece)) if len(piece) else 0.0

    # -- a heart that is known ------------------------------------------------------

    def _follow(self, at: int) -> None:
        """Ask whether a candidate holds a beat, and take it out."""
        usual = self._waveform(at)
        piece = self._complex(at, self._half + self._off)
        if usual is None or len(piece) < 2 * (self._half + self._off):
            return
        lag, height, explained = usual.complex.fit(piece)
        centre = at + lag - self._off
        gap = centre - self._last
        if gap < RANGE_S[0] * 0.8 * self._fs or not HEIGHTS[0] < height < HEIGHTS[1]:
            return
        count = max(1, round(gap / self._interval))
        due = abs(gap / count - self._interval) < DUE * self._interval
        if explained < (DUE_EXPLAINED if due else EXPLAINED):
            return
        sure = explained > EXPLAINED
        size = height * usual.size
        if sure:
            start = round(lag)
            rest = piece[start : start + 2 * self._half] - height * usual.complex.wave
            self._left.append(swing(off_line(rest)))
        left = median(self._left) if self._left else size
        self._beats.append(Beat(round(centre), size, left))
        self._take_out(centre, usual.wave * (height if sure else 1.0))
        if sure:
            self._owed.append((round(centre), centre))
        if count == 1 and due:
            self._interval += (gap - self._interval) / 8
        self._last = centre

    def _waveform(self, at: int) -> _Usual | None:
        """Return the median beat of those complete by the time a candidate is judged."""
        complete = at + round(APART_S * self._fs)
        while self._owed and self._owed[0][0] + self._after + 1 <= complete:
            whole, centre = self._owed.pop(0)
            first = whole - self._before
            wave = self._x.get(first - 1, first + self._before + self._after + 1)
            if first - 1 >= self._x.first and len(wave) == self._before + self._after + 2:
                moved = np.interp(1 + centre - whole + self._points, self._wider, wave)
                self._waves.add(off_line(moved))
                self._usual = None
        if self._usual is None and len(self._waves) >= LEAST - 2:
            wave = self._waves.median()
            middle = wave[self._before - self._half : self._before + self._half]
            self._usual = _Usual(wave, Template(middle), swing(middle))
        return self._usual

    def _take_out(self, centre: float, wave: Floats) -> None:
        whole = int(np.floor(centre))
        moved = np.interp(self._points - (centre - whole), self._points, wave, left=0.0)
        moved *= self._taper
        self._subtract.append((whole - self._before, moved))

    def _forget_heart(self) -> None:
        self._interval = 0.0
        self._usual = None
        self._waves.clear()
        self._left.clear()
        self._owed.clear()

    # -- samples -----------------------------------------------------------------------

    def _untouched(self) -> int:
        """Return the sample before which no further beat can be taken out."""
        quiet = round(0.8 * RANGE_S[0] * self._fs)  # no two beats are nearer
        if not self._interval:  # the next candidate may make the heart known, the one after it
            return self._sample(self._next) - self._off + quiet - self._before - 1
        earliest = max(self._sample(self._open) - self._off, int(self._last) + quiet)
        return earliest - self._before - 1

    def _release(self, stop: int) -> Floats:
        stop = min(stop, self._x.stop)
        if stop <= self._given:
            return np.empty(0)
        out = np.array(self._x.get(self._given, stop))
        for first, wave in self._subtract:
            a, b = max(first, self._given), min(first + len(wave), stop)
            if a < b:
                out[a - self._given : b - self._given] -= wave[a - first : b - first]
        self._subtract = [(f, w) for f, w in self._subtract if f + len(w) > stop]
        self._given = stop
        self._x.forget(stop - round((KNOWN_S + 2 * AFTER_S) * self._fs))
        return out


def _in_company(known: _Candidates, before: int, fs: float) -> NDArray[np.int64]:
    """Return the candidates from `before` on that may have enough others like them."""
    fresh = known[before:]
    count = np.arange(len(known.at))
    points = known.shapes.shape[1]
    rolled = fresh.shapes[:, (np.arange(points) - np.array(SHIFTS)[:, None]) % points]
    # products of matrices may round otherwise than those of single rows
    score = (rolled @ known.shapes.T).max(axis=1) + 1e-9
    ratio = known.heights / fresh.heights[:, None]
    apart = count[before:, None] - count
    like = (score > ALIKE) & (ratio < RATIO) & (ratio > 1 / RATIO) & (apart >= 0) & (apart < KNOWN)
    like &= fresh.at[:, None] - known.at <= KNOWN_S * fs
    return before + np.flatnonzero(like.sum(axis=1) >= LEAST)


def usual_interval(times: Floats, *, least: int = LEAST, longest_s: float = RANGE_S[1]) -> float:
    """Return the usual interval of a heart's beats in s, 0 if they are no heart's.

    Parameters
    ----------
    times : ndarray, shape (n,)
        In s, rising.
    least : int
        Fewest beats that make a heart.
    longest_s : float
        Longest usual interval.
    """
    if len(times) < least:
        return 0.0
    gaps = np.diff(times)
    beat = float(medians(gaps[None])[0])
    if not RANGE_S[0] <= beat <= longest_s:
        return 0.0
    count = np.maximum(1, np.rint(gaps / beat))  # one that was missed leaves a gap of two
    regular = (np.abs(gaps / count - beat) < REGULAR * beat) & (count <= 3)
    return beat if regular.mean() >= SHARE else 0.0


class _Waves:
    """The last `MEMORY` beats.

    Parameters
    ----------
    length : int
        Samples of a beat.
    """

    def __init__(self, length: int) -> None:
        self._table = np.empty((length, MEMORY))
        self._seen = 0

    def __len__(self) -> int:
        return min(self._seen, MEMORY)

    def add(self, wave: Floats) -> None:
        """Take the newest beat; the oldest goes if there are too many."""
        self._table[:, self._seen % MEMORY] = wave
        self._seen += 1

    def median(self) -> Floats:
        """Return the median beat."""
        return medians(self._table[:, : len(self)])

    def clear(self) -> None:
        """Forget them all."""
        self._seen = 0


@dataclass(frozen=True, slots=True)
class _Usual:
    """The usual beat: all of it, and its complex with its peak to peak."""

    wave: Floats
    complex: Template
    size: float
