"""Brings the runs of all devices of a night onto one clock, although the host's clock was set.

Each run (a boot of a wearable, or a run of a driver's counter) has a clock that is right within the
run. Runs of one device follow each other; runs of different devices are compared by the times of
the host at which both were recorded. UTC is that of the longest stretch without a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from twitchsense.model.channels import NS
from twitchsense.model.notes import Note
from twitchsense.nightfile.arrival_steps import ArrivalSteps
from twitchsense.nightfile.clock_steps import ClockStretch
from twitchsense.nightfile.device_clock import DeviceClock
from twitchsense.nightfile.recorder_clock import wall_stretches
from twitchsense.nightfile.records import HostClockReading

#: Smallest time (ns) by which two runs must overlap to be a step: arrivals of one device are
#: stored in their order.
_MIN_OVERLAP_NS: Final = NS // 20
#: Time (ns) that a restart lasts, if the clock was set back meanwhile. It must be longer than a
#: frame, whose samples were taken before its arrival.
_RESTART_NS: Final = NS
#: Steps (ns) of two devices that differ less, near the same time, are one step.
_SAME_STEP_NS: Final = 2 * NS
#: Maximum number of steps in the notes.
_MAX_NOTES: Final = 20


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A step of the host's clock.

    Attributes
    ----------
    at_ns : int
        UTC of the last frame before it, ns.
    size_ns : int
        Positive: the clock was set forward.
    error_ns : int
        Standard error of the size; -1 if only a smallest size is known.
    """

    at_ns: int
    size_ns: int
    error_ns: int


@dataclass
class RunChain:
    """The runs of one device, or of one of its streams, in the order of recording.

    Parameters
    ----------
    clocks : sequence of DeviceClock
        One for each run. There may be none.
    known_steps : ArrivalSteps
        Steps that the arrivals given to the clocks are already without.
    extents_ns : sequence of (int, int)
        Time of the first and after the last sample of each run, by its clock; may be empty.
        Samples that were retransmitted are older than the first arrival.

    Attributes
    ----------
    shifts_ns : list of int
        What is to be added to the times of each run.
    stretches : list of ClockStretch
        Stretches of all runs. Their offset is from the chain's reference.
    """

    clocks: Sequence[DeviceClock]
    known_steps: ArrivalSteps = field(default_factory=ArrivalSteps)
    extents_ns: Sequence[tuple[int, int]] = ()
    shifts_ns: list[int] = field(default_factory=list)
    stretches: list[ClockStretch] = field(default_factory=list)

    def __post_init__(self) -> None:
        for i, clock in enumerate(self.clocks):
            first, *later = clock.stretches
            base = -first.offset_ns
            if self.stretches:
                before = self.stretches[-1]
                base += before.offset_ns
                overlap = before.last_ns - first.first_ns
                if self.extents_ns:
                    end_ns = self.extents_ns[i - 1][1] + self.shifts_ns[-1]
                    overlap = max(overlap, end_ns - (self.extents_ns[i][0] - base))
                if overlap <= _MIN_OVERLAP_NS:
                    first = replace(first, first_ns=before.first_ns)
                    self.stretches.pop()
                else:
                    base -= overlap + _RESTART_NS
                    first = replace(first, follows_known_step=False)
            self.stretches += [replace(s, offset_ns=s.offset_ns + base) for s in (first, *later)]
            self.shifts_ns.append(-base)
        self.stretches = list(self.known_steps.restore(tuple(self.stretches)))
        if self.stretches:
            self.move(-self.reference.offset_ns)

    @property
    def reference(self) -> ClockStretch:
        """The longest stretch."""
        return max(self.stretches, key=lambda s: s.last_ns - s.first_ns)

    def move(self, offset_ns: int) -> None:
        """Add to the offsets of all stretches; the times move the other way."""
        self.stretches = [replace(s, offset_ns=s.offset_ns + offset_ns) for s in self.stretches]
        self.shifts_ns = [shift - offset_ns for shift in self.shifts_ns]

    def steps(self) -> list[ClockStep]:
        """Return the steps of the host's clock."""
        return [
            ClockStep(
                a.last_ns - a.offset_ns,
                b.offset_ns - a.offset_ns,
                max(a.error_ns, b.error_ns) if b.follows_known_step else -1,
            )
            for a, b in pairwise(self.stretches)
        ]

    def to_utc(self, host_ns: int) -> int:
        """Return the UTC of a time of the host's clock, ns."""
        return (
            host_ns
            - min(
                self.stretches,
                key=lambda s: (max(s.first_ns - host_ns, host_ns - s.last_ns, 0), abs(s.offset_ns)),
            ).offset_ns
        )


def align_chains(chains: Sequence[RunChain]) -> RunChain | None:
    """Move the chains onto one clock.

    Parameters
    ----------
    chains : sequence of RunChain
        Those of all devices of a night; they are changed.

    Returns
    -------
    RunChain or None
        The chain with the longest stretch without a step; None if there are no runs.
    """
    filled = [chain for chain in chains if chain.stretches]
    if not filled:
        return None
    main = max(filled, key=lambda c: c.reference.last_ns - c.reference.first_ns)
    for chain in filled:
        if chain is main:
            continue
        overlap, offset_ns = max(
            (min(a.last_ns, b.last_ns) - max(a.first_ns, b.first_ns), b.offset_ns - a.offset_ns)
            for a in chain.stretches
            for b in main.stretches
        )
        if overlap > 0:
            chain.move(offset_ns)
    return main


def distinct_steps(chains: Sequence[RunChain]) -> list[ClockStep]:
    """Return the steps of all chains, each once, by time.

    Parameters
    ----------
    chains : sequence of RunChain

    Returns
    -------
    list of ClockStep
    """
    found: list[ClockStep] = []
    for step in sorted((s for c in chains for s in c.steps()), key=lambda s: s.at_ns):
        for other in found:
            near = abs(step.at_ns - other.at_ns) < 60 * NS
            if near and abs(step.size_ns - other.size_ns) < _SAME_STEP_NS:
                break
        else:
            found.append(step)
    return found


def set_by_wall_clock(
    chains: Sequence[RunChain], main: RunChain | None, readings: Sequence[HostClockReading]
) -> tuple[list[ClockStep], tuple[int, int]]:
    """Move the chains from the clock of the recorder to that of the computer.

    The reference is the longest time in which the computer's clock was not set.

    Parameters
    ----------
    chains : sequence of RunChain
        Aligned chains; they are changed.
    main : RunChain or None
        The chain with the longest stretch.
    readings : sequence of HostClockReading
        May be empty: files of earlier versions have none.

    Returns
    -------
    steps : list of ClockStep
        Steps of the computer's clock, which the clock of the recorder did not follow.
    longest : (int, int)
        First and last UTC of the time that sets the clock, ns.
    """
    if main is None:
        return [], (0, 0)
    reference = main.reference
    first_ns, last_ns = reference.first_ns, reference.last_ns
    stretches = wall_stretches(readings)
    overlaps = [min(s.last_ns, last_ns) - max(s.first_ns, first_ns) for s in stretches]
    if not stretches or max(overlaps) < 0:
        return [], (first_ns, last_ns)
    best = stretches[int(np.argmax(overlaps))]
    for chain in chains:
        chain.move(-best.offset_ns)
    steps = [
        ClockStep(a.last_ns + best.offset_ns, b.offset_ns - a.offset_ns, 0)
        for a, b in pairwise(stretches)
        if b.follows_step
    ]
    if steps:
        first_ns, last_ns = max(first_ns, best.first_ns), min(last_ns, best.last_ns)
    return steps, (first_ns + best.offset_ns, last_ns + best.offset_ns)


def step_notes(steps: Sequence[ClockStep], longest: tuple[int, int], zone: str | None) -> list[str]:
    """Return notes on the steps of the host's clock.

    Parameters
    ----------
    steps : sequence of ClockStep
    longest : (int, int)
        First and last UTC of the time that sets the clock, ns.
    zone : str or None
        IANA time zone of the times in the notes; UTC by default.

    Returns
    -------
    list of str
    """
    if not steps:
        return []
    notes: list[str] = []
    for step in sorted(steps, key=lambda s: s.at_ns)[:_MAX_NOTES]:
        word = "forward" if step.size_ns > 0 else "back"
        size = f"{abs(step.size_ns) / NS:.3f} s"
        if step.error_ns < 0:
            size += " or more, while the device restarted: the time without data is not known"
        else:
            size += f" ± {max(step.error_ns, NS // 1000) / NS:.3f} s"
        when = clock_time(step.at_ns, zone)
        notes.append(Note("times", f"the computer's clock was set {word} at {when} by {size}"))
    if len(steps) > _MAX_NOTES:
        notes.append(
            Note("times", f"the computer's clock was set {len(steps) - _MAX_NOTES} more times")
        )
    first, last = (clock_time(time_ns, zone) for time_ns in longest)
    notes.append(
        "times are by the device's clock across these steps; UTC is that of the longest part "
        f"without a step, {first} to {last}"
    )
    return notes


def clock_time(time_ns: int, zone: str | None) -> str:
    """Return a time of day for the notes.

    Parameters
    ----------
    time_ns : int
        UTC, ns.
    zone : str or None
        IANA time zone; UTC by default.

    Returns
    -------
    str
    """
    when = datetime.fromtimestamp(time_ns // NS, ZoneInfo(zone) if zone else UTC)
    return f"{when:%H:%M:%S}{'' if zone else ' UTC'}"
