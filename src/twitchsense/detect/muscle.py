"""Puts bursts together: those of several channels, and those of one contraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twitchsense.detect.candidates import Burst, LegRun
from twitchsense.settings import MovementSettings

#: Bursts of two channels this close are one activity seen twice.
SAME_NS = 20_000_000
#: A contraction is filled with activity; a row of twitches that the 0.5-s rule
#: chains together is not, and stays a row of twitches [E].
FILLED = 0.5


@dataclass(frozen=True, slots=True)
class Contraction:
    """Muscle activity of half a second or more.

    Attributes
    ----------
    onset_ns, offset_ns : int
        From the first burst to the last: finer than the 0.15-s envelope of the rule.
    best, longest : Burst
        The burst with the greatest signal-to-noise, and the longest.
    excess_uv : float
        Median of the leg-movement envelope over resting.
    amplitude_uv : float
        Greatest peak to peak of its bursts.
    """

    onset_ns: int
    offset_ns: int
    best: Burst
    longest: Burst
    excess_uv: float
    amplitude_uv: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return (self.offset_ns - self.onset_ns) / 1e9


def group_bursts(bursts: Sequence[Burst]) -> list[list[Burst]]:
    """Group the bursts of a leg that overlap in time, whatever their channel."""
    groups: list[list[Burst]] = []
    end = 0
    for burst in sorted(bursts, key=lambda b: (b.onset_ns, b.offset_ns, b.channel)):
        if groups and burst.onset_ns <= end + SAME_NS and _other_channel(groups[-1], burst):
            groups[-1].append(burst)
            end = max(end, burst.offset_ns)
        else:
            groups.append([burst])
            end = burst.offset_ns
    return groups


def contractions(
    groups: list[list[Burst]], runs: Sequence[LegRun], rule: MovementSettings
) -> tuple[list[Contraction], list[list[Burst]]]:
    """Split the groups into contractions by the +8/+2 µV rule, and what is left.

    A run of that rule is a contraction if bursts fill it for the minimum
    duration and for at least half of its length.
    """
    found: list[Contraction] = []
    left = list(groups)
    for run in _union(runs):
        inside = [g for g in left if _end(g) >= run.onset_ns and g[0].onset_ns <= run.offset_ns]
        if not inside:
            continue
        onset, offset = inside[0][0].onset_ns, max(_end(g) for g in inside)
        if offset - onset < rule.min_s * 1e9 or _filled_ns(inside) < FILLED * (offset - onset):
            continue
        members = [b for g in inside for b in g]
        found.append(
            Contraction(
                onset,
                offset,
                max(members, key=lambda b: (b.snr_db, b.onset_ns, b.channel)),
                max(members, key=lambda b: (b.duration_s, b.onset_ns, b.channel)),
                run.median_uv,
                max(b.amplitude_uv for b in members),
            )
        )
        left = [g for g in left if g not in inside]
    return found, left


def _union(runs: Sequence[LegRun]) -> list[LegRun]:
    """Join the runs of several channels that overlap."""
    joined: list[LegRun] = []
    for run in sorted(runs, key=lambda r: (r.onset_ns, r.offset_ns, r.channel)):
        if joined and run.onset_ns <= joined[-1].offset_ns:
            last = joined[-1]
            louder = max(last, run, key=lambda r: (r.median_uv, r.channel))
            joined[-1] = LegRun(
                louder.channel, last.onset_ns, max(last.offset_ns, run.offset_ns), louder.median_uv
            )
        else:
            joined.append(run)
    return joined


def _filled_ns(groups: list[list[Burst]]) -> int:
    total, end = 0, 0
    for group in groups:
        start = max(end, group[0].onset_ns)
        end = max(end, _end(group))
        total += max(0, end - start)
    return total


def _end(group: Sequence[Burst]) -> int:
    return max(b.offset_ns for b in group)


def _other_channel(group: Sequence[Burst], burst: Burst) -> bool:
    """Two bursts of one channel are two events, unless another channel spans both."""
    return burst.channel != group[-1].channel or burst.onset_ns <= _end(group)
