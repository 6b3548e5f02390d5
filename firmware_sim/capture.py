"""Combines physiology, artefacts and sensor into blocks of converter counts, with the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from firmware_sim import scenarios, truth
from firmware_sim.artefacts import add_sustained_artefact, draw_acc_artefact, draw_emg_artefact
from firmware_sim.background import MuscleTone, PhysiologicalMotion, heart_beats
from firmware_sim.emg import MotorUnitPool, draw_burst
from firmware_sim.limb_motion import draw_motion, plan_gravity
from firmware_sim.schedule import (
    MOVEMENTS,
    SIGNAL_LOSS,
    SUSTAINED,
    EventKind,
    Schedule,
    SimulatedEvent,
)
from firmware_sim.sensor import (
    TILE_S,
    NoiseSource,
    Sensor,
    antialias,
    muscle_stages,
    pink_stages,
    white_stages,
)
from firmware_sim.time_grid import Floats, Waveform, make_rng

#: Maximum time (s) by which a waveform starts before the onset of its event.
_LEAD_S = 0.5
#: Added to the seed of the right leg's sensors.
_OTHER_LEG = 1_000_003


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """Settings of a simulated capture.

    Attributes
    ----------
    minutes : float
        Length of the recording.
    seed : int
        Random seed.
    scenario : str
        Name of the scenario.
    fs_emg, fs_acc : float
        Nominal sampling rates, Hz.
    channels : {1, 2}
        Number of EMG channels; both are on one leg.
    drift_ppm, acc_drift_ppm : float
        Error of the two sampling clocks, ppm; positive if fast.  Times in the files stay
        true, so that a fast clock gives more samples per true second.
    leg : {'left', 'right', ''}
    """

    minutes: float
    seed: int
    scenario: str = "night"
    fs_emg: float = 1000.0
    fs_acc: float = 100.0
    channels: int = 2
    drift_ppm: float = 0.0
    acc_drift_ppm: float = 0.0
    leg: str = ""

    @property
    def emg_rate(self) -> float:
        """EMG samples per true second."""
        return self.fs_emg * (1.0 + self.drift_ppm * 1e-6)

    @property
    def acc_rate(self) -> float:
        """Accelerometer samples per true second."""
        return self.fs_acc * (1.0 + self.acc_drift_ppm * 1e-6)

    @property
    def emg_names(self) -> tuple[str, ...]:
        """Names of the EMG channels, without unit."""
        side = f"_{self.leg}" if self.leg else ""
        return tuple(f"emg{number + 1}{side}" for number in range(self.channels))

    @property
    def acc_names(self) -> tuple[str, ...]:
        """Names of the accelerometer axes, without unit."""
        side = f"_{self.leg}" if self.leg else ""
        return tuple(f"acc{side}_{axis}" for axis in "xyz")


@dataclass(frozen=True, slots=True)
class CaptureBlock:
    """A part of both streams.

    Attributes
    ----------
    emg_first, acc_first : int
        Index of the first sample of each stream since the start of the recording.
    emg, acc : ndarray of int32, shape (n, channels)
        Converter counts.
    emg_kept, acc_kept : ndarray of bool, shape (n,)
        False where the sample was lost in a dropout.
    """

    emg_first: int
    emg: NDArray[np.int32]
    emg_kept: NDArray[np.bool_]
    acc_first: int
    acc: NDArray[np.int32]
    acc_kept: NDArray[np.bool_]


class SimulatedCapture:
    """One simulated recording, generated block by block so that memory is bounded.

    Iterate over `blocks` to the end, then call `truth_rows`: the truth is measured on the same
    noise-free waveforms that the blocks contain.
    """

    def __init__(
        self,
        settings: CaptureSettings,
        sensor: Sensor | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.settings = settings
        self.sensor = sensor or Sensor()
        self.schedule = schedule or scenarios.make_schedule(
            settings.scenario, settings.minutes, settings.seed, settings.channels
        )
        # an event of one leg is not sensed on the other
        own_events = tuple(
            e for e in self.schedule.events if e.side in ("", settings.leg or "left")
        )
        self.schedule = replace(self.schedule, events=own_events)
        # the two legs of one seed share the events, not the noise of their sensors
        seed = settings.seed + (_OTHER_LEG if settings.leg == "right" else 0)
        self._seed, seconds = seed, self.schedule.seconds
        self.muscles = MotorUnitPool.draw(seed, settings.channels)
        self.gravity = plan_gravity(self.schedule.events, seed)
        self._beats = heart_beats(seconds, self.schedule.heart_bpm, seed)
        self._motion = PhysiologicalMotion.draw(self._beats, seed)
        self._tone = MuscleTone.draw(self.schedule.hypnogram, seed)
        self._acc_offset = 0.006 * make_rng(seed, "acc offset").standard_normal(3)
        self._rows: list[truth.TruthRow] = []
        self._emg_waveforms: list[Waveform] = []
        self._acc_waveforms: list[Waveform] = []

    @property
    def emg_count(self) -> int:
        """Number of EMG samples before any are lost."""
        return int(self.schedule.seconds * self.settings.emg_rate + 1e-6)

    @property
    def acc_count(self) -> int:
        """Number of accelerometer samples before any are lost."""
        return int(self.schedule.seconds * self.settings.acc_rate + 1e-6)

    def blocks(self, tiles: int = 5) -> Iterator[CaptureBlock]:
        """Yield the recording in blocks of `tiles` noise tiles (minutes) each."""
        settings, seed = self.settings, self._seed
        pending = list(reversed(self.schedule.events))
        channels = settings.channels
        white = NoiseSource(
            seed, "emg white", channels, settings.fs_emg, white_stages(settings.fs_emg)
        )
        pink = NoiseSource(
            seed, "emg pink", channels, settings.fs_emg, pink_stages(settings.fs_emg)
        )
        tone = NoiseSource(
            seed, "emg tone", channels, settings.fs_emg, muscle_stages(settings.fs_emg)
        )
        acc_noise = NoiseSource(
            seed, "acc white", 3, settings.fs_acc, white_stages(settings.fs_acc)
        )
        highpass = signal.butter(
            1, self.sensor.emg_highpass_hz, "high", fs=settings.fs_emg, output="sos"
        )
        highpass_state = np.zeros((len(highpass), 2, channels))
        emg_tile, acc_tile = round(TILE_S * settings.fs_emg), round(TILE_S * settings.fs_acc)
        total = max(-(-self.emg_count // emg_tile), -(-self.acc_count // acc_tile))
        for first in range(0, total, tiles):
            stop = min(first + tiles, total)
            emg_first, emg_stop = first * emg_tile, min(stop * emg_tile, self.emg_count)
            acc_first, acc_stop = first * acc_tile, min(stop * acc_tile, self.acc_count)
            emg_times = np.arange(emg_first, emg_stop) / settings.emg_rate
            acc_times = np.arange(acc_first, acc_stop) / settings.acc_rate
            end_s = max(stop * emg_tile / settings.emg_rate, stop * acc_tile / settings.acc_rate)
            while pending and pending[-1].onset - _LEAD_S < end_s:
                self._draw(pending.pop())
            noise = np.empty((len(emg_times), channels))
            tonic = np.empty_like(noise)
            acc = np.empty((len(acc_times), 3))
            share = self.sensor.pink_share
            for tile in range(first, stop):
                at = (tile - first) * emg_tile
                count = min(emg_tile, len(noise) - at)
                if count > 0:
                    white_part = np.sqrt(1.0 - share**2) * white.read(tile, count)
                    noise[at : at + count] = white_part + share * pink.read(tile, count)
                    tonic[at : at + count] = tone.read(tile, count)
                at = (tile - first) * acc_tile
                count = min(acc_tile, len(acc) - at)
                if count > 0:
                    acc[at : at + count] = acc_noise.read(tile, count)
            # EMG at the electrodes, then the high-pass of the amplifier, then the converter
            emg = np.zeros_like(noise)
            if self.schedule.tonic:
                emg += tonic * self._tone.at(emg_times)[:, None]
            for event in self.schedule.events:
                if event.kind in SUSTAINED:
                    add_sustained_artefact(
                        event, emg, emg_first, settings.emg_rate, self._beats, self.muscles
                    )
            for waveform in self._emg_waveforms:
                waveform.add_to(emg, emg_times)
            emg += self.schedule.emg_noise_uv * noise
            emg, highpass_state = signal.sosfilt(highpass, emg, axis=0, zi=highpass_state)
            for event in self._of_kind(EventKind.FLAT):
                lost = (emg_times >= event.onset) & (emg_times < event.end)
                emg[lost, event.channel] = 0.1 * noise[lost, event.channel]
            acc *= self.sensor.acc_noise_g * np.sqrt(0.45 * settings.fs_acc)
            acc += self.gravity.at(acc_times) + self._acc_offset
            self._motion.add_to(acc, acc_first, settings.acc_rate)
            for waveform in self._acc_waveforms:
                waveform.add_to(acc, acc_times)
            yield CaptureBlock(
                emg_first,
                self.sensor.to_counts(emg, self.sensor.emg_lsb_uv),
                self._kept(emg_times),
                acc_first,
                self.sensor.to_counts(acc, self.sensor.acc_lsb_g),
                self._kept(acc_times),
            )
            ended = min(emg_stop / settings.emg_rate, acc_stop / settings.acc_rate)
            self._emg_waveforms = [s for s in self._emg_waveforms if s.end_s > ended]
            self._acc_waveforms = [s for s in self._acc_waveforms if s.end_s > ended]

    def truth_rows(self) -> list[truth.TruthRow]:
        """Return the truth, sorted and labelled; complete after all blocks were generated."""
        return truth.label_rows(self._rows, self.schedule.hypnogram, self.settings.leg)

    def _of_kind(self, kind: EventKind) -> list[SimulatedEvent]:
        return [event for event in self.schedule.events if event.kind is kind]

    def _kept(self, times: Floats) -> NDArray[np.bool_]:
        """Return which samples were not lost in a dropout."""
        kept = np.ones(len(times), bool)
        for event in self._of_kind(EventKind.DROPOUT):
            kept[(times >= event.onset) & (times < event.end)] = False
        return kept

    def _draw(self, event: SimulatedEvent) -> None:
        """Draw the waveforms of an event and measure its truth."""
        settings = self.settings
        if event.kind in MOVEMENTS:
            burst = draw_burst(event, self.muscles)
            motion = draw_motion(event, burst, self.gravity)
            self._rows.append(truth.measure(event, burst, motion, self.gravity, settings.emg_names))
            self._emg_waveforms.append(antialias(burst.emg, settings.fs_emg))
            self._acc_waveforms.append(antialias(motion, settings.fs_acc))
            return
        self._rows.append(truth.describe_artefact(event, settings.emg_names))
        if event.kind in SUSTAINED or event.kind in SIGNAL_LOSS:
            return
        emg = draw_emg_artefact(event, settings.channels)
        if emg is not None:
            self._emg_waveforms.append(antialias(emg, settings.fs_emg))
        acc = draw_acc_artefact(event)
        if acc is not None:
            self._acc_waveforms.append(antialias(acc, settings.fs_acc))
