"""Background of the whole night: muscle tone, heart beat, breathing and pulse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.hypnogram import EPOCH_S, StageSequence
from firmware_sim.time_grid import Floats, add_templates, make_rng

#: Tonic EMG of a relaxed leg by stage, µV RMS.  It falls with the depth of sleep and is
#: lowest in REM sleep.  [E]; a recording of the resting tibialis anterior has 2.4 µV RMS,
#: amplifier noise included (Hermes data set, CC0).
TONIC_UV = {"W": 1.6, "N1": 0.9, "N2": 0.6, "N3": 0.45, "R": 0.25}


@dataclass(frozen=True, slots=True)
class MuscleTone:
    """Tonic EMG level through the night: stage levels, joined smoothly."""

    knots: Floats
    levels: Floats

    @classmethod
    def draw(cls, hypnogram: StageSequence, seed: int) -> MuscleTone:
        """Draw a random level for each epoch; wake varies most."""
        rng = make_rng(seed, "tone")
        stages = hypnogram.stages
        spread = np.array([0.25 if stage == "W" else 0.1 for stage in stages])
        typical = np.array([TONIC_UV[stage] for stage in stages])
        levels: Floats = typical * np.exp(spread * rng.standard_normal(len(stages)))
        middles: Floats = (np.arange(len(stages), dtype=np.float64) + 0.5) * EPOCH_S
        return cls(middles, levels)

    def at(self, times: Floats) -> Floats:
        """Return the RMS level (µV) at each time (s)."""
        level: Floats = np.interp(times, self.knots, self.levels)
        return level


def heart_beats(seconds: float, bpm: float, seed: int) -> Floats:
    """Return the times of all heart beats, with slow drift, respiratory rhythm and jitter.

    Intervals vary by about 5 %, as at rest.  [E]

    Parameters
    ----------
    seconds : float
        Length of the recording, s.
    bpm : float
        Mean heart rate, beats per minute.
    seed : int

    Returns
    -------
    ndarray of float64, shape (beats,)
        Seconds from the start of the recording.
    """
    rng = make_rng(seed, "heart")
    count = int(seconds * bpm / 60.0 * 1.5) + 20
    beat = np.arange(count)
    drift = 0.06 * np.sin(2 * np.pi * (beat / 700.0 + rng.random()))
    breathing = 0.03 * np.sin(2 * np.pi * (beat * 0.25 * 60.0 / bpm + rng.random()))
    intervals = 60.0 / bpm * (1.0 + drift + breathing + 0.015 * rng.standard_normal(count))
    times: Floats = np.cumsum(intervals) - 1.0
    return times[times < seconds + 1.0]


@dataclass(frozen=True, slots=True)
class PhysiologicalMotion:
    """Breathing and arterial pulse at the ankle, a few mg.

    Breathing is a movement of 0.2-0.3 Hz and 1-3 mg; the pulse is a damped wave of 1-2 mg
    after each beat (as found at the wrist in sleep: PLoS One 2019, 0226843).
    """

    breathing_hz: float
    breathing_g: Floats
    pulse_g: Floats
    beats: Floats
    phase: float

    @classmethod
    def draw(cls, beats: Floats, seed: int) -> PhysiologicalMotion:
        """Draw a random rate, amplitude and direction."""
        rng = make_rng(seed, "sway")
        directions = rng.standard_normal((2, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return cls(
            float(rng.uniform(0.2, 0.3)),
            directions[0] * rng.uniform(0.5e-3, 1.5e-3),
            directions[1] * rng.uniform(0.5e-3, 1.0e-3),
            beats,
            float(rng.random()),
        )

    def add_to(self, target: Floats, first_index: int, fs: float) -> None:
        """Add both movements to a block of acceleration.

        Parameters
        ----------
        target : ndarray of float64, shape (n, 3)
            Acceleration in g, changed in place.
        first_index : int
            Index of the first sample since the start of the recording.
        fs : float
            Sampling rate, Hz.
        """
        t = (first_index + np.arange(len(target))) / fs
        # The respiratory rate varies slowly: the phase by a few radians over minutes.
        wobble = 1.5 * np.sin(2 * np.pi * t / 173.0) + 0.6 * np.sin(2 * np.pi * t / 41.0)
        phase = 2 * np.pi * (self.breathing_hz * t + self.phase) + wobble
        wave = np.sin(phase) + 0.2 * np.sin(2.0 * phase + 0.7)
        target += wave[:, None] * self.breathing_g
        pulse = np.zeros(len(target))
        # The pulse wave reaches the ankle about 0.25 s after the beat.
        arrival = self.beats + 0.25
        add_templates(pulse, first_index, fs, arrival, np.ones_like(arrival), _pulse, 0.0, 0.6)
        target += pulse[:, None] * self.pulse_g


def _pulse(tau: Floats) -> Floats:
    """Return one pulse: a damped 5-Hz oscillation with a smooth start."""
    start = np.clip(tau / 0.04, 0.0, 1.0)
    swing: Floats = np.where(
        tau >= 0.0, start * np.exp(-tau / 0.12) * np.sin(2 * np.pi * 5.0 * tau), 0.0
    )
    return swing
