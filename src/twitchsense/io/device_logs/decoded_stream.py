"""The samples of one stream of a device, from packets to samples with times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import SamplePacket
from twitchsense.devices.sample_timing.by_arrival import DELIVERY_JITTER_S
from twitchsense.devices.sample_timing.loss import LossCount
from twitchsense.devices.sample_timing.placed import PlacedPacket
from twitchsense.devices.sample_timing.selection import make_placement
from twitchsense.devices.streams import SampleClock, SampleCounter, StreamDescription
from twitchsense.io.device_logs.log_merge import PacketTable, merge_logs
from twitchsense.model.channels import NS
from twitchsense.model.sample_file import SampleFile
from twitchsense.nightfile.device_clock import CRYSTAL_PPM, ArrivalTimes, DeviceClock
from twitchsense.nightfile.hidden_loss import separate_hidden_loss

#: Packets that are written to the temporary file at once.
_BATCH_PACKETS: Final = 1000
#: Samples of a block.
_BLOCK_SAMPLES: Final = 1 << 16
#: Least time (s) between two times of the device that samples are interpolated between.
_ANCHOR_S: Final = 10.0
#: Least time (s) between the last such time of a piece and the one before: the resolution of
#: nearer ones would bend the time between them.
_LAST_ANCHOR_S: Final = 1.0

Times = NDArray[np.int64]


@dataclass(slots=True)
class _Piece:
    """Consecutive samples.

    Attributes
    ----------
    run, index : int
        As in `PlacedPacket`.
    count : int
        Number of samples.
    row : int
        First row in the temporary file.
    anchors : list of (int, int)
        Sample, counted from `index`, and its time in ticks since the run's first.
    """

    run: int
    index: int
    count: int
    row: int
    anchors: list[tuple[int, int]] = field(default_factory=list)


class DecodedStream:
    """Collects the packets of a stream; the samples are in a temporary file.

    Parameters
    ----------
    spec : StreamDescription

    Attributes
    ----------
    received : int
        Number of samples.
    filled : int
        Those of them that were lost on the radio and are from a log of the device.
    """

    def __init__(self, spec: StreamDescription) -> None:
        self.spec = spec
        self._logged = PacketTable()
        self._n_logs = 0
        self._reset()

    def _reset(self) -> None:
        self.received = 0
        self.filled = 0
        spec = self.spec
        self._packets = PacketTable()
        self._placement = make_placement(spec)
        self._file: SampleFile | None = None
        self._rows = 0
        self._batch: list[NDArray[Any]] = []
        self._pieces: list[_Piece] = []
        self._points: list[tuple[ArrivalTimes, int, int]] = []
        self._arrivals: dict[int, ArrivalTimes] = {}
        self._resent: dict[int, ArrivalTimes] = {}
        self._first_ticks: dict[int, int] = {}
        #: Clock of each run, in the order of recording; complete after `close`.
        self.clocks: dict[int, DeviceClock] = {}

    @property
    def loss(self) -> LossCount:
        """Lost samples; complete after `close`."""
        return self._placement.loss

    @property
    def runs(self) -> list[int]:
        """Runs of the counter or clock, in the order of recording."""
        return sorted({piece.run for piece in self._pieces})

    def fit_clocks(self, steps_ns: NDArray[np.int64] | None = None) -> None:
        """Fit the clock of each run to its own arrivals; `finish` was called.

        Parameters
        ----------
        steps_ns : ndarray of int64, optional
            Arrivals after which the host's clock was set; see `fit_device_clock`.
        """
        for run in self.runs:
            self.clocks[run] = self.arrivals(run).fit(steps_ns)
        if self._hides_loss and self.clocks:
            self.clocks = separate_hidden_loss(self.clocks, self.spec.fs_tolerance)

    def arrivals(self, run: int) -> ArrivalTimes:
        """Return the arrivals of a run, by ticks since `first_tick`."""
        return self._arrivals.get(run) or self._resent[run]

    def first_tick(self, run: int) -> int:
        """Return the first time of the device in a run, ticks; 0 for a stream without clock."""
        return self._first_ticks.get(run, 0)

    def push(self, packet: SamplePacket) -> None:
        """Add a packet."""
        if packet.resent and isinstance(self.spec.timing, SampleClock):
            # its place is between packets that were received before
            self._n_logs += packet.restarted
            n = len(packet.samples)
            self._logged.add(self._n_logs, packet.position or 0, n, self._store(packet.samples), 0)
            return
        for placed in self._placement.push(packet):
            self._append(placed)

    def close(self, steps_ns: NDArray[np.int64] | None = None) -> None:
        """Add the packets that wait for a decision, and fit the clock of each run.

        Parameters
        ----------
        steps_ns : ndarray of int64, optional
            Arrivals after which the host's clock was set; see `fit_device_clock`.
        """
        self.finish()
        self.fit_clocks(steps_ns)

    def finish(self) -> None:
        """Add the packets that wait for a decision, and remove samples that came twice."""
        for placed in self._placement.close():
            self._append(placed)
        self._write_batch()
        if len(self._logged) and len(self._packets):
            self._fill_gaps()
        self._sort_pieces()
        self.received = sum(piece.count for piece in self._pieces)

    def blocks(self) -> Iterator[tuple[Times, NDArray[Any]]]:
        """Yield the samples in blocks, in order of time.

        Yields
        ------
        times_ns : ndarray of int64, shape (n,)
            Times on the clock of the arrivals, increasing. A step longer than the period of
            sampling is a gap.
        samples : ndarray, shape (n, width)
            As sent by the device.
        """
        period_ns = NS / self.spec.fs
        end_ns, run, shift_ns = None, -1, 0
        for piece in self._pieces:
            if piece.run != run:
                run, shift_ns = piece.run, 0
            assert self._file is not None
            for start in range(0, piece.count, _BLOCK_SAMPLES):
                stop = min(start + _BLOCK_SAMPLES, piece.count)
                ticks = self._ticks(piece, np.arange(start, stop))
                times_ns = self.clocks[run].to_utc(ticks) + shift_ns
                if end_ns is not None and times_ns[0] < end_ns:
                    # the fitted clocks of two runs overlap slightly: the later run is delayed
                    shift_ns += end_ns - int(times_ns[0])
                    times_ns = times_ns + (end_ns - int(times_ns[0]))
                end_ns = int(times_ns[-1]) + max(1, int(period_ns / 2))
                yield times_ns, self._file.read(piece.row + start, piece.row + stop)

    def _ticks(self, piece: _Piece, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the times of samples of a piece, in ticks of the stream's clock."""
        clock = self.spec.timing
        if not isinstance(clock, SampleClock):
            return (offsets + piece.index).astype(np.float64)
        period = clock.tick_hz / self._fitted_fs
        at = np.array([a for a, _ in piece.anchors], np.float64)
        ticks = np.array([t for _, t in piece.anchors], np.float64)
        inside = np.interp(offsets, at, ticks)
        before = np.minimum(offsets - at[0], 0) * period
        after = np.maximum(offsets - at[-1], 0) * period
        return np.asarray(inside + before + after, np.float64)

    @property
    def clock_error_s(self) -> float:
        """Uncertainty of the times, apart from the constant least delay of delivery, s.

        Where only arrivals tell a loss, small ones stay hidden: without counter and clock, or
        with a counter that wraps within the usual jitter of arrivals. The times then follow the
        arrivals, and are as uncertain as the usual delay of delivery.
        """
        return max((self._error_s(run) for run in self.clocks), default=0.0)

    def clock_errors(self) -> list[tuple[int, float]]:
        """Return the time of the first sample (ns) and the uncertainty (s) of each run."""
        first = {piece.run: piece for piece in reversed(self._pieces)}
        return [
            (
                int(self.clocks[run].to_utc(self._ticks(piece, np.zeros(1, np.int64)))[0]),
                self._error_s(run),
            )
            for run, piece in sorted(first.items())
        ]

    def _error_s(self, run: int) -> float:
        timing, clock = self.spec.timing, self.clocks[run]
        jitter_s = timing.jitter_s if isinstance(timing, SampleClock) else 0.0
        # a run too short to show how late frames are delivered is no better than the longest
        longest = max(self.clocks.values(), key=lambda c: c.span_ns)
        clock = replace(clock, spread_ns=max(clock.spread_ns, longest.spread_ns))
        return clock.error_s + jitter_s + self._hides_loss * DELIVERY_JITTER_S

    @property
    def _hides_loss(self) -> bool:
        timing = self.spec.timing
        if isinstance(timing, SampleCounter) and timing.modulus is not None:
            return timing.modulus / self.spec.fs < 2 * DELIVERY_JITTER_S
        return timing is None

    @property
    def _fitted_fs(self) -> float:
        return float(getattr(self._placement, "fs", self.spec.fs))

    # -- collecting ----------------------------------------------------------------------

    def _append(self, placed: PlacedPacket) -> None:
        n = len(placed.packet.samples)
        row = self._store(placed.packet.samples)
        last = self._pieces[-1] if self._pieces else None
        if last is None or last.run != placed.run or last.index + last.count != placed.index:
            last = _Piece(placed.run, placed.index, 0, row)
            self._pieces.append(last)
        self._add_time(last, placed, n)
        last.count += n
        if placed.ticks is not None:
            self._packets.add(placed.run, placed.ticks, n, row, placed.packet.arrival_ns)
        self.filled += n * placed.packet.resent

    def _store(self, samples: NDArray[Any]) -> int:
        """Append samples to the temporary file, and return their first row."""
        if self._file is None:
            self._file = SampleFile(self.spec.width, samples.dtype)
        row = self._rows
        self._rows += len(samples)
        self._batch.append(samples)
        if len(self._batch) >= _BATCH_PACKETS:
            self._write_batch()
        return row

    def _fill_gaps(self) -> None:
        """Place all packets again, with those of the device's logs in their order of time."""
        clock, file, received = self.spec.timing, self._file, self._packets
        assert isinstance(clock, SampleClock)
        assert file is not None
        self._reset()
        for p in merge_logs(received, self._logged, clock, file.read):
            samples = file.read(p.row, p.row + p.count)
            packet = SamplePacket(
                self.spec.name, samples, p.ticks, p.arrival_ns, p.restarted, p.from_log
            )
            for placed in self._placement.push(packet):
                self._append(placed)
        for placed in self._placement.close():
            self._append(placed)
        self._write_batch()

    def _add_time(self, piece: _Piece, placed: PlacedPacket, n: int) -> None:
        """Note when the last sample of a packet was taken, and when the packet arrived."""
        clock = self.spec.timing
        last_ticks = placed.index + n - 1
        tick_hz, prior_ppm = self.spec.fs, self.spec.fs_tolerance * 1e6
        if isinstance(clock, SampleClock) and placed.ticks is not None:
            tick_hz, prior_ppm = clock.tick_hz, CRYSTAL_PPM
            ticks = placed.ticks - self._first_ticks.setdefault(placed.run, placed.ticks)
            stated = 0 if clock.sample == "first" else n - 1
            self._add_anchor(piece, piece.count + stated, ticks, clock.tick_hz)
            last_ticks = ticks + round((n - 1 - stated) * clock.tick_hz / self._fitted_fs)
        kept = self._resent if placed.packet.resent else self._arrivals
        if placed.run not in kept:
            kept[placed.run] = ArrivalTimes(tick_hz, prior_ppm, hides_loss=self._hides_loss)
        self._points.append((kept[placed.run], last_ticks, placed.packet.arrival_ns))

    def _add_anchor(self, piece: _Piece, offset: int, ticks: int, tick_hz: int) -> None:
        anchors = piece.anchors
        if len(anchors) >= 2 and ticks - anchors[-2][1] < _ANCHOR_S * tick_hz:
            anchors[-1] = (offset, ticks)
        elif not anchors or ticks - anchors[-1][1] >= _LAST_ANCHOR_S * tick_hz:
            anchors.append((offset, ticks))

    def _write_batch(self) -> None:
        if self._batch and self._file is not None:
            self._file.append(np.concatenate(self._batch))
            self._batch = []
        for arrivals, points in groupby(self._points, lambda point: point[0]):
            _, ticks, arrival_ns = zip(*points, strict=True)
            arrivals.push(np.array(ticks, np.int64), np.array(arrival_ns, np.int64))
        self._points = []

    def _sort_pieces(self) -> None:
        """Bring the pieces into the order of time, and cut off samples that came twice."""
        if isinstance(self.spec.timing, SampleClock):
            return  # in the order of arrival, which is that of time
        ordered: list[_Piece] = []
        for piece in sorted(self._pieces, key=lambda p: (p.run, p.index)):
            last = ordered[-1] if ordered else None
            if last is not None and last.run == piece.run:
                twice = last.index + last.count - piece.index
                if twice > 0:
                    piece.index += twice
                    piece.row += twice
                    piece.count -= twice
            if piece.count > 0:
                ordered.append(piece)
        self._pieces = ordered
