"""Search of one EMG segment for leg-movement runs: onset +8 µV, offset +2 µV."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twitchsense.dsp.buffers import SampleBuffer, fast_median
from twitchsense.dsp.emg_bands import LEG_FRAME, LEG_WINDOW
from twitchsense.dsp.filters import FilterClock
from twitchsense.dsp.hysteresis import HysteresisSegmenter
from twitchsense.dsp.noise_floor import FloorEstimate, NoiseFloor
from twitchsense.model.candidates import LegMovementRun
from twitchsense.settings import Settings


class LegMovementSearch:
    """Applies the amplitude rule of leg movements to one gap-free EMG segment.

    The envelope is the 0.15-s RMS of the 10-100 Hz band. A run begins where it exceeds the
    resting level by `Settings.movement.rise_uv` and ends where it stays within
    `Settings.movement.fall_uv` of it for `Settings.movement.quiet_s`
    (Ferri et al. 2016, doi:10.1016/j.sleep.2016.10.010).

    Parameters
    ----------
    channel : str
    fs : float
        Sampling rate, Hz.
    hop : int
        Samples per hop.
    clock : FilterClock
        Converts sample indices to times.
    settings : Settings
    """

    def __init__(
        self, channel: str, fs: float, hop: int, clock: FilterClock, settings: Settings
    ) -> None:
        self._channel, self._clock = channel, clock
        self._frame = LEG_FRAME * hop
        self._rule = settings.movement
        hops_per_s = max(1, round(fs / hop))
        memory = settings.emg.floor_s, settings.emg.floor_quantile
        self._floor = NoiseFloor(max(1, hops_per_s // 2), memory)
        self._segmenter = HysteresisSegmenter(round(self._rule.quiet_s * fs / self._frame) - 1)
        self._limits = np.array([self._rule.fall_uv]), np.array([self._rule.rise_uv])
        self._excess = SampleBuffer(np.float32)
        self._found: list[LegMovementRun] = []

    def push(self, envelope: NDArray[np.float64]) -> None:
        """Search the next values.

        Parameters
        ----------
        envelope : ndarray, shape (n,)
            As in `BandPiece.leg_envelope`, µV.
        """
        self._threshold(self._floor.push(envelope))

    def close(self) -> None:
        """End the segment: finish the run that is still open."""
        self._threshold(self._floor.close())
        self._finish(*self._segmenter.close())

    def take(self) -> list[LegMovementRun]:
        """Return the runs found since the last call.

        Returns
        -------
        list of LegMovementRun
        """
        found, self._found = self._found, []
        return found

    def open_run(self) -> list[LegMovementRun]:
        """Return the run that has not ended yet, up to the newest sample.

        Returns
        -------
        list of LegMovementRun
            At most one run.
        """
        start, opened = self._segmenter.pending or (0, False)
        stop = self._excess.stop
        return [self._run(start, stop)] if opened and start < stop else []

    @property
    def earliest_onset_ns(self) -> int:
        """Time before which no further run can begin."""
        return self._clock.time_ns(self._segmenter.earliest_start * self._frame)

    def discard(self) -> None:
        """Discard the samples that no later run needs."""
        self._excess.discard(self._segmenter.earliest_start)

    def _threshold(self, estimate: FloorEstimate) -> None:
        if len(estimate.envelope) == 0:
            return
        rest = estimate.floors[0][0]
        excess = estimate.envelope - estimate.per_value(rest)
        self._excess.push(excess)
        _, *found = self._segmenter.follow(excess, *self._limits, np.array([len(excess)]))
        self._finish(*found)

    def _finish(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            self._found.append(self._run(start, stop))

    def _run(self, start: int, stop: int) -> LegMovementRun:
        # value i covers the frames [i, i + LEG_WINDOW): its time is the middle of these
        middle = LEG_WINDOW * (self._frame // 2)
        return LegMovementRun(
            self._channel,
            self._clock.time_ns(start * self._frame + middle),
            self._clock.time_ns(stop * self._frame + middle),
            fast_median(self._excess.get(start, stop)),
        )
