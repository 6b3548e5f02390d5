"""Captures of accelerometers that write blocks of samples: Axivity, GENEActiv, ActiGraph.

Each format has a parser that implements `AccelerometerBlocks`; `BlockCapture` makes a
`Capture` of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.channels.block_clock import BlockClock
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.channels.channel_builder import ChannelBuilder
from twitchsense.io.channels.labelled_signals import LabelledSignal, plan_signals
from twitchsense.io.channels.local_start import local_to_utc
from twitchsense.model.channels import NS
from twitchsense.model.notes import GIVE_ZONE, STATE_TIMES, Note, with_source

#: Names of the axes, to which `--map` refers.
_AXES: Final = ("acc_x", "acc_y", "acc_z")
#: Blocks that are read at once.
BLOCKS_AT_ONCE: Final = 2000
#: Error (RMS) of the timestamps, in seconds, from which a note is written.
_NOTED_ERROR_S: Final = 0.05


class AccelerometerBlocks(Protocol):
    """Blocks of samples of an accelerometer with three axes.

    Attributes
    ----------
    starts_ns : ndarray of int64, shape (blocks,)
        Time of the first sample of each block by the clock of the device, ns since 1970.
    counts : ndarray of int64, shape (blocks,)
        Samples of each block.
    lost : ndarray of int64, shape (blocks,), or None
        Samples that are missing before each block, if the file counts its blocks.
    nominal_fs : float
        Sampling rate in Hz, as set.
    resolution_ns : int
        Resolution of `starts_ns`.
    utc_offset : timedelta or None
        Offset of the device's clock from UTC, if the file contains it.
    notes : sequence of str
        Remarks for the user, such as on damaged blocks.
    """

    starts_ns: NDArray[np.int64]
    counts: NDArray[np.int64]
    lost: NDArray[np.int64] | None
    nominal_fs: float
    resolution_ns: int
    utc_offset: timedelta | None
    notes: Sequence[str]

    def read(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return the samples of blocks ``[first, stop)`` in g, shape (samples, 3)."""
        ...

    def locate_block(self, block: int) -> str:
        """Return the place of a block for messages, such as ``sector 17``."""
        ...


class BlockCapture:
    """Blocks of samples as a `Capture`.

    Parameters
    ----------
    blocks : AccelerometerBlocks
        With at least one block.
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
        Of ``acc_x``, ``acc_y`` and ``acc_z``.
    zone : str or None
        IANA time zone of the device's clock, if the file does not contain its offset. Without
        either, the time axis is seconds from the first sample.

    Raises
    ------
    InputError
        If there are no samples, or time runs backwards.
    """

    def __init__(
        self, blocks: AccelerometerBlocks, source: str, mapping: ColumnMapping, zone: str | None
    ) -> None:
        if not len(blocks.starts_ns):
            raise InputError(source, "holds no samples", "export or download it again")
        self.source = source
        self.headers: Sequence[str] = _AXES
        self._blocks = blocks
        self._clock = BlockClock(
            blocks.starts_ns, blocks.counts, blocks.nominal_fs, blocks.resolution_ns, blocks.lost
        )
        if self._clock.overlap is not None:
            raise InputError(
                source,
                "time runs backwards: the clock of the device was changed",
                "export the parts before and after as two files",
                blocks.locate_block(self._clock.overlap),
            )
        self.plans = plan_signals(source, [LabelledSignal(a, "g") for a in _AXES], mapping).channels
        start_ns = int(self._clock.times(0, 1)[0])
        begin = datetime(1970, 1, 1) + timedelta(microseconds=start_ns // 1000)
        offset = blocks.utc_offset
        start_note = ""
        if offset is None and zone is not None:
            utc, start_note = local_to_utc(begin, zone)
            offset = begin - utc.replace(tzinfo=None)
        self.time_axis = "time_s" if offset is None else "time_utc"
        self._shift_ns = -start_ns if offset is None else -round(offset.total_seconds()) * NS
        self.notes = (
            *blocks.notes,
            *((with_source(source, start_note),) if start_note else ()),
            *self._clock_notes(begin, offset),
        )

    def first_time_ns(self) -> int:
        """Return the time of the first sample in ns."""
        return int(self._clock.times(0, 1)[0]) + self._shift_ns

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`."""
        last, done = self.first_time_ns(), 0
        for first in range(0, len(self._blocks.counts), BLOCKS_AT_ONCE):
            stop = min(first + BLOCKS_AT_ONCE, len(self._blocks.counts))
            samples = self._blocks.read(first, stop).astype(np.float64)
            times_ns = self._clock.times(done, done + len(samples)) + self._shift_ns
            done += len(samples)
            for plan in self.plans:
                columns = [samples[:, _AXES.index(name)] for name in plan.names]
                builders[plan.name].append(times_ns, columns)
            last = int(times_ns[-1])
        return self.first_time_ns(), last

    def locate(self, time_ns: int) -> str | None:
        """Return a time as seconds from the first sample, for messages."""
        return f"{(time_ns - self.first_time_ns()) / NS:.3f} s"

    def _clock_notes(self, begin: datetime, offset: timedelta | None) -> list[str]:
        notes: list[str] = []
        if offset is None:
            notes.append(
                Note(
                    "times",
                    f"{self.source}: begins at {begin:%Y-%m-%d %H:%M:%S} by the clock of the "
                    "device, which has no time zone",
                    GIVE_ZONE,
                )
            )
        error_s = self._clock.rms_error_ns / NS
        if error_s > _NOTED_ERROR_S:
            notes.append(
                Note(
                    "times",
                    f"{self.source}: times of blocks deviate from even spacing by {error_s:.2g} s "
                    f"RMS; samples are treated as evenly spaced at {self._clock.fs:.6g} Hz",
                    STATE_TIMES,
                )
            )
        return notes


def to_ns(when: datetime) -> int:
    """Return a clock time without a zone in ns since 1970.

    Parameters
    ----------
    when : datetime

    Returns
    -------
    int
    """
    return (when - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1000
