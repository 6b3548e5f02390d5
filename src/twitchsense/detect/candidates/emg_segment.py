"""One segment of one EMG channel: preprocessing, then bursts and leg-movement runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.candidates.burst_search import EDGE_S, BurstSearch
from twitchsense.detect.candidates.leg_movement_search import LegMovementSearch
from twitchsense.detect.candidates.short_gaps import ShortGaps, straight_line
from twitchsense.detect.features.local import LocalFeatures
from twitchsense.detect.sensors.emg_quality import EmgQuality
from twitchsense.detect.sensors.per_second import EmgPerSecond
from twitchsense.dsp.buffers import hop_size
from twitchsense.dsp.ecg_canceller import EcgCanceller
from twitchsense.dsp.emg_bands import EmgBands
from twitchsense.dsp.filters import FilterClock
from twitchsense.dsp.mains import MainsCanceller
from twitchsense.model.candidates import Burst, LegMovementRun
from twitchsense.model.channels import NS, Channel, Samples
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

_NO_TIMES: Final = np.empty(0, np.int64)
_NO_VALUES: Final = np.empty(0)
#: Hop of the envelopes, s. Edges of bursts are measured at the full sampling rate.
HOP_S: Final = 0.005
#: Time for which past seconds are kept, s; the rules query the second before a candidate.
KEEP_SECONDS: Final = 5
#: Minimum length of the samples held back by the ECG canceller that are searched in advance, s.
PREVIEW_S: Final = 0.03


class EmgSegment:
    """Removes mains hum and ECG from an EMG segment and searches it for candidates.

    Parameters
    ----------
    channel : Channel
    start_ns : int
        Time of the first sample of the segment.
    settings : Settings
    numbers : iterator of int
        Numbers of the bursts of the channel, continued from segment to segment.
    local_features : bool
        Whether the local features of the bursts are measured.

    Attributes
    ----------
    channel : Channel
    quality : EmgQuality
        Whether muscle activity can be evaluated at a time.
    gaps : ShortGaps
        Gaps after which the segment went on.
    earliest_burst_ns : int
        Time before which no further burst can begin.
    """

    def __init__(
        self,
        channel: Channel,
        start_ns: int,
        settings: Settings,
        numbers: Iterator[int],
        *,
        local_features: bool = True,
    ) -> None:
        self.channel = channel
        self._start_ns = start_ns
        fs = channel.fs
        hop = hop_size(HOP_S, fs)
        hops_per_s = max(1, round(fs / hop))
        self._mains, self._ecg = MainsCanceller(fs), EcgCanceller(fs)
        self.gaps = ShortGaps(start_ns, fs)
        self._preview: tuple[list[Burst], int] | None = None  # see `preview`
        self._last_clean = 0.0  # newest sample without hum
        self._bands = EmgBands(fs, hop, hops_per_s)
        clock = FilterClock(start_ns, fs, self._bands.delay_s)
        self._clock = clock
        self._bursts = BurstSearch(
            channel, start_ns, hop, clock, settings, numbers, local_features=local_features
        )
        self.earliest_burst_ns = self._bursts.earliest_onset_ns
        self._leg_movements = LegMovementSearch(channel.name, fs, hop, clock, settings)
        self._samples_per_s = hop * hops_per_s
        self._discard_at = 0  # sample at which samples are discarded next
        self.quality = EmgQuality(start_ns, fs, self._samples_per_s, settings)
        self._per_second = EmgPerSecond(
            start_ns, fs, self._samples_per_s, hops_per_s, settings, self.quality
        )

    def push(self, samples: Samples, lost: int = 0) -> None:
        """Add the next samples, which `process` searches.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, 1)
            EMG, µV; at least one sample.
        lost : int, default 0
            Number of samples that are missing before them.
        """
        self.gaps.push(samples, lost)

    def process(self) -> None:
        """Search the samples added since the last call, in one piece across short gaps."""
        samples, lines = self.gaps.take()
        if not len(samples):
            return
        self._preview = None
        x = samples[:, 0]
        self._bursts.raw.push(x)
        clean = self._mains.push(x, out=self._ecg.extend(len(x)))
        for first, stop in lines:  # a line has no hum that could be subtracted
            before = clean[first - 1] if first else self._last_clean
            clean[first:stop] = straight_line(before, clean[stop], stop - first)
        self._last_clean = clean[-1]
        self._process(self._ecg.search())

    def close(self) -> None:
        """End the segment: finish everything that is still open."""
        self.process()
        self._process(self._ecg.close())
        piece = self._bursts.close()
        self._per_second.push_envelope(piece.medians, piece.floor, piece.active)
        self._leg_movements.close()
        self._bursts.describe_due(everything=True)
        self.earliest_burst_ns = self._bursts.earliest_onset_ns

    def _process(self, clean: NDArray[np.float64]) -> None:
        """Search the next samples without mains hum and ECG."""
        first = self._bursts.stop
        bands = self._bands.push(self._bursts.raw.get(first, first + len(clean)), clean)
        self._per_second.push(len(clean), bands.seconds)
        piece = self._bursts.push(clean, bands.band, bands.burst_envelope)
        self._per_second.push_envelope(piece.medians, piece.floor, piece.active)
        self._leg_movements.push(bands.leg_envelope)
        self._bursts.describe_due()
        if self._bursts.stop >= self._discard_at:  # not with every packet
            self._bursts.discard()
            self._leg_movements.discard()
            self._discard_at = self._bursts.stop + self._samples_per_s
        self.quality.stop_ns = self.newest_ns
        self.earliest_burst_ns = self._bursts.earliest_onset_ns

    def take_bursts(self) -> list[Burst]:
        """Return the bursts found since the last call.

        Returns
        -------
        list of Burst
            Without those of which most samples are lost.
        """
        return [
            b for b in self._bursts.take() if not self.gaps.mostly_lost(b.onset_ns, b.offset_ns)
        ]

    def take_leg_movement_runs(self) -> list[LegMovementRun]:
        """Return the leg-movement runs found since the last call.

        Returns
        -------
        list of LegMovementRun
        """
        return self._leg_movements.take()

    def take_local_features(self) -> list[tuple[int, LocalFeatures]]:
        """Return the local features found since the last call, each with its burst's number.

        Returns
        -------
        list of (int, LocalFeatures)
        """
        queue = self._bursts.local_features
        return [] if queue is None else queue.take()

    def take_beats(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the heart beats removed since the last call.

        Returns
        -------
        times_ns : ndarray of int64, shape (n,)
        residual_uv : ndarray, shape (n,)
            Usual residue after removal, µV peak to peak.
        """
        beats = self._ecg.pop_beats()
        if not len(beats):  # most packets
            return _NO_TIMES, _NO_VALUES
        samples, _, residual_uv = beats.T
        times_ns = self._start_ns + np.rint(samples / self.channel.fs * NS).astype(np.int64)
        return times_ns, residual_uv

    def per_second(self) -> PerSecond:
        """Return the per-second statistics of the segment; call after `close`.

        Returns
        -------
        PerSecond
        """
        return self.gaps.subtract_lost(
            self._per_second.finish(self._bands.close()), self._samples_per_s
        )

    @property
    def earliest_onset_ns(self) -> int:
        """Time before which no further candidate can begin."""
        runs = self._leg_movements.earliest_onset_ns - round(EDGE_S * NS)
        return min(runs, self.earliest_burst_ns)

    def preview(self) -> tuple[list[Burst], int]:
        """Return the bursts in the samples that the ECG canceller holds back.

        Heart beats that are likely so far are subtracted; later samples may change the bursts.

        Returns
        -------
        bursts : list of Burst
        earliest_onset_ns : int
            Time before which no further burst can begin.
        """
        if self._preview is None:
            held = self._ecg.held()
            if len(held) < PREVIEW_S * self.channel.fs:
                return [], self.earliest_burst_ns
            self._preview = self._search_held(held)
            if self._preview[0] and self._ecg.subtract_likely_beats(held):
                self._preview = self._search_held(held)
        return self._preview

    def _search_held(self, held: NDArray[np.float64]) -> tuple[list[Burst], int]:
        first = self._bursts.stop
        bands = self._bands.preview(self._bursts.raw.get(first, first + len(held)), held)
        bursts, earliest_ns = self._bursts.preview(held, bands.band, bands.burst_envelope)
        lost = self.gaps.mostly_lost
        return [b for b in bursts if not lost(b.onset_ns, b.offset_ns)], earliest_ns

    @property
    def newest_ns(self) -> int:
        """Time just after the newest sample."""
        return self._clock.time_ns(self._bursts.stop)

    def open_candidates(self) -> list[LegMovementRun]:
        """Return the leg-movement run that has not ended yet, up to the newest sample.

        Returns
        -------
        list of LegMovementRun
            At most one run.
        """
        return self._leg_movements.open_run()

    def discard_seconds(self, before_ns: int) -> None:
        """Discard the statistics of seconds that no rule can query.

        Parameters
        ----------
        before_ns : int
            Onset of the oldest candidate that is still undecided.
        """
        self._per_second.discard()
        self.quality.discard(before_ns - KEEP_SECONDS * NS)
        self.gaps.discard(before_ns - KEEP_SECONDS * NS)
