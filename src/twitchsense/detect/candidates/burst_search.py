"""Search of one EMG segment for bursts.

Bursts are found on the 10-ms RMS of the 20-450 Hz band in hops of 5 ms (a longer window would
make a single motor unit look like a burst of 50 ms), and then measured at the full sampling
rate (`burst_measures`). Seconds later, when the signal after a burst is known, the activity
around it is measured too (`features.local`).
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import islice, repeat, takewhile
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.candidates.burst_batch import measure_bursts
from twitchsense.detect.candidates.burst_window import BurstWindow, LocalFloor
from twitchsense.detect.candidates.local_feature_queue import LocalFeatureQueue
from twitchsense.detect.sensors.per_second import SearchedEnvelope
from twitchsense.dsp.buffers import SampleBuffer, fast_median
from twitchsense.dsp.filters import FilterClock
from twitchsense.dsp.floor_memory import MAD_TO_SD
from twitchsense.dsp.hysteresis import HysteresisSegmenter, split_at_silence, strongest_part
from twitchsense.dsp.merged_bursts import count_merged
from twitchsense.dsp.noise_floor import FloorEstimate, NoiseFloor, NoiseThreshold
from twitchsense.model.candidates import Burst
from twitchsense.model.channels import NS, Channel
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

_NONE: Final = np.empty(0)
#: Signal kept before a burst (s) for its waveform and the level before it. A zero-phase filter
#: needs more of the past than of the future.
BEFORE_S: Final = 0.4
#: Signal kept after a burst, s.
AFTER_S: Final = 0.09
#: Maximum time from the onset of a burst at the full rate to the start of its run of hops, s.
EDGE_S: Final = 0.03
#: Maximum length of the part of a run that is measured, s; it bounds the memory used.
HEAD_S: Final = 10.0
#: Maximum number of bursts that are measured at once; it bounds the memory used.
MEASURED_AT_ONCE: Final = 64
#: Memory (s) of the second noise floor, which follows noise that has just grown.
FAST_FLOOR_S: Final = 10.0
#: Quantile of the second noise floor: up to half of its memory may be activity.
FAST_FLOOR_QUANTILE: Final = 0.5
#: Duration (s) of the longest burst of a jerk (docs/definitions.md, Jerks).
JERK_S: Final = 0.3
#: Maximum duration (s) of a burst found inside a longer run: longest jerk plus a margin.
NESTED_MAX_S: Final = 0.4
#: Time before a nested burst (s), and the minimum fraction of it that the enclosing run covers.
NESTED_BEFORE_S: Final = 2.5
NESTED_MIN_COVER: Final = 0.8


class _Limits(NamedTuple):
    """Limits of the envelope in each second, µV."""

    burst: tuple[Floats, Floats]  # closing and opening threshold
    nested: tuple[Floats, Floats]  # inside noise that has just grown, above the fast floor too
    muscle: Floats  # of muscle activity


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of hops above the threshold, the floor at its onset, and how many bursts merge in it.

    `head` is the burst measured on the first `HEAD_S` of a long run.
    """

    start: int
    stop: int
    floor: LocalFloor
    n_merged: int = 1
    head: Burst | None = None


class BurstSearch:
    """Finds and measures the bursts of one gap-free EMG segment.

    Parameters
    ----------
    channel : Channel
    start_ns : int
        Time of the first sample of the segment.
    hop : int
        Samples per hop.
    clock : FilterClock
        Converts sample indices to times.
    settings : Settings
    numbers : iterator of int
        Numbers of the bursts of the channel, continued from segment to segment.
    local_features : bool
        Whether the local features of the bursts are measured.

    Attributes
    ----------
    raw : SampleBuffer
        EMG as recorded, µV: the samples pushed so far and those that follow.
    local_features : LocalFeatureQueue or None
    """

    def __init__(
        self,
        channel: Channel,
        start_ns: int,
        hop: int,
        clock: FilterClock,
        settings: Settings,
        numbers: Iterator[int],
        *,
        local_features: bool = True,
    ) -> None:
        self._channel, self._start_ns, self._hop = channel, start_ns, hop
        self._clock, self._settings, self._numbers = clock, settings, numbers
        fs = channel.fs
        self._before, self._after = round(BEFORE_S * fs), round(AFTER_S * fs)
        self._head_hops = round(HEAD_S * fs / hop)
        self._hops_per_s = max(1, round(fs / hop))
        # EMG as recorded, without mains hum and ECG, and in the burst band (causal)
        self.raw, self._clean = SampleBuffer(np.float32), SampleBuffer(np.float32)
        self._band = SampleBuffer(np.float32)
        emg = settings.emg
        self._threshold = NoiseThreshold(emg.open_k, emg.noise_p)
        slow, fast = (emg.floor_s, emg.floor_quantile), (FAST_FLOOR_S, FAST_FLOOR_QUANTILE)
        self._floor = NoiseFloor(self._hops_per_s, slow, fast, min_spread=emg.least_sd_uv)
        bridge = round(emg.bridge_ms / 1000 * fs / hop)
        self._segmenter = HysteresisSegmenter(bridge)
        self._nested_segmenter = HysteresisSegmenter(bridge)
        # centre and spread per second, of the floor and of the fast floor
        self._floors = SampleBuffer(np.float64, 2)
        self._fast_floors = SampleBuffer(np.float64, 2)
        self._floors_now: Floats | None = None
        self._limits = _Limits((_NONE, _NONE), (_NONE, _NONE), _NONE)
        self._active = SampleBuffer(np.bool_)
        self._envelope = SampleBuffer(np.float64)
        self._bridge = bridge
        self._opening_uv = np.inf  # newest threshold
        self._open_head: _Run | None = None  # measured head of an unfinished long run
        self._to_measure: list[_Run] = []  # finished runs, waiting for the signal after them
        self._bursts: list[Burst] = []
        self.local_features = LocalFeatureQueue(fs) if local_features else None

    def push(self, clean: Floats, band: NDArray[np.float32], envelope: Floats) -> SearchedEnvelope:
        """Search the next samples.

        Parameters
        ----------
        clean : ndarray, shape (n,)
            EMG without mains hum and ECG, µV.
        band, envelope : ndarray
            As in `BandPiece`.

        Returns
        -------
        SearchedEnvelope
            Of the envelope values whose noise floor is known by now.
        """
        self._clean.push(clean)
        self._band.push(band)
        return self._search(self._floor.push(envelope))

    def preview(
        self,
        clean: NDArray[np.float64],
        band: NDArray[np.float32],
        envelope: NDArray[np.float64],
    ) -> tuple[list[Burst], int]:
        """Return the bursts if these were the next samples, and `earliest_onset_ns` after them."""
        pending = self._segmenter.pending
        open_run = pending is not None and pending[1]
        if not (open_run or self._to_measure or envelope.max(initial=0.0) > self._opening_uv):
            return [], self.earliest_onset_ns + round(len(clean) / self._channel.fs * NS)
        other = copy(self)
        for name, part in vars(self).items():
            if isinstance(part, SampleBuffer | HysteresisSegmenter | NoiseFloor | list):
                setattr(other, name, copy(part))
        other._numbers, other._bursts, other.local_features = repeat(-1), [], None
        other.push(clean, band, envelope)
        return other.take(), other.earliest_onset_ns

    def close(self) -> SearchedEnvelope:
        """End the segment: finish and measure every run that is still open.

        Returns
        -------
        SearchedEnvelope
            Of the remaining envelope values.
        """
        piece = self._search(self._floor.close())
        self._enqueue(*self._segmenter.close())
        self._enqueue_nested(*self._nested_segmenter.close())
        self._measure_due(everything=True)
        return piece

    def take(self) -> list[Burst]:
        """Return the bursts found since the last call.

        Returns
        -------
        list of Burst
        """
        bursts, self._bursts = self._bursts, []
        return bursts

    @property
    def earliest_onset_ns(self) -> int:
        """Time before which no further burst can begin."""
        hop = min([run.start for run in self._to_measure] + [self._segmenter.earliest_start])
        return self._clock.time_ns(hop * self._hop) - round(EDGE_S * NS)

    @property
    def stop(self) -> int:
        """Index just after the newest sample."""
        return self._clean.stop

    # -- threshold ------------------------------------------------------------------

    def _search(self, estimate: FloorEstimate) -> SearchedEnvelope:
        envelope = estimate.envelope
        muscle = np.empty(0, np.bool_)
        if len(envelope):
            self._keep_floors(estimate)
            limits = self._limits_for(estimate.floors)
            self._opening_uv = float(limits.burst[1][-1])
            found = self._segmenter.follow(envelope, *limits.burst, estimate.lengths)
            self._active.push(found[0])
            self._envelope.push(envelope)
            self._enqueue(*found[1:])
            found = self._nested_segmenter.follow(envelope, *limits.nested, estimate.lengths)
            self._enqueue_nested(*found[1:])
            self._measure_due()
            self._measure_open_head()
            muscle = envelope > estimate.per_value(limits.muscle)
        medians = estimate.medians
        return SearchedEnvelope(medians, estimate.floors[0][0, : len(medians)], muscle)

    def _limits_for(self, floors: Floats) -> _Limits:
        """Return the limits of each second; the floors of most packets are those of the last."""
        if floors is not self._floors_now:
            self._floors_now = floors
            (closing, opening), (fast_closing, fast_opening) = map(self._thresholds, floors)
            nested = np.maximum(fast_closing, closing), np.maximum(fast_opening, opening)
            muscle = np.maximum(closing, floors[0][0] + self._settings.movement.fall_uv)
            self._limits = _Limits((closing, opening), nested, muscle)
        return self._limits

    def _thresholds(self, floor: Floats) -> tuple[Floats, Floats]:
        """Return the closing and the opening threshold of each second."""
        centre, spread = floor
        closing = centre + self._settings.emg.close_k * spread
        return closing, centre + self._threshold.multiple(centre, spread) * spread

    def _keep_floors(self, estimate: FloorEstimate) -> None:
        """Keep the floors of the seconds that begin here."""
        known = self._floors.stop - self._active.stop // self._hops_per_s
        if known < estimate.floors.shape[2]:  # with few packets
            for kept, floor in zip((self._floors, self._fast_floors), estimate.floors, strict=True):
                kept.push(floor.T[known:])

    def _enqueue(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            if self._open_head is not None:  # it belongs to the first run
                self._to_measure.append(replace(self._open_head, stop=stop))
                self._open_head = None
            elif stop - start > self._head_hops:
                self._to_measure.append(self._run(start, stop))
            else:
                envelope = self._envelope.get(start, stop)
                for a, b in split_at_silence(envelope, self._bridge):
                    merged = count_merged(envelope[a:b], self._hops_per_s)
                    self._to_measure.append(self._run(start + a, start + b, merged))
                    self._enqueue_strongest(start + a, start + b)

    def _enqueue_nested(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        """Keep the short runs that lie well inside a long one."""
        before = round(NESTED_BEFORE_S * self._hops_per_s)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            covered = self._active.get(max(0, start - before), start)
            short = stop - start < NESTED_MAX_S * self._hops_per_s
            if short and len(covered) == before and covered.mean() >= NESTED_MIN_COVER:
                self._to_measure.append(_Run(start, stop, self._floor_at(self._fast_floors, start)))

    def _enqueue_strongest(self, start: int, stop: int) -> None:
        """Keep the short part that far exceeds the rest of a run longer than a jerk."""
        if stop - start <= JERK_S * self._hops_per_s:
            return
        envelope = self._envelope.get(start, stop)
        part = strongest_part(envelope, round(JERK_S * self._hops_per_s))
        if part is not None:
            rest = np.concatenate([envelope[: part[0]], envelope[part[1] :]])
            centre = fast_median(rest)
            floor = LocalFloor(centre, MAD_TO_SD * fast_median(np.abs(rest - centre)))
            self._to_measure.append(_Run(start + part[0], start + part[1], floor))

    def _run(self, start: int, stop: int, n_merged: int = 1) -> _Run:
        return _Run(start, stop, self._floor_at(self._floors, start), n_merged)

    def _floor_at(self, floors: SampleBuffer, hop: int) -> LocalFloor:
        second = hop // self._hops_per_s
        return LocalFloor(*floors.get(second, second + 1)[0].tolist())

    # -- measurement ------------------------------------------------------------------

    def _measure_open_head(self) -> None:
        """Measure the beginning of an open run once it is longer than `HEAD_S`."""
        pending = self._segmenter.pending
        if pending is not None and pending[1] and self._open_head is None:
            head = self._run(pending[0], pending[0] + self._head_hops)
            if self._needed_until(head) <= self._clean.stop:
                (burst,) = measure_bursts(self._channel, [self._window(head)], self._settings)
                self._open_head = replace(head, head=burst)

    def _measure_due(self, *, everything: bool = False) -> None:
        """Measure the runs whose surroundings are known."""

        def is_due(run: _Run) -> bool:
            return everything or self._needed_until(run) <= self._clean.stop

        while due := list(takewhile(is_due, self._to_measure[:MEASURED_AT_ONCE])):
            del self._to_measure[: len(due)]
            self._measure_together(due)

    def _measure_together(self, runs: list[_Run]) -> None:
        numbers = list(islice(self._numbers, len(runs)))
        is_long = [run.stop - run.start > self._head_hops for run in runs]
        windows = [
            self._window(run, number)
            for run, number, long in zip(runs, numbers, is_long, strict=True)
            if not (long and run.head)
        ]
        measured = iter(measure_bursts(self._channel, windows, self._settings))
        for run, number, long in zip(runs, numbers, is_long, strict=True):
            burst = run.head if long and run.head else next(measured)
            if long:
                stop_ns = self._clock.time_ns(run.stop * self._hop)
                burst = replace(burst, number=number, offset_ns=stop_ns)
            self._bursts.append(burst)
            if self.local_features is None:
                continue
            if long:
                self.local_features.add_long(number)
            else:
                self.local_features.add(number, self._clock.sample(burst.peak_ns))

    def _needed_until(self, run: _Run) -> int:
        """Return the index just after the last sample that the measurement of a run needs."""
        return (min(run.stop, run.start + self._head_hops) + 1) * self._hop + self._after

    def _window(self, run: _Run, number: int = -1) -> BurstWindow:
        """Return the signal around a run, or around the head of a long one."""
        run_stop = min(run.stop, run.start + self._head_hops)
        # value i of the envelope covers the hops i and i + 1
        delay = self._clock.delay
        start = max(0, run.start * self._hop - delay)
        stop = max(start + 1, (run_stop + 1) * self._hop - delay)
        first, last = max(0, start - self._before), stop + self._after
        return BurstWindow(
            self.raw.get(first, last),
            self._clean.get(first, last).astype(np.float64),
            number,
            (start - first, stop - first),
            self._start_ns + round(first / self._channel.fs * NS),
            run.floor,
            n_merged=run.n_merged,
        )

    def describe_due(self, *, everything: bool = False) -> None:
        """Measure the local features of the bursts whose surroundings are known.

        Parameters
        ----------
        everything : bool
            Whether the segment has ended, so that no more signal will come.
        """
        if self.local_features is not None:
            self.local_features.push(self._band, everything=everything)

    def discard(self) -> None:
        """Discard the samples that no later measurement needs."""
        measured = self._open_head is not None
        oldest = self._active.stop if measured else self._segmenter.earliest_start
        oldest = min([oldest, *(run.start for run in self._to_measure)])
        # longer nested runs are not kept
        reach = round(2 * NESTED_MAX_S * self._hops_per_s)
        oldest = min(oldest, max(self._nested_segmenter.earliest_start, self._active.stop - reach))
        self._floors.discard(oldest // self._hops_per_s)
        self._fast_floors.discard(oldest // self._hops_per_s)
        self._envelope.discard(oldest)
        self._active.discard(oldest - round(NESTED_BEFORE_S * self._hops_per_s))
        first = oldest * self._hop - 2 * self._before
        self.raw.discard(first)
        self._clean.discard(first)
        queue = self.local_features
        self._band.discard(first if queue is None else queue.needed_from(first))
