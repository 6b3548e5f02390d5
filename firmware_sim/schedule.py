"""Events, and the planner that keeps them from overlapping."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from firmware_sim.hypnogram import StageSequence


class EventKind(StrEnum):
    """How an event is generated; `truth` derives its kind in the truth table."""

    UNIT = "unit"  # one motor unit, once or as a doublet
    CLUSTER = "cluster"  # several units within 150 ms
    JERK = "jerk"
    CONTRACTION = "contraction"
    LEG_MOVEMENT = "leg_movement"
    GROSS_MOVEMENT = "gross_movement"
    POSTURE = "posture"
    WALK = "walk"
    TRAIN = "train"  # bursts of one length at one rhythm: tremor, foot tremor, alternation
    HICCUP = "hiccup"  # the body jolts, the leg is hardly active
    STAIR = "stair"  # gated noise of exact length, for measuring durations
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
#: Artefacts that last and may overlap other events; drawn block by block.
SUSTAINED = frozenset({EventKind.ECG, EventKind.MAINS, EventKind.TONIC_UNIT, EventKind.WANDER})
#: Events without signal.
SIGNAL_LOSS = frozenset({EventKind.FLAT, EventKind.DROPOUT})


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """One simulated event.

    Parameters
    ----------
    kind
        How it is generated.
    onset, duration
        Intended start and length (s).  The truth is measured on the waveform.
    amplitude_uv
        Peak-to-peak height of the EMG at the best channel; for `STAIR` the RMS.
    peak_g
        Peak dynamic acceleration (0.5-40 Hz).
    channel
        Index of the EMG channel over the active muscle.
    seed
        Seed of everything random inside the event.
    turn_deg
        How far the limb is turned at the end (posture changes).
    unit
        Which motor unit fires, for single-unit events.
    doublet_interval_s
        Interval of a doublet; 0 for a single.
    cause
        Value of the `cause` column.
    label
        Label, where it does not follow from the context and the neighbours.
    rate_hz, burst_s
        Rhythm and length of the bursts of a train.
    side
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
    """All events of a recording, sorted by onset, with the sleep stages."""

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


#: Quiet time kept before and after an event (s), so that one event in the truth is one
#: event in the signal.  Twitches: more than the 250 ms that make them isolated
#: (Sleutjes 2016); large movements: their ring-down and a resting baseline.
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
        """Start with an empty timeline."""
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
