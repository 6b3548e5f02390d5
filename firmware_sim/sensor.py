"""From physical units to converter counts: noise, filters, range and steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from firmware_sim.time_grid import Floats, Waveform, make_rng

#: Length (s) of a noise tile. Each tile has its own random stream, so that the samples do not
#: depend on the block size.
TILE_S = 60.0

# Pink filter: -3 dB per octave over about three decades below Nyquist
# (J. O. Smith, Spectral Audio Signal Processing, "1/f noise"; from memory).
_PINK = (
    [0.049922035, -0.095993537, 0.050612699, -0.004408786],
    [1.0, -2.494956002, 2.017265875, -0.522189400],
)


@dataclass(frozen=True, slots=True)
class Sensor:
    """The electrical characteristics of the wearable.

    The defaults are those of a good wearable front end: EMG with 16 bits and steps of 0.2 µV;
    acceleration with 16 bits over ±8 g and 140 µg/√Hz (docs/definitions.md, Twitches: 110-300).
    The high-pass filter models the AC coupling of the amplifier.
    """

    emg_lsb_uv: float = 0.2
    emg_highpass_hz: float = 0.5
    pink_share: float = 0.45
    acc_lsb_g: float = 8.0 / 32768.0
    acc_noise_g: float = 140e-6
    bits: int = 16

    def to_counts(self, physical: Floats, step: float) -> NDArray[np.int32]:
        """Return converter counts: rounded to steps, and clipped at full scale."""
        top = 2 ** (self.bits - 1)
        counts = np.clip(np.rint(physical / step), -top, top - 1)
        return counts.astype(np.int32)


def antialias(waveform: Waveform, fs: float) -> Waveform:
    """Apply the anti-aliasing filter of the converter.

    The phase is zero: the filter models a linear-phase decimator whose known delay the
    firmware compensates.

    Parameters
    ----------
    waveform : Waveform
    fs : float
        Sampling rate of the converter, Hz.

    Returns
    -------
    Waveform
    """
    corner = 0.42 * fs
    if corner >= 0.45 * waveform.fs:
        return waveform
    sos = signal.butter(2, corner, fs=waveform.fs, output="sos")
    smooth = signal.sosfiltfilt(sos, waveform.samples, axis=0)
    return Waveform(waveform.start_s, waveform.fs, smooth)


class NoiseSource:
    """Endless filtered noise, which does not depend on the block size.

    Parameters
    ----------
    seed : int
    name : str
        Seed and name of the random stream.
    channels : int
        Number of columns.
    fs : float
        Sampling rate, Hz.
    stages : ndarray of float64, shape (sections, 6)
        Second-order sections of the filter that is applied to white noise.
    """

    def __init__(
        self, seed: int, name: str, channels: int, fs: float, stages: NDArray[np.float64]
    ) -> None:
        self._seed = seed
        self._name = name
        self._channels = channels
        self._sos = stages
        self._state = np.zeros((len(stages), 2, channels))
        self._tile = round(TILE_S * fs)
        # Scale so that the output has unit RMS.
        _, response = signal.sosfreqz(stages, worN=1 << 16)
        self._scale = 1.0 / float(np.sqrt(np.mean(np.abs(response) ** 2)))

    def read(self, tile_index: int, count: int) -> Floats:
        """Return the first `count` samples of a tile; tiles must be read in order."""
        rng = make_rng(self._seed, self._name, tile_index)
        white = rng.standard_normal((self._tile, self._channels))[:count]
        out, self._state = signal.sosfilt(self._sos, white, axis=0, zi=self._state)
        scaled: Floats = out * self._scale
        return scaled


def white_stages(fs: float) -> NDArray[np.float64]:
    """Return the filter of the converter's own white noise."""
    sos: NDArray[np.float64] = signal.butter(3, 0.45 * fs, fs=fs, output="sos")
    return sos


def pink_stages(fs: float) -> NDArray[np.float64]:
    """Return the filter of 1/f noise above 1 Hz."""
    pink = signal.tf2sos(*_PINK)
    sos: NDArray[np.float64] = np.vstack([pink, signal.butter(1, 1.0, "high", fs=fs, output="sos")])
    return sos


def muscle_stages(fs: float) -> NDArray[np.float64]:
    """Return a filter with the broad spectrum of resting muscle (25-180 Hz)."""
    high = min(180.0, 0.4 * fs)
    sos: NDArray[np.float64] = signal.butter(1, (25.0, high), "bandpass", fs=fs, output="sos")
    return sos
