"""The simulated capture as a source of samples for the firmware."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from firmware_sim.wearable.encoder import ACC, EMG, StreamSpec

if TYPE_CHECKING:
    from firmware_sim.capture import CaptureBlock, SimulatedCapture

Counts = NDArray[np.int32]


class CaptureSource:
    """Samples of a simulated capture, by index since boot.

    Parameters
    ----------
    capture : SimulatedCapture
        Its sampling rates already contain the error of the device's clock.
    streams : tuple of StreamSpec
        Streams of the device.
    """

    def __init__(self, capture: SimulatedCapture, streams: tuple[StreamSpec, ...]) -> None:
        self.capture = capture
        self._kinds = {s.number: s.kind for s in streams}
        self._widths = {s.number: s.width for s in streams}
        self._blocks: Iterator[CaptureBlock] = capture.blocks(1)
        self._buffered: dict[int, list[Counts]] = {EMG: [], ACC: []}
        self._first = {EMG: 0, ACC: 0}  # index of the first buffered sample
        self._n_read = {EMG: 0, ACC: 0}
        self._boot_sample = {EMG: 0, ACC: 0}  # index of the sample at which the device booted

    def restart(self, seconds: float) -> None:
        """Start the indices anew at a reboot, `seconds` after the start of the capture."""
        settings = self.capture.settings
        self._boot_sample = {
            EMG: round(seconds * settings.emg_rate),
            ACC: round(seconds * settings.acc_rate),
        }

    def read(self, stream: int, first: int, count: int) -> Counts:
        """Return samples; zeros after the end of the capture.

        Parameters
        ----------
        stream : int
            Stream id.
        first, count : int
            Index since boot and number of samples; calls must be in order.

        Returns
        -------
        ndarray of int32, shape (count, width)
            Counts.
        """
        kind = self._kinds[stream]
        start = first + self._boot_sample[kind]
        while self._n_read[kind] < start + count and self._read_block():
            pass
        held = self._buffered[kind]
        while held and self._first[kind] + len(held[0]) <= start:
            self._first[kind] += len(held.pop(0))
        out = np.zeros((count, self._widths[stream]), np.int32)
        at = self._first[kind]
        for part in held:
            low, high = max(start, at), min(start + count, at + len(part))
            if high > low:
                out[low - start : high - start] = part[low - at : high - at]
            at += len(part)
        return out

    def _read_block(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        self._buffered[EMG].append(block.emg)
        self._buffered[ACC].append(block.acc)
        self._n_read[EMG] += len(block.emg)
        self._n_read[ACC] += len(block.acc)
        return True


def make_streams(
    channels: int = 2, fs_emg: float = 1000.0, fs_acc: float = 100.0, lsb_nv: int = 200
) -> tuple[StreamSpec, ...]:
    """Return the streams of a wearable that samples like a capture.

    Parameters
    ----------
    channels : int
        EMG channels.
    fs_emg, fs_acc : float
        Sampling rates (Hz).
    lsb_nv : int
        EMG step (nV).

    Returns
    -------
    tuple of StreamSpec
        EMG and acceleration.
    """
    return (
        StreamSpec(1, EMG, channels, round(fs_emg * 1000), lsb_nv * 32768),
        StreamSpec(2, ACC, 3, round(fs_acc * 1000), 8_000_000),
    )
