"""One accelerometer, sample by sample, into episodes of movement.

Everything is taken from the vector, never from an axis, so that it does not
matter how the sensor sits on the leg.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.per_second import AccPerSecond
from twitchsense.detect.response import HEAD_NS, TAIL_NS, Response, find_response
from twitchsense.dsp.buffers import Framer, SampleBuffer, hop_size
from twitchsense.dsp.filters import dynamic_band
from twitchsense.dsp.hysteresis import HysteresisSegmenter
from twitchsense.dsp.noise_floor import NoiseFloor
from twitchsense.model.candidates import AccEpisode, Envelope
from twitchsense.model.channels import NS, Channel, Samples
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

HOP_S = 0.010
#: Orientation is averaged over these stretches before and after an episode,
#: and needs at least LEAST_S of them.
BEFORE_S, AFTER_S, CLEAR_S, LEAST_S = 1.0, 0.5, 0.1, 0.1
#: Kept of the envelope before and after an episode.
AROUND_S = 0.3


class AccTrack:
    """Follows one gap-free segment of one accelerometer.

    Parameters
    ----------
    channel : Channel
    start_ns : int
        Time of the segment's first sample.
    settings : Settings
    """

    def __init__(self, channel: Channel, start_ns: int, settings: Settings) -> None:
        self.channel = channel
        self._settings, self._start_ns = settings, start_ns
        fs = channel.fs
        self._hop = hop_size(HOP_S, fs)
        per_second = max(1, round(fs / self._hop))
        self._filter = dynamic_band(fs)
        self._hops = Framer(self._hop)
        self._last = np.empty((0, channel.width))
        self._floor = NoiseFloor(per_second, settings.acc.floor_s, 0.25, 1e-4)
        self._runs = HysteresisSegmenter(round(settings.acc.bridge_ms / 1000 * fs / self._hop))
        self._raw = SampleBuffer(np.float64, channel.width)
        self._magnitude, self._jerk = SampleBuffer(np.float64), SampleBuffer(np.float64)
        self._threshold_g = SampleBuffer(np.float64)
        self._due: list[tuple[int, int, float]] = []
        self._seconds = AccPerSecond(start_ns, fs, self._hop * per_second, per_second)
        self._found: list[AccEpisode] = []

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape ``(n, width)`` in g."""
        if len(samples) == 0:
            return
        x = samples.astype(np.float64)
        dynamic = self._filter.push(x)
        magnitude = np.sqrt(np.square(dynamic).sum(axis=1))
        before = self._last if len(self._last) else dynamic[:1]
        steps = np.diff(np.concatenate([before, dynamic]), axis=0)
        jerk = np.sqrt(np.square(steps).sum(axis=1)) * self.channel.fs
        self._last = dynamic[-1:]
        self._raw.push(x)
        self._seconds.push(x, magnitude)
        hops = self._hops.push(np.stack([magnitude, jerk], axis=1)).max(axis=1)
        self._magnitude.push(hops[:, 0])
        self._jerk.push(hops[:, 1])
        piece = self._floor.push(hops[:, 0])
        self._threshold(piece.envelope, piece.centre, piece.spread)
        self._measure_due()

    def close(self) -> None:
        """End the segment: everything still open is finished."""
        piece = self._floor.close()
        self._threshold(piece.envelope, piece.centre, piece.spread)
        self._enqueue(*self._runs.close())
        self._measure_due(all_of_them=True)

    def take(self) -> list[AccEpisode]:
        """Hand over what was found since the last call."""
        found, self._found = self._found, []
        return found

    def open(self) -> list[AccEpisode]:
        """Return the episodes that have not ended or whose aftermath is not known, up to now."""
        start, opened = self._runs.pending or (0, False)
        stop = self._threshold_g.stop
        now = []
        if opened and start < stop:
            now = [(start, stop, float(self._threshold_g.get(start, start + 1)[0]))]
        return [self._episode(*due) for due in (*self._due, *now)]

    def seconds(self) -> PerSecond:
        """Return the per-second statistics of the segment (call after `close`)."""
        return self._seconds.finish()

    @property
    def settled_ns(self) -> int:
        """Time before which no further episode can begin."""
        hop = self._due[0][0] if self._due else self._runs.earliest_start
        return self._time_ns(hop)

    @property
    def reach_ns(self) -> int:
        """Time just after the newest sample."""
        return self._time_ns(self._magnitude.stop)

    def covers(self, time_ns: int) -> bool:
        """Whether the segment holds that time."""
        return self._start_ns <= time_ns < self.reach_ns

    def response(self, first_ns: int, last_ns: int, limit_ns: int) -> Response | None:
        """Return the movement whose peak lies between two times.

        Parameters
        ----------
        first_ns, last_ns : int
            Where the peak is looked for.
        limit_ns : int
            Samples from here on may not have arrived yet and are not looked at.
        """
        head = max(self._index(first_ns - HEAD_NS), self._magnitude.start)
        tail = min(self._index(last_ns + TAIL_NS), self._index(limit_ns))
        return find_response(self._trace(head, tail), first_ns, last_ns)

    def forget(self, before_ns: int) -> None:
        """Drop what no further question can reach."""
        hop = self._index(before_ns - 3 * NS)
        if self._due:
            hop = min(hop, self._due[0][0])
        hop = min(hop, self._runs.earliest_start)
        margin = round(2 * BEFORE_S * self.channel.fs / self._hop)
        self._magnitude.discard(hop - margin)
        self._jerk.discard(hop - margin)
        self._threshold_g.discard(hop - margin)
        self._raw.discard((hop - margin) * self._hop)

    def forget_seconds(self, _before_ns: int) -> None:
        """Drop the statistics of the seconds: no table is wanted."""
        self._seconds.forget()

    def _threshold(
        self,
        magnitude: NDArray[np.float64],
        centre: NDArray[np.float64],
        spread: NDArray[np.float64],
    ) -> None:
        if len(magnitude) == 0:
            return
        rule = self._settings.acc
        # no floor may hide a leg that keeps moving, or a walk would end in jerks
        opening = np.clip(centre + rule.open_k * spread, rule.open_g, rule.cap_g)
        closing = np.clip(centre + rule.close_k * spread, rule.open_g * 2 / 3, rule.cap_g * 2 / 3)
        low = magnitude > closing
        self._threshold_g.push(opening)
        self._seconds.note(low)
        self._enqueue(*self._runs.push(low, magnitude > opening))

    def _enqueue(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            opening = float(self._threshold_g.get(start, start + 1)[0])
            self._due.append((start, stop, opening))

    def _measure_due(self, *, all_of_them: bool = False) -> None:
        """Measure the episodes whose aftermath is known."""
        wait = round(AFTER_S * self.channel.fs / self._hop) + 1
        while self._due and (all_of_them or self._due[0][1] + wait <= self._magnitude.stop):
            self._found.append(self._episode(*self._due.pop(0)))

    def _episode(self, start: int, stop: int, opening: float) -> AccEpisode:
        around = round(AROUND_S * self.channel.fs / self._hop)
        magnitude = self._magnitude.get(start, stop)
        peak = int(magnitude.argmax())
        return AccEpisode(
            self.channel.name,
            self._time_ns(start),
            self._time_ns(stop),
            float(magnitude[peak]),
            float(self._jerk.get(start, stop).max()),
            peak * self._hop / self.channel.fs * 1000,
            self._turn(start, stop),
            float(magnitude[peak]) / opening,
            self._trace(start - around, stop + around),
        )

    def _turn(self, start: int, stop: int) -> float:
        """Angle in degrees between the mean vectors before and after."""
        fs = self.channel.fs
        first, last = start * self._hop, stop * self._hop
        before = self._raw.get(first - round(BEFORE_S * fs), first - round(CLEAR_S * fs))
        after = self._raw.get(last + round(CLEAR_S * fs), last + round(AFTER_S * fs))
        least = max(2, round(LEAST_S * fs))
        if self.channel.width < 2 or len(before) < least or len(after) < least:
            return float("nan")
        u, v = before.mean(axis=0), after.mean(axis=0)
        size = float(np.linalg.norm(u) * np.linalg.norm(v))
        return float(np.degrees(np.arccos(np.clip(u @ v / size, -1.0, 1.0)))) if size > 0 else 0.0

    def _trace(self, start: int, stop: int) -> Envelope:
        """Return the envelope of some hops, cut at what is known."""
        start = max(start, self._magnitude.start)
        return Envelope(
            self._time_ns(start),
            self._hop / self.channel.fs * NS,
            self._magnitude.get(start, stop).astype(np.float32),
            self._jerk.get(start, stop).astype(np.float32),
        )

    def _index(self, time_ns: int) -> int:
        """Hop that holds a time, the filter's delay put back on."""
        seconds = (time_ns - self._start_ns) / NS + self._filter.delay_s
        return max(0, int(seconds * self.channel.fs // self._hop))

    def _time_ns(self, hop: int) -> int:
        seconds = hop * self._hop / self.channel.fs - self._filter.delay_s
        return self._start_ns + round(seconds * NS)
