"""One EMG channel, sample by sample, into bursts and leg-movement runs.

Bursts are found on a 10-ms RMS of the 20-450 Hz band: a longer window would
make a single motor unit look like a burst of 50 ms (see docs/detection.md).
They are found on a grid of hops and then measured at full rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.burst_measures import Floor, measure
from twitchsense.detect.local_features import REACH_S, Company, find_company
from twitchsense.detect.per_second import EmgPerSecond
from twitchsense.dsp.buffers import Framer, SampleBuffer, hop_size, moving_sum
from twitchsense.dsp.ecg_canceller import Beat, EcgCanceller
from twitchsense.dsp.filters import burst_band, leg_movement_band
from twitchsense.dsp.hysteresis import HysteresisSegmenter
from twitchsense.dsp.mains import MainsCanceller
from twitchsense.dsp.noise_floor import FloorEstimate, NoiseFloor, NoiseThreshold
from twitchsense.model.candidates import Burst, LegMovementRun
from twitchsense.model.channels import NS, Channel, Samples
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

#: Grid on which bursts are searched; their edges are measured at full rate.
HOP_S = 0.005
#: Samples kept around a burst, for its shape and the level before and after it; a
#: filter without phase shift needs more of what was than of what comes.
BEFORE_S, AFTER_S = 0.4, 0.09
#: A burst measured at full rate begins no earlier than this before its run of hops.
EDGE_S = 0.03
#: A longer run is measured on its first seconds only, so that memory is bounded.
HEAD_S = 10.0
#: Where the noise grows, the floor of the last seconds finds what stands out of it; it
#: is their median, so that half of them may be activity.
NEAR_S, NEAR_QUANTILE = 10.0, 0.5
#: Longer than this it finds nothing: the longest jerk, and a little more.
INNER_S = 0.4
#: So long before it, and for so much of that, the long run must have gone on.
INSIDE_S, INSIDE_SHARE = 2.5, 0.8
#: Rules ask for seconds no longer before what they decide.
FORGET_S = 5
#: RMS window of the leg-movement envelope (docs/definitions.md, Signal bands), in 10-ms hops.
LEG_WINDOW = 15


@dataclass(frozen=True)
class Run:
    """A run of hops, with the noise floor that held where it began."""

    start: int
    stop: int
    floor: Floor
    head: Burst | None = None


class EmgTrack:
    """Follows one gap-free segment of one EMG channel.

    Parameters
    ----------
    channel : Channel
    start_ns : int
        Time of the segment's first sample.
    settings : Settings
    """

    def __init__(self, channel: Channel, start_ns: int, settings: Settings) -> None:
        self.channel = channel
        self._settings = settings
        self._start_ns = start_ns
        fs = channel.fs
        self._hop = hop_size(HOP_S, fs)
        self._before, self._margin = round(BEFORE_S * fs), round(AFTER_S * fs)
        self._head_hops = round(HEAD_S * fs / self._hop)
        self._hops_per_s = max(1, round(fs / self._hop))
        self._mains, self._heart = MainsCanceller(fs), EcgCanceller(fs)
        self._burst_filter, self._leg_filter = burst_band(fs), leg_movement_band(fs)
        # as it came, and without mains and heart
        self._raw, self._clean = SampleBuffer(np.float32), SampleBuffer(np.float32)
        self._band = SampleBuffer(np.float32)
        self._burst_hops, self._leg_hops = Framer(self._hop), Framer(2 * self._hop)
        self._last_energy = np.empty(0)
        self._leg_energy = np.empty(0)
        memory, quantile = settings.emg.floor_s, settings.emg.floor_quantile
        self._noise = NoiseThreshold(settings.emg.open_k, settings.emg.noise_p)
        self._floor = NoiseFloor(self._hops_per_s, memory, quantile, settings.emg.least_sd_uv)
        self._leg_floor = NoiseFloor(max(1, self._hops_per_s // 2), memory, quantile, 0.0)
        bridge = round(settings.emg.bridge_ms / 1000 * fs / self._hop)
        self._runs = HysteresisSegmenter(bridge)
        self._near_floor = NoiseFloor(
            self._hops_per_s, NEAR_S, NEAR_QUANTILE, settings.emg.least_sd_uv
        )
        self._inner_runs = HysteresisSegmenter(bridge)
        self._low, self._near = SampleBuffer(np.bool_), SampleBuffer(np.float64, 3)
        self._leg_runs = HysteresisSegmenter(
            round(settings.movement.quiet_s * fs / (2 * self._hop)) - 1
        )
        self._centre, self._spread = SampleBuffer(np.float64), SampleBuffer(np.float64)
        self._opening = SampleBuffer(np.float64)
        self._leg_excess = SampleBuffer(np.float32)
        self._head: Run | None = None  # an unfinished run longer than HEAD_S, already measured
        self._due: list[Run] = []  # ended, waiting for the samples after them
        self._seconds = EmgPerSecond(
            start_ns, fs, self._hop * self._hops_per_s, self._hops_per_s, settings
        )
        self._bursts: list[Burst] = []
        self._lonely: list[Burst] = []  # whose company is not yet known
        self._company: list[tuple[int, Company]] = []
        self._leg_found: list[LegMovementRun] = []

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape ``(n, 1)`` in µV."""
        x = samples[:, 0].astype(np.float64)
        self._raw.push(x)
        self._follow(self._heart.push(self._mains.push(x)))

    def _follow(self, clean: NDArray[np.float64]) -> None:
        """Search the next samples without mains and heart."""
        x = self._raw.get(self._clean.stop, self._clean.stop + len(clean)).astype(np.float64)
        burst = self._burst_filter.push(clean)
        self._clean.push(clean)
        self._band.push(burst)
        self._seconds.push(x, burst)
        energy = np.square(self._burst_hops.push(burst)).mean(axis=1)
        self._search_bursts(energy)
        leg = np.square(self._leg_hops.push(self._leg_filter.push(clean))).mean(axis=1)
        self._search_leg_runs(leg)
        self._find_company()
        self._forget()

    def close(self) -> None:
        """End the segment: everything still open is finished."""
        self._follow(self._heart.close())
        self._threshold(self._floor.close(), self._near_floor.close())
        self._enqueue(*self._runs.close())
        self._enqueue_inner(*self._inner_runs.close())
        self._measure_due(all_of_them=True)
        leg = self._leg_floor.close()
        self._leg_threshold(leg.envelope, leg.centre)
        self._finish_leg(*self._leg_runs.close())
        self._find_company(all_of_them=True)

    def take(self) -> tuple[list[Burst], list[LegMovementRun]]:
        """Hand over what was found since the last call."""
        bursts, runs = self._bursts, self._leg_found
        self._bursts, self._leg_found = [], []
        return bursts, runs

    def take_company(self) -> list[tuple[int, Company]]:
        """Hand over the company of bursts of up to `HEAD_S`, by the time of their peak.

        It is known later than the bursts themselves: seconds after them are looked at.
        """
        found, self._company = self._company, []
        return found

    def take_beats(self) -> list[tuple[int, Beat]]:
        """Hand over the heart's beats found since the last call, each with its time in ns."""
        return [
            (self._start_ns + round(b.sample / self.channel.fs * NS), b)
            for b in self._heart.pop_beats()
        ]

    def seconds(self) -> PerSecond:
        """Return the per-second statistics of the segment (call after `close`)."""
        return self._seconds.finish()

    @property
    def settled_ns(self) -> int:
        """Time before which no further candidate can begin."""
        runs = self._time_ns(self._leg_runs.earliest_start * 2 * self._hop) - round(EDGE_S * NS)
        return min(runs, self.searched_ns)

    @property
    def searched_ns(self) -> int:
        """Time before which no further burst can begin."""
        hop = min([run.start for run in self._due] + [self._runs.earliest_start])
        return self._time_ns(hop * self._hop) - round(EDGE_S * NS)

    def open(self) -> list[LegMovementRun]:
        """Return the leg-movement run that has not ended yet, up to now."""
        start, opened = self._leg_runs.pending or (0, False)
        stop = self._leg_excess.stop
        return [self._leg_run(start, stop)] if opened and start < stop else []

    @property
    def reach_ns(self) -> int:
        """Time just after the newest sample."""
        return self._time_ns(self._clean.stop)

    def usable(self, time_ns: int) -> bool:
        """Whether the segment holds a time, and muscle can be judged there.

        Judged by the whole second before: that one has surely passed.
        """
        return self._covers(time_ns) and self._seconds.usable(self._second(time_ns) - 1)

    def shows_jerks(self, time_ns: int) -> bool:
        """Whether the segment holds a time, and a jerk's burst would be seen there."""
        return self._covers(time_ns) and self._seconds.shows_jerks(self._second(time_ns) - 1)

    def _covers(self, time_ns: int) -> bool:
        return self._start_ns <= time_ns < self.reach_ns

    def forget_seconds(self, before_ns: int) -> None:
        """Drop the statistics of seconds that no rule can ask for: no table is wanted."""
        self._seconds.forget(self._second(before_ns) - FORGET_S)

    def _second(self, time_ns: int) -> int:
        seconds = (time_ns - self._start_ns) / NS
        return int(seconds * self.channel.fs // (self._hop * self._hops_per_s))

    # -- bursts ---------------------------------------------------------------

    def _search_bursts(self, energy: NDArray[np.float64]) -> None:
        both = np.concatenate([self._last_energy, energy])
        if len(both) < 2:
            self._last_energy = both
            return
        self._last_energy = both[-1:]
        envelope = np.sqrt(moving_sum(both, 2) / 2)
        self._threshold(self._floor.push(envelope), self._near_floor.push(envelope))

    def _threshold(self, piece: FloorEstimate, near: FloorEstimate) -> None:
        envelope, centre, spread = piece.envelope, piece.centre, piece.spread
        if len(envelope) == 0:
            return
        self._centre.push(centre)
        self._spread.push(spread)
        emg = self._settings.emg
        opening = centre + self._noise.multiple(centre, spread) * spread
        self._opening.push(opening)
        low = envelope > centre + emg.close_k * spread
        self._seconds.note(envelope, centre, low)
        self._low.push(low)
        self._enqueue(*self._runs.push(low, envelope > opening))
        self._search_inside(near, centre + emg.close_k * spread, opening)
        self._measure_due()
        pending = self._runs.pending
        if pending is not None and pending[1] and self._head is None:
            head = self._run(pending[0], pending[0] + self._head_hops)
            if self._after(head) <= self._clean.stop:
                self._head = replace(head, head=self._measure(head))

    def _enqueue(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            if self._head is not None:  # it can only be the first
                self._due.append(replace(self._head, stop=stop))
                self._head = None
            else:
                self._due.append(self._run(start, stop))

    def _search_inside(
        self, near: FloorEstimate, closing: NDArray[np.float64], opening: NDArray[np.float64]
    ) -> None:
        """Search by the last seconds' floor: bursts in noise that has just grown."""
        emg = self._settings.emg
        low = near.centre + emg.close_k * near.spread
        high = near.centre + self._noise.multiple(near.centre, near.spread) * near.spread
        self._near.push(np.stack([near.centre, near.spread, high], axis=1))
        inside = near.envelope > np.maximum(low, closing)
        opens = near.envelope > np.maximum(high, opening)
        self._enqueue_inner(*self._inner_runs.push(inside, opens))

    def _enqueue_inner(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        """Keep the short runs that lie well inside a long one."""
        before = round(INSIDE_S * self._hops_per_s)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            low = self._low.get(max(0, start - before), start)
            short = stop - start < INNER_S * self._hops_per_s
            if short and len(low) == before and low.mean() >= INSIDE_SHARE:
                floor = Floor(*self._near.get(start, start + 1)[0].tolist())
                self._due.append(Run(start, stop, floor))

    def _measure_due(self, *, all_of_them: bool = False) -> None:
        """Measure the runs whose surroundings are known."""
        while self._due and (all_of_them or self._after(self._due[0]) <= self._clean.stop):
            run = self._due.pop(0)
            if run.stop - run.start > self._head_hops:
                head = run.head or self._measure(replace(run, stop=run.start + self._head_hops))
                burst = replace(head, offset_ns=self._time_ns(run.stop * self._hop))
            else:
                burst = self._measure(run)
                self._lonely.append(burst)
            self._bursts.append(burst)

    def _find_company(self, *, all_of_them: bool = False) -> None:
        fs, reach = self.channel.fs, round(REACH_S * self.channel.fs)
        delay = self._burst_filter.delay_s
        while self._lonely:
            burst = self._lonely[0]
            at = round(((burst.peak_ns - self._start_ns) / NS + delay) * fs)
            if not all_of_them and at + reach >= self._band.stop:
                return
            first = max(0, at - reach)
            around = self._band.get(first, at + reach).astype(np.float64)
            if len(around):
                self._company.append((burst.peak_ns, find_company(around, at - first, fs)))
            self._lonely.pop(0)

    def _run(self, start: int, stop: int) -> Run:
        here = [
            float(h.get(start, start + 1)[0]) for h in (self._centre, self._spread, self._opening)
        ]
        return Run(start, stop, Floor(*here))

    def _after(self, run: Run) -> int:
        """Index of the sample after all that a run's features need."""
        stop = min(run.stop, run.start + self._head_hops)
        return (stop + 1) * self._hop + self._margin

    def _measure(self, run: Run) -> Burst:
        """Measure a run of hops at full rate."""
        # value i of the envelope covers the hops i and i + 1
        delay = round(self._burst_filter.delay_s * self.channel.fs)
        start = max(0, run.start * self._hop - delay)
        stop = max(start + 1, (run.stop + 1) * self._hop - delay)
        first = max(0, start - self._before)
        last = stop + self._margin
        return measure(
            self.channel,
            self._raw.get(first, last).astype(np.float64),
            self._clean.get(first, last).astype(np.float64),
            inside=(start - first, stop - first),
            first_ns=self._start_ns + round(first / self.channel.fs * NS),
            floor=run.floor,
            settings=self._settings,
        )

    # -- leg-movement runs ------------------------------------------------------

    def _search_leg_runs(self, energy: NDArray[np.float64]) -> None:
        both = np.concatenate([self._leg_energy, energy])
        if len(both) < LEG_WINDOW:
            self._leg_energy = both
            return
        self._leg_energy = both[-(LEG_WINDOW - 1) :]
        piece = self._leg_floor.push(np.sqrt(moving_sum(both, LEG_WINDOW) / LEG_WINDOW))
        self._leg_threshold(piece.envelope, piece.centre)

    def _leg_threshold(self, envelope: NDArray[np.float64], rest: NDArray[np.float64]) -> None:
        if len(envelope) == 0:
            return
        excess = envelope - rest
        self._leg_excess.push(excess)
        rule = self._settings.movement
        self._finish_leg(*self._leg_runs.push(excess > rule.fall_uv, excess > rule.rise_uv))

    def _finish_leg(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            self._leg_found.append(self._leg_run(start, stop))

    def _leg_run(self, start: int, stop: int) -> LegMovementRun:
        # value i covers the hops [i, i + LEG_WINDOW): its time is the middle
        middle = LEG_WINDOW * self._hop
        return LegMovementRun(
            self.channel.name,
            self._time_ns(start * 2 * self._hop + middle),
            self._time_ns(stop * 2 * self._hop + middle),
            float(np.median(self._leg_excess.get(start, stop))),
        )

    # -- bookkeeping --------------------------------------------------------------

    def _time_ns(self, sample: int) -> int:
        """Time of a sample of a filtered signal, the filter's delay taken off."""
        seconds = sample / self.channel.fs - self._burst_filter.delay_s
        return self._start_ns + round(seconds * NS)

    def _forget(self) -> None:
        oldest = self._runs.earliest_start
        if self._head is not None:  # measured already
            oldest = self._centre.stop
        oldest = min([oldest, *(run.start for run in self._due)])
        # a longer inner run is not kept
        reach = round(2 * INNER_S * self._hops_per_s)
        oldest = min(oldest, max(self._inner_runs.earliest_start, self._centre.stop - reach))
        for floor in (self._centre, self._spread, self._opening, self._near):
            floor.discard(oldest)
        self._low.discard(oldest - round(INSIDE_S * self._hops_per_s))
        for samples in (self._raw, self._clean):
            samples.discard(oldest * self._hop - 2 * self._before)
        oldest = oldest * self._hop - 2 * self._before
        if self._lonely:
            first = min(burst.peak_ns for burst in self._lonely)
            seconds = (first - self._start_ns) / NS
            oldest = min(oldest, round(seconds * self.channel.fs))
        self._band.discard(oldest - round(REACH_S * self.channel.fs))
        self._leg_excess.discard(self._leg_runs.earliest_start)
