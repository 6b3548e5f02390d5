"""A composed night: signals of one leg, the stages that drove them, and what is visible in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import twitchsense as ts
from firmware_sim.hypnogram import StageSequence


@dataclass(frozen=True, slots=True, eq=False)
class ComposedNight:
    """Signals of one leg and their truth.

    Attributes
    ----------
    name : str
        Composer, hypnogram and seed.
    stages : tuple of str
        One stage for each 30-s epoch; the signals begin with the first.
    emg_uv : ndarray of float32, shape (n,)
    acc_g : ndarray of float32, shape (m, 3)
    fs_emg, fs_acc : float
        Sampling rates, Hz.
    ecg : bool
        Whether the heart is visible in the EMG.
    still_min : float
        Minutes between the last movement and sleep onset.
    """

    name: str
    stages: tuple[str, ...]
    emg_uv: NDArray[np.float32]
    acc_g: NDArray[np.float32]
    fs_emg: float
    fs_acc: float
    ecg: bool
    still_min: float

    @property
    def onset_s(self) -> float:
        """True sleep onset (first epoch of any sleep stage), s."""
        onset = StageSequence(self.stages).sleep_onset_s
        assert onset is not None
        return onset

    def recording(self, emg: bool = True) -> ts.Recording:
        """Return the night as a recording, with or without its EMG."""
        signals = {f"acc_{axis}_g": (self.acc_g[:, k], self.fs_acc) for k, axis in enumerate("xyz")}
        if emg:
            signals["emg1_uv"] = (self.emg_uv, self.fs_emg)
        return ts.Recording.from_arrays(signals)
