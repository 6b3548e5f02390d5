"""One segment of one accelerometer: preprocessing, then episodes of movement.

Everything follows from the vector magnitude or from angles between vectors, never from a
single axis, so the orientation of the sensor on the leg does not matter.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.candidates.interpolation import factor, interpolate
from twitchsense.detect.candidates.short_gaps import ShortGaps
from twitchsense.detect.sensors.per_second import AccPerSecond
from twitchsense.detect.sensors.sensor_queries import AFTER_NS, BEFORE_NS
from twitchsense.dsp.acc_motion import AccMotion
from twitchsense.dsp.buffers import SampleBuffer, hop_size
from twitchsense.dsp.filters import FilterClock
from twitchsense.dsp.hysteresis import HysteresisSegmenter
from twitchsense.dsp.noise_floor import FloorEstimate, NoiseFloor
from twitchsense.dsp.spikes import SpikeRemover
from twitchsense.model.candidates import AccEpisode, Envelope
from twitchsense.model.channels import NS, Channel, Samples
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: Hop of the envelope, s.
HOP_S: Final = 0.010
#: Sampling rate below which a movement is measured on interpolated samples, Hz: from here on, the
#: samples themselves show peaks to within a few per cent (benchmarks/sampling_rates).
COARSE_HZ: Final = 60.0
#: Minimum rate to which it is interpolated, Hz: that for which the limits of a jerk are defined.
FINE_HZ: Final = 100.0
#: Start of the window of the orientation before an episode: time before its onset, s.
ORIENTATION_BEFORE_S: Final = 1.0
#: End of the window of the orientation after an episode: time after its offset, s.
ORIENTATION_AFTER_S: Final = 0.5
#: Distance of both windows from the episode, s.
ORIENTATION_MARGIN_S: Final = 0.1
#: Minimum length of the signal in either window, s.
ORIENTATION_MIN_S: Final = 0.1
#: Length of the envelope kept before and after an episode, s.
AROUND_S: Final = 0.3


class AccSegment:
    """Searches one segment of one accelerometer for episodes of movement.

    Parameters
    ----------
    channel : Channel
    start_ns : int
        Time of the first sample of the segment.
    settings : Settings

    Attributes
    ----------
    gaps : ShortGaps
        Gaps after which the segment went on.
    """

    def __init__(self, channel: Channel, start_ns: int, settings: Settings) -> None:
        self.channel = channel
        self._settings, self._start_ns = settings, start_ns
        fs = channel.fs
        self._hop = hop_size(HOP_S, fs)
        self._up = factor(fs, FINE_HZ) if fs < COARSE_HZ else 1
        per_second = max(1, round(fs / self._hop))
        self.gaps = ShortGaps(start_ns, fs)
        self._spikes = SpikeRemover(fs, channel.width)
        self._motion = AccMotion(fs, channel.width, self._hop, per_second)
        self._clock = FilterClock(start_ns, fs, self._motion.delay_s)
        self._floor = NoiseFloor(per_second, (settings.acc.floor_s, 0.25), min_spread=1e-4)
        self._segmenter = HysteresisSegmenter(round(settings.acc.bridge_ms / 1000 * fs / self._hop))
        self._raw = SampleBuffer(np.float64, channel.width)
        self._magnitude, self._jerk = SampleBuffer(np.float64), SampleBuffer(np.float64)
        self._dynamic = SampleBuffer(np.float64, channel.width)  # to be interpolated
        self._threshold_g = SampleBuffer(np.float64)
        self._to_measure: list[tuple[int, int, float]] = []
        self._samples_per_s = self._hop * per_second
        self._per_second = AccPerSecond(
            start_ns, fs, self._samples_per_s, per_second, channel.width
        )
        self._episodes: list[AccEpisode] = []

    def push(self, samples: Samples, lost: int = 0) -> None:
        """Add the next samples, which `process` searches.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, width)
            Acceleration, g; at least one sample.
        lost : int, default 0
            Number of samples that are missing before them.
        """
        self.gaps.push(samples, lost)

    def process(self) -> None:
        """Search the samples added since the last call, in one piece across short gaps."""
        samples, _ = self.gaps.take()
        if len(samples):
            self._process(self._spikes.push(samples.astype(np.float64)))

    def _process(self, x: NDArray[np.float64]) -> None:
        if len(x) == 0:
            return
        piece = self._motion.push(x)
        if self._up > 1:
            self._dynamic.push(piece.dynamic)
        self._raw.push(x)
        self._per_second.push(len(x), piece.seconds)
        self._magnitude.push(piece.magnitude)
        self._jerk.push(piece.rate)
        self._threshold(self._floor.push(piece.magnitude))
        self._measure_due()

    def close(self) -> None:
        """End the segment: finish everything that is still open."""
        self.process()
        self._process(self._spikes.close())
        self._threshold(self._floor.close())
        self._enqueue(*self._segmenter.close())
        self._measure_due(everything=True)

    def take(self) -> list[AccEpisode]:
        """Return the episodes found since the last call.

        Returns
        -------
        list of AccEpisode
        """
        found, self._episodes = self._episodes, []
        return found

    def open_candidates(self) -> list[AccEpisode]:
        """Return the episodes that are not finished yet, up to the newest sample.

        Returns
        -------
        list of AccEpisode
        """
        start, opened = self._segmenter.pending or (0, False)
        stop = self._threshold_g.stop
        now = []
        if opened and start < stop:
            now = [(start, stop, float(self._threshold_g.get(start, start + 1)[0]))]
        return [self._episode(*due) for due in (*self._to_measure, *now)]

    def per_second(self) -> PerSecond:
        """Return the per-second statistics of the segment; call after `close`.

        Returns
        -------
        PerSecond
        """
        return self.gaps.subtract_lost(
            self._per_second.finish(self._motion.close()), self._samples_per_s
        )

    @property
    def earliest_onset_ns(self) -> int:
        """Time before which no further episode can begin."""
        hop = self._to_measure[0][0] if self._to_measure else self._segmenter.earliest_start
        return self._clock.time_ns(hop * self._hop)

    @property
    def newest_ns(self) -> int:
        """Time just after the newest sample."""
        return self._clock.time_ns(self._magnitude.stop * self._hop)

    def covers(self, time_ns: int) -> bool:
        """Whether the segment covers a time.

        Parameters
        ----------
        time_ns : int

        Returns
        -------
        bool
        """
        return self._start_ns <= time_ns < self.newest_ns

    def envelope(self, first_ns: int, last_ns: int, limit_ns: int) -> Envelope:
        """Return the envelope in which a response between two times is measured.

        Parameters
        ----------
        first_ns, last_ns : int
            Interval in which the peak is sought.
        limit_ns : int
            Samples from here on may not have arrived yet, and are left out.

        Returns
        -------
        Envelope
            Empty where the segment holds no signal around the interval.
        """
        first = max(self._index(first_ns - BEFORE_NS), self._magnitude.start)
        last = min(self._index(last_ns + AFTER_NS), self._index(limit_ns))
        return self._envelope(first, last)

    def discard(self, before_ns: int) -> None:
        """Discard the samples that no later query can reach.

        Parameters
        ----------
        before_ns : int
            Onset of the oldest candidate that is still undecided.
        """
        hop = self._index(before_ns - 3 * NS)
        if self._to_measure:
            hop = min(hop, self._to_measure[0][0])
        hop = min(hop, self._segmenter.earliest_start)
        margin = round(2 * ORIENTATION_BEFORE_S * self.channel.fs / self._hop)
        self._magnitude.discard(hop - margin)
        self._jerk.discard(hop - margin)
        self._dynamic.discard(hop - margin)
        self._threshold_g.discard(hop - margin)
        self._raw.discard((hop - margin) * self._hop)

    def discard_seconds(self, before_ns: int) -> None:
        """Discard the per-second statistics, which only `per_second` needs.

        Parameters
        ----------
        before_ns : int
            Onset of the oldest candidate that is still undecided.
        """
        self._per_second.discard()
        self.gaps.discard(before_ns)

    def _threshold(self, estimate: FloorEstimate) -> None:
        magnitude = estimate.envelope
        if len(magnitude) == 0:
            return
        rule = self._settings.acc
        centre, spread = estimate.floors[0]
        # without the upper limit, a leg that keeps moving would raise the threshold above its own
        # movement, and a walk would end in jerks
        opening = np.clip(centre + rule.open_k * spread, rule.open_g, rule.cap_g)
        closing = np.clip(centre + rule.close_k * spread, rule.open_g * 2 / 3, rule.cap_g * 2 / 3)
        self._threshold_g.push(estimate.per_value(opening))
        active, *found = self._segmenter.follow(magnitude, closing, opening, estimate.lengths)
        self._per_second.push_active(active)
        self._enqueue(*found)

    def _enqueue(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            opening = float(self._threshold_g.get(start, start + 1)[0])
            self._to_measure.append((start, stop, opening))

    def _measure_due(self, *, everything: bool = False) -> None:
        """Measure the finished episodes for which the signal after them is known."""
        wait = round(ORIENTATION_AFTER_S * self.channel.fs / self._hop) + 1
        while self._to_measure and (
            everything or self._to_measure[0][1] + wait <= self._magnitude.stop
        ):
            self._episodes.append(self._episode(*self._to_measure.pop(0)))

    def _episode(self, start: int, stop: int, opening: float) -> AccEpisode:
        around = round(AROUND_S * self.channel.fs / self._hop)
        magnitude, jerk = self._measure(start, stop, around)
        peak = int(magnitude.argmax())
        return AccEpisode(
            self.channel.name,
            self._clock.time_ns(start * self._hop),
            self._clock.time_ns(stop * self._hop),
            float(magnitude[peak]),
            float(jerk.max()),
            peak * self._hop / self.channel.fs / self._up * 1000,
            self._turn(start, stop),
            float(magnitude[peak]) / opening,
            self._envelope(start - around, stop + around),
        )

    def _turn(self, start: int, stop: int) -> float:
        """Angle in degrees between the mean vectors before and after."""
        fs = self.channel.fs
        first, last = start * self._hop, stop * self._hop
        before = self._raw.get(
            first - round(ORIENTATION_BEFORE_S * fs), first - round(ORIENTATION_MARGIN_S * fs)
        )
        after = self._raw.get(
            last + round(ORIENTATION_MARGIN_S * fs), last + round(ORIENTATION_AFTER_S * fs)
        )
        least = max(2, round(ORIENTATION_MIN_S * fs))
        if self.channel.width < 2 or len(before) < least or len(after) < least:
            return float("nan")
        u, v = before.mean(axis=0), after.mean(axis=0)
        size = float(np.linalg.norm(u) * np.linalg.norm(v))
        return float(np.degrees(np.arccos(np.clip(u @ v / size, -1.0, 1.0)))) if size > 0 else 0.0

    def _envelope(self, start: int, stop: int) -> Envelope:
        """Return the envelope of the hops that are known."""
        start = max(start, self._magnitude.start)
        magnitude, jerk = self._measure(start, stop)
        hop_ns = self._hop / self.channel.fs * NS
        return Envelope(
            self._clock.time_ns(start * self._hop),
            hop_ns / self._up,
            magnitude.astype(np.float32),
            jerk.astype(np.float32),
            hop_ns,
        )

    def _measure(self, start: int, stop: int, around: int = 0) -> tuple[Floats, Floats]:
        """Return acceleration and rate of change in some hops, interpolated to `FINE_HZ`.

        Up to `around` hops on either side are read too, so that the ends are exact.
        """
        if self._up == 1:
            return self._magnitude.get(start, stop), self._jerk.get(start, stop)
        first = max(start - around, self._dynamic.start)
        dynamic = interpolate(self._dynamic.get(first, stop + around), self._up)
        magnitude = np.sqrt(np.square(dynamic).sum(axis=1))
        steps = np.diff(dynamic, axis=0, prepend=dynamic[:1])
        jerk = np.sqrt(np.square(steps).sum(axis=1)) * self.channel.fs * self._up
        part = slice((start - first) * self._up, (stop - first) * self._up)
        return magnitude[part], jerk[part]

    def _index(self, time_ns: int) -> int:
        """Return the hop that contains a time."""
        seconds = (time_ns - self._start_ns) / NS + self._motion.delay_s
        return max(0, int(seconds * self.channel.fs // self._hop))
