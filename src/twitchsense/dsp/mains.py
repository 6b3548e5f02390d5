"""Takes the mains out of a signal, but only while it is there.

A notch that always runs takes muscle's power with it and rings after every
potential, so the field's guidelines advise against it. Here each half second is
asked how much of its power stands on the lines of 50 or 60 Hz; the notches run
from the second block in a row that is mostly mains until the lines are gone.
The question is put to the signal as it came in, so that the answer does not
depend on the notches, and is counted from the start of the segment, so that it
does not depend on how the samples arrived.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.dsp.buffers import Framer
from twitchsense.dsp.filters import BURST_BAND_HZ, MAX_BAND_FRACTION, CausalFilter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LINES_HZ = (50.0, 60.0)
BLOCK_S = 0.5
#: The share of the power on the lines that starts the notches, and that keeps
#: them; white noise has 0.08 to 0.12 there [E].
START_SHARE, KEEP_SHARE = 0.4, 0.2
#: Blocks in a row that start the notches, and that end them [E].
START_BLOCKS, END_BLOCKS = 2, 4
#: Half as much again as the drift of a grid and its tenth harmonic needs [E].
NOTCH_HZ = 2.0
#: Before the notches start they run over this much of the past, to be settled.
WARM_S = 2.0


class MainsCanceller:
    """Follows one segment of one EMG channel.

    Parameters
    ----------
    fs : float
    """

    def __init__(self, fs: float) -> None:
        self._fs = fs
        self._size = round(BLOCK_S * fs)
        self._blocks = Framer(self._size)
        self._past = np.empty(0)
        self._run = 0  # blocks in a row: above the start when off, below the end when on
        self._line = 0.0  # 0: off
        self._count = 0  # samples of the unfinished block already given out
        self._notch: CausalFilter | None = None
        freqs = np.fft.rfftfreq(self._size, 1 / fs)
        self._window = np.hanning(self._size)
        band = (freqs >= BURST_BAND_HZ[0]) & (freqs <= BURST_BAND_HZ[1])
        self._band = slice(*(np.flatnonzero(band)[[0, -1]] + [0, 1]).tolist())
        step = fs / self._size
        self._near = {
            line: np.flatnonzero(
                band & (np.abs(freqs - np.maximum(1, np.rint(freqs / line)) * line) <= 1.25 * step)
            )
            for line in LINES_HZ
        }

    def push(self, x: Floats) -> Floats:
        """Take the next samples, shape ``(n,)`` in µV; return as many, without mains."""
        blocks = self._blocks.push(x)
        lines = self._decide(blocks)
        # each block is filtered by what the blocks before it said
        out, start = [], 0
        bounds = (np.arange(1, len(blocks) + 1) * self._size - self._count).tolist()
        for stop, line in zip(bounds, lines, strict=True):
            if line != self._line:
                out.append(self._filter(x[start:stop]))
                start = stop
                self._switch(line, np.concatenate([self._past, x[:stop]]))
        out.append(self._filter(x[start:]))
        self._count = (self._count + len(x)) % self._size
        keep = round(WARM_S * self._fs)
        self._past = np.concatenate([self._past, x])[-keep:]
        return np.concatenate(out)

    def _filter(self, x: Floats) -> Floats:
        return x if self._notch is None else self._notch.push(x)

    def _switch(self, line: float, past: Floats) -> None:
        self._line = line
        self._notch = None
        if line:
            self._notch = notches(line, self._fs)
            self._notch.push(past[-round(WARM_S * self._fs) :])

    def _decide(self, blocks: Floats) -> list[float]:
        """Return the line in force after each block (0 for none)."""
        if len(blocks) == 0:
            return []
        shares = self._shares(blocks)
        out, line = [], self._line
        for share in shares.tolist():
            if line:
                self._run = self._run + 1 if share[LINES_HZ.index(line)] < KEEP_SHARE else 0
                if self._run >= END_BLOCKS:
                    line, self._run = 0.0, 0
            else:
                self._run = self._run + 1 if max(share) > START_SHARE else 0
                if self._run >= START_BLOCKS:
                    line, self._run = LINES_HZ[int(np.argmax(share))], 0
            out.append(line)
        return out

    def _shares(self, blocks: Floats) -> Floats:
        """Return the share of the power on each line, shape ``(blocks, lines)``."""
        centred = (blocks - blocks.mean(axis=1, keepdims=True)) * self._window
        spectrum = np.fft.rfft(centred, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        total = np.maximum(power[:, self._band].sum(axis=1), 1e-12)
        return np.stack(
            [power[:, near].sum(axis=1) / total for near in self._near.values()], axis=1
        )


def notches(line_hz: float, fs: float) -> CausalFilter:
    """Return notches of 2 Hz at a line and its harmonics, up to the burst band's end."""
    return CausalFilter(_design_notches(line_hz, fs), 0.0)


@lru_cache
def _design_notches(line_hz: float, fs: float) -> Floats:
    """Return the sections; once, however often the mains come and go."""
    top = min(BURST_BAND_HZ[1], MAX_BAND_FRACTION * fs)
    harmonics = np.arange(line_hz, top, line_hz)
    sos = [signal.tf2sos(*signal.iirnotch(f, f / NOTCH_HZ, fs=fs)) for f in harmonics]
    return np.concatenate(sos)
