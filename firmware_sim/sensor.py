"""From physical units to converter counts: noise, filters, range and steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from firmware_sim.time_grid import Floats, Waveform, make_rng

#: Noise is made in tiles of this many seconds with a random stream each, so that block
#: size does not change a single sample.
TILE_S = 60.0

# Pink filter: -3 dB per octave over about three decades below Nyquist
# (J. O. Smith, Spectral Audio Signal Processing, "1/f noise"; from memory).
_PINK = (
    [0.049922035, -0.095993537, 0.050612699, -0.004408786],
    [1.0, -2.494956002, 2.017265875, -0.522189400],
)


@dataclass(frozen=True, slots=True)
class Sensor:
    """The electrical figures of the wearable.

    Defaults are those of a good wearable front end: 16 bit, 0.2 uV steps; accelerometer
    16 bit over +-8 g and 140 ug/sqrt(Hz) (docs/definitions.md, Twitches: 110-300).  The high-pass
    is the amplifier's slow electrode coupling.
    """

    emg_lsb_uv: float = 0.2
    emg_highpass_hz: float = 0.5
    pink_share: float = 0.45
    acc_lsb_g: float = 8.0 / 32768.0
    acc_noise_g: float = 140e-6
    bits: int = 16

    def to_counts(self, physical: Floats, step: float) -> NDArray[np.int32]:
        """Round to converter steps and clip at the rails."""
        top = 2 ** (self.bits - 1)
        counts = np.clip(np.rint(physical / step), -top, top - 1)
        return counts.astype(np.int32)


def antialias(waveform: Waveform, fs: float) -> Waveform:
    """Return a waveform as the converter's low-pass leaves it.

    Zero phase: a linear-phase decimator whose known delay the firmware has taken off.
    """
    corner = 0.42 * fs
    if corner >= 0.45 * waveform.fs:
        return waveform
    sos = signal.butter(2, corner, fs=waveform.fs, output="sos")
    smooth = signal.sosfiltfilt(sos, waveform.samples, axis=0)
    return Waveform(waveform.start_s, waveform.fs, smooth)


class NoiseSource:
    """Endless filtered noise, the same however it is cut.

    Parameters
    ----------
    seed, name
        Name the random stream.
    channels, fs
        Shape and rate of the output.
    stages
        Filters applied one after the other to white noise (second-order sections).
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
        """Return the first `count` samples of the given tile; tiles come in order."""
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
