"""Removal of mains hum from an EMG, only while hum is present.

A permanent notch filter removes muscle power as well and rings after every
potential, so EMG guidelines advise against it. Here the share of
power on the lines of 50 or 60 Hz is measured in every half second; the notches
run from the second consecutive block that is mostly hum until the lines are gone.
The share is measured on the raw signal, so it does not depend on the notches, and
blocks are counted from the start of the segment, so the result does not depend on
how the samples arrived.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.dsp.buffers import Framer
from twitchsense.dsp.filters import BURST_BAND_HZ, MAX_BAND_FRACTION, CausalFilter

Floats = NDArray[np.float64]

#: Fundamental frequencies of mains hum, Hz.
LINES_HZ = (50.0, 60.0)
#: Length of a block, s.
BLOCK_S = 0.5
#: Share of the power on the lines above which a block is hum [E]; white noise has
#: 0.08 to 0.12 there.
START_SHARE = 0.4
#: Share of the power on the lines below which the hum is gone [E].
STOP_SHARE = 0.2
#: Consecutive blocks of hum that start the notches [E].
START_BLOCKS = 2
#: Consecutive blocks without hum that stop the notches [E].
STOP_BLOCKS = 4
#: Width of a notch in Hz [E]: 1.5 times the width that the frequency drift of the grid
#: requires at the tenth harmonic.
NOTCH_WIDTH_HZ = 2.0
#: Length of the past signal with which the notches settle before they start, s.
SETTLING_TIME_S = 2.0


class MainsCanceller:
    """Removes hum from one segment of one EMG channel.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.
    """

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self._size = round(BLOCK_S * fs)
        self._framer = Framer(self._size)
        self._past = np.empty(0)
        # consecutive blocks above the start share (notches off) or below the stop share (on)
        self._consecutive = 0
        self._line = 0.0  # line that is removed, Hz; 0: none
        self._count = 0  # samples of the unfinished block already returned
        self._notch: CausalFilter | None = None
        freqs = np.fft.rfftfreq(self._size, 1 / fs)
        self._window = np.hanning(self._size)
        band = (freqs >= BURST_BAND_HZ[0]) & (freqs <= BURST_BAND_HZ[1])
        self._band = slice(*(np.flatnonzero(band)[[0, -1]] + [0, 1]).tolist())
        step = fs / self._size
        self._line_bins = {
            line: np.flatnonzero(
                band & (np.abs(freqs - np.maximum(1, np.rint(freqs / line)) * line) <= 1.25 * step)
            )
            for line in LINES_HZ
        }

    def push(self, x: Floats) -> Floats:
        """Return the next samples without hum.

        Parameters
        ----------
        x : ndarray, shape (n,)
            In µV.

        Returns
        -------
        ndarray, shape (n,)
        """
        blocks = self._framer.push(x)
        lines = self._decide(blocks)
        # each block is filtered according to the blocks before it
        out, start = [], 0
        bounds = (np.arange(1, len(blocks) + 1) * self._size - self._count).tolist()
        for stop, line in zip(bounds, lines, strict=True):
            if line != self._line:
                out.append(self._filter(x[start:stop]))
                start = stop
                self._switch(line, np.concatenate([self._past, x[:stop]]))
        out.append(self._filter(x[start:]))
        self._count = (self._count + len(x)) % self._size
        keep = round(SETTLING_TIME_S * self._fs)
        self._past = np.concatenate([self._past, x])[-keep:]
        return np.concatenate(out)

    def _filter(self, x: Floats) -> Floats:
        return x if self._notch is None else self._notch.push(x)

    def _switch(self, line: float, past: Floats) -> None:
        self._line = line
        self._notch = None
        if line:
            self._notch = notches(line, self._fs)
            self._notch.push(past[-round(SETTLING_TIME_S * self._fs) :])

    def _decide(self, blocks: Floats) -> list[float]:
        """Return the line to remove after each block, given blocks ``(n, size)``; 0: none."""
        if len(blocks) == 0:
            return []
        shares = self._shares(blocks)
        out, line = [], self._line
        for share in shares.tolist():
            if line:
                self._consecutive = (
                    self._consecutive + 1 if share[LINES_HZ.index(line)] < STOP_SHARE else 0
                )
                if self._consecutive >= STOP_BLOCKS:
                    line, self._consecutive = 0.0, 0
            else:
                self._consecutive = self._consecutive + 1 if max(share) > START_SHARE else 0
                if self._consecutive >= START_BLOCKS:
                    line, self._consecutive = LINES_HZ[int(np.argmax(share))], 0
            out.append(line)
        return out

    def _shares(self, blocks: Floats) -> Floats:
        """Return the share of the power on each line, shape ``(n_blocks, n_lines)``."""
        centred = (blocks - blocks.mean(axis=1, keepdims=True)) * self._window
        spectrum = np.fft.rfft(centred, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        total = np.maximum(power[:, self._band].sum(axis=1), 1e-12)
        return np.stack(
            [power[:, bins].sum(axis=1) / total for bins in self._line_bins.values()], axis=1
        )


def notches(line_hz: float, fs: float) -> CausalFilter:
    """Return notches at a line and its harmonics, up to the end of the burst band.

    Parameters
    ----------
    line_hz : float
        Fundamental frequency in Hz.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    CausalFilter
    """
    return CausalFilter(_design_notches(line_hz, fs), 0.0)


@lru_cache
def _design_notches(line_hz: float, fs: float) -> Floats:
    """Return the second-order sections, designed once per line and sampling rate."""
    top = min(BURST_BAND_HZ[1], MAX_BAND_FRACTION * fs)
    harmonics = np.arange(line_hz, top, line_hz)
    sos = [signal.tf2sos(*signal.iirnotch(f, f / NOTCH_WIDTH_HZ, fs=fs)) for f in harmonics]
    return np.concatenate(sos)
