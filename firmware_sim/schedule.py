"""Events, and the planner that keeps them from overlapping."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from firmware_sim.hypnogram import StageSequence


class EventKind(StrEnum):
    """Kind of a simulated event; `truth` derives the kind in the truth table from it."""

    UNIT = "unit"  # one motor unit, once or as a doublet
    CLUSTER = "cluster"  # several units within 150 ms
    JERK = "jerk"
    CONTRACTION = "contraction"
    LEG_MOVEMENT = "leg_movement"
    GROSS_MOVEMENT = "gross_movement"
    POSTURE = "posture"
    WALK = "walk"
    TRAIN = "train"  # regular bursts: tremor, foot tremor, alternation
    HICCUP = "hiccup"  # the trunk moves; the leg is hardly active
    STAIR = "stair"  # gated noise of exact length, to test measured durations
    POP = "pop"
    CRACKLE = "crackle"
    STEP = "step"
    BUMP = "bump"
    KNOCK = "knock"
    SATURATION = "saturation"
    FLAT = "flat"
    DROPOUT = "dropout"
    ECG = "ecg"
    MAINS = "mains"
    TONIC_UNIT = "tonic_unit"
    WANDER = "wander"


#: Movements of the body: they have EMG and move the limb.
MOVEMENTS = frozenset(
    {
        EventKind.UNIT,
        EventKind.CLUSTER,
        EventKind.JERK,
        EventKind.CONTRACTION,
        EventKind.LEG_MOVEMENT,
        EventKind.GROSS_MOVEMENT,
        EventKind.POSTURE,
        EventKind.WALK,
        EventKind.TRAIN,
        EventKind.HICCUP,
        EventKind.STAIR,
    }
)
#: Sustained artefacts, which may overlap other events and are generated block by block.
SUSTAINED = frozenset({EventKind.ECG, EventKind.MAINS, EventKind.TONIC_UNIT, EventKind.WANDER})
#: Events without signal.
SIGNAL_LOSS = frozenset({EventKind.FLAT, EventKind.DROPOUT})


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """One simulated event.

    Attributes
    ----------
    kind : EventKind
    onset, duration : float
        Intended start and length, s.  The truth is measured on the waveform.
    amplitude_uv : float
        Peak-to-peak amplitude of the EMG in the channel with the largest signal, µV; for
        `STAIR` the RMS.
    peak_g : float
        Peak dynamic acceleration (0.5-40 Hz), g.
    channel : int
        Index of the EMG channel over the active muscle.
    seed : int
        Seed of all random numbers of the event.
    turn_deg : float
        Angle by which the limb has turned at the end (posture changes), degrees.
    unit : int
        Index of the motor unit that fires, for single-unit events.
    doublet_interval_s : float
        Interval of a doublet, s; 0 for a single potential.
    cause : str
        Value of the `cause` column.
    label : str
        Label, where it does not follow from the context and the neighbours.
    rate_hz, burst_s : float
        Rate (Hz) and length (s) of the bursts of a train.
    side : str
        `left` or `right` for an event of that leg only; empty for any leg.
    """

    kind: EventKind
    onset: float
    duration: float
    amplitude_uv: float = 0.0
    peak_g: float = 0.0
    channel: int = 0
    seed: int = 0
    turn_deg: float = 0.0
    unit: int = 0
    doublet_interval_s: float = 0.0
    cause: str = ""
    label: str = ""
    rate_hz: float = 0.0
    burst_s: float = 0.0
    side: str = ""

    @property
    def end(self) -> float:
        """Intended end (s)."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Schedule:
    """All events of a recording, with the sleep stages.

    Attributes
    ----------
    seconds : float
        Length of the recording, s.
    hypnogram : StageSequence
    events : tuple of SimulatedEvent
        Sorted by onset.
    emg_noise_uv : float
        RMS of the EMG noise, µV.
    tonic : bool
        Whether the EMG has muscle tone.
    heart_bpm : float
        Mean heart rate, beats per minute.
    """

    seconds: float
    hypnogram: StageSequence
    events: tuple[SimulatedEvent, ...]
    emg_noise_uv: float
    tonic: bool = True
    heart_bpm: float = 60.0


@dataclass(slots=True)
class ReservedTimes:
    """Reserved intervals of time."""

    seconds: float
    _starts: list[float] = field(default_factory=list)
    _ends: list[float] = field(default_factory=list)

    def is_free(self, start: float, end: float) -> bool:
        """Return whether no reserved interval overlaps."""
        if start < 0.0 or end > self.seconds:
            return False
        at = bisect.bisect_left(self._starts, end)
        return at == 0 or self._ends[at - 1] <= start

    def reserve(self, start: float, end: float) -> bool:
        """Reserve an interval if it is free; return whether it was."""
        if not self.is_free(start, end):
            return False
        at = bisect.bisect_left(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)
        return True


#: Quiet time (s) before and after an event, so that one event in the truth is one event in
#: the signal.  For twitches it exceeds the 250 ms that define an isolated twitch (Sleutjes
#: 2016); for large movements it includes the decay of the oscillation and a resting baseline.
MARGIN_S = {
    EventKind.UNIT: (0.35, 0.35),
    EventKind.CLUSTER: (0.35, 0.35),
    EventKind.JERK: (1.0, 1.5),
    EventKind.CONTRACTION: (0.8, 1.0),
    EventKind.LEG_MOVEMENT: (1.0, 1.5),
    EventKind.GROSS_MOVEMENT: (3.0, 3.0),
    EventKind.POSTURE: (3.0, 3.0),
    EventKind.WALK: (5.0, 8.0),
    EventKind.STAIR: (0.5, 0.6),
    EventKind.TRAIN: (3.0, 3.0),
    EventKind.HICCUP: (0.4, 0.7),
    EventKind.SATURATION: (2.0, 4.0),
    EventKind.FLAT: (1.0, 2.0),
    EventKind.DROPOUT: (1.0, 2.0),
}
#: Quiet time (s) before and after events of all other kinds.
_OTHER_MARGIN_S = (1.0, 1.5)


@dataclass(slots=True)
class Planner:
    """Collects events and rejects those that would overlap."""

    seconds: float
    hypnogram: StageSequence
    channels: int
    rng: np.random.Generator
    events: list[SimulatedEvent] = field(default_factory=list)
    timeline: ReservedTimes = field(init=False)

    def __post_init__(self) -> None:
        """Create an empty timeline."""
        self.timeline = ReservedTimes(self.seconds)

    def new_seed(self) -> int:
        """Draw the seed of an event."""
        return int(self.rng.integers(2**62))

    def add(self, event: SimulatedEvent) -> bool:
        """Add an event if its time is free; sustained artefacts may overlap others."""
        if event.kind in SUSTAINED:
            if event.end > self.seconds:
                return False
            self.events.append(event)
            return True
        before, after = MARGIN_S.get(event.kind, _OTHER_MARGIN_S)
        if not self.timeline.reserve(event.onset - before, event.end + after):
            return False
        self.events.append(event)
        return True

    def finish(
        self, emg_noise_uv: float, *, tonic: bool = True, heart_bpm: float = 60.0
    ) -> Schedule:
        """Return the schedule, sorted by onset."""
        ordered = sorted(self.events, key=lambda event: (event.onset, event.kind))
        return Schedule(
            self.seconds, self.hypnogram, tuple(ordered), emg_noise_uv, tonic, heart_bpm
        )
