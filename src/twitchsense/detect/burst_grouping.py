"""Puts bursts together: those of several channels, and those of one contraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.burst_measures import LOOK
from twitchsense.model.candidates import Burst, LegMovementRun
from twitchsense.settings import MovementSettings

#: Bursts of two channels this close are one activity seen twice.
SAME_NS = 20_000_000
#: A contraction is filled with activity; a row of twitches that the 0.5-s rule
#: chains together is not, and stays a row of twitches [E].
FILLED = 0.5
#: The median of a contraction's envelope is at least this part of its peak [E].
MEDIAN_OF_PEAK = 0.1
#: Two bursts whose onsets are no further apart than this (repeats come 10 to 110 ms
#: apart, Kleine 2012; an onset carries some ms of error), of sizes within this ratio,
#: and no longer together than a twitch, are one twitch.
PAIR_NS, PAIR_SIZE, PAIR_S = 115_000_000, 4.0, 0.15
#: What is shorter and lies inside something longer is no part of it: should that turn
#: out to be a contact that hisses, it stands alone.
LONG_NS = 500_000_000
#: What a contraction is made of, see `Contraction.texture`.
TEXTURE = ("pieces", "longest", "filled", "contact", "log_kurtosis")


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
    groups : list of list of Burst
        The bursts it is made of, and short ones inside these.
    """

    onset_ns: int
    offset_ns: int
    best: Burst
    longest: Burst
    excess_uv: float
    amplitude_uv: float
    groups: list[list[Burst]]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return (self.offset_ns - self.onset_ns) / 1e9

    def texture(self) -> NDArray[np.float32]:
        """Return the features named in `TEXTURE`, shape (5,).

        Pieces per second, the longest of them and all of them as a share of the
        length, and contact probability and log kurtosis of the bursts, weighted by
        their length.
        """
        groups = outermost(self.groups)
        bursts = [b for g in groups for b in g]
        weights = [max(b.active_s, 1e-3) for b in bursts]
        lengths = [(_end(g) - g[0].onset_ns) / 1e9 for g in groups]
        seconds = max(self.duration_s, 1e-3)
        kurtosis = LOOK.index("log_kurtosis")
        return np.array(
            [
                len(lengths) / seconds,
                max(lengths) / seconds,
                min(1.0, sum(lengths) / seconds),
                np.average([b.electrode_probability for b in bursts], weights=weights),
                np.average([b.waveform_features[kurtosis] for b in bursts], weights=weights),
            ],
            np.float32,
        )


def group_bursts(bursts: Sequence[Burst]) -> list[list[Burst]]:
    """Group the bursts of a leg that overlap in time, whatever their channel.

    Short ones inside a long one are groups of their own.
    """
    alone = sorted(([b] for b in bursts), key=_order)
    parts = ([b for group in groups for b in group] for groups in _split(alone))
    return sorted((group for part in parts for group in _overlapping(part)), key=_order)


def outermost(groups: list[list[Burst]]) -> list[list[Burst]]:
    """Return the groups, in order of onset, that do not lie inside a longer one."""
    return _split(groups)[0]


def _split(groups: list[list[Burst]]) -> tuple[list[list[Burst]], list[list[Burst]]]:
    """Return the groups that do not lie inside a longer one, and those that do."""
    outer: list[list[Burst]] = []
    inner: list[list[Burst]] = []
    end = 0
    for group in groups:
        (outer if _long(group) or _end(group) > end else inner).append(group)
        if _long(group):
            end = max(end, _end(group))
    return outer, inner


def _order(group: Sequence[Burst]) -> tuple[int, int]:
    """Sort by onset, and what lasts longer first: it may hold the other."""
    return group[0].onset_ns, -_end(group)


def _overlapping(bursts: Sequence[Burst]) -> list[list[Burst]]:
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


def join_pairs(groups: list[list[Burst]]) -> list[list[Burst]]:
    """Join two bursts that come 10 to 110 ms apart: a doublet, or a burst with a gap.

    Both are one event (docs/definitions.md, Doublets). A third one nearby makes it a
    train, which is left as it is.
    """
    joined: list[list[Burst]] = []
    k = 0
    while k < len(groups):
        pair = groups[k : k + 2]
        alone = (k == 0 or not _near(groups[k - 1], pair[0])) and (
            k + 2 >= len(groups) or not _near(pair[-1], groups[k + 2])
        )
        if len(pair) == 2 and alone and _near(*pair) and _are_one(*pair):
            joined.append([span(pair)])
            k += 2
        else:
            joined.append(pair[0])
            k += 1
    return joined


def volleys(groups: list[list[Burst]]) -> list[list[list[Burst]]]:
    """Split groups where nothing happens for longer than between the bursts of one jerk."""
    rows: list[list[list[Burst]]] = []
    for group in groups:
        if rows and group[0].onset_ns - _end(rows[-1][-1]) <= PAIR_NS and not _long(rows[-1][-1]):
            rows[-1].append(group)
        else:
            rows.append([group])
    return rows


def span(groups: list[list[Burst]]) -> Burst:
    """Return bursts as one: as large as the largest, it rises with the first."""
    best = max((b for group in groups for b in group), key=lambda b: (b.snr_db, b.channel))
    first = max(groups[0], key=lambda b: (b.snr_db, b.channel))
    return replace(
        best,
        onset_ns=min(b.onset_ns for b in groups[0]),
        offset_ns=max(_end(group) for group in groups),
        active_s=sum(max(b.active_s for b in group) for group in groups),
        rise_ms=first.rise_ms,
    )


def _near(first: list[Burst], second: list[Burst]) -> bool:
    return 0 <= second[0].onset_ns - first[0].onset_ns <= PAIR_NS


def _are_one(first: list[Burst], second: list[Burst]) -> bool:
    a, b = (max(g, key=lambda u: (u.snr_db, u.channel)) for g in (first, second))
    ratio = a.amplitude_uv / max(b.amplitude_uv, 1e-9)
    length = (max(_end(first), _end(second)) - first[0].onset_ns) / 1e9
    return 1 / PAIR_SIZE < ratio < PAIR_SIZE and length <= PAIR_S


def contractions(
    groups: list[list[Burst]], runs: Sequence[LegMovementRun], rule: MovementSettings
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
        if offset - onset >= rule.min_s * 1e9 and _filled_ns(inside) >= FILLED * (offset - onset):
            chosen, alone = [inside], False
        else:  # twitches in a row, or beats between which a contraction stands by itself
            chosen = [
                [g for g in inside if g[0].onset_ns >= long[0].onset_ns and _end(g) <= _end(long)]
                for long in outermost(inside)
                if _end(long) - long[0].onset_ns >= rule.min_s * 1e9
            ]
            alone = True
        for members in chosen:
            found.append(_contraction(members, run, alone=alone))
            left = [g for g in left if g not in members]
    return found, left


def _contraction(groups: list[list[Burst]], run: LegMovementRun, *, alone: bool) -> Contraction:
    members = [b for g in outermost(groups) for b in g]
    best = max(members, key=lambda b: (b.snr_db, b.onset_ns, b.channel))
    # in a run that is mostly something else the median says nothing of the contraction
    peak_uv = best.floor_uv * (10 ** (best.snr_db / 20) - 1)
    return Contraction(
        groups[0][0].onset_ns,
        max(_end(g) for g in groups),
        best,
        max(members, key=lambda b: (b.duration_s, b.onset_ns, b.channel)),
        max(run.median_uv, MEDIAN_OF_PEAK * peak_uv if alone else 0.0),
        max(b.amplitude_uv for b in members),
        groups,
    )


def _union(runs: Sequence[LegMovementRun]) -> list[LegMovementRun]:
    """Join the runs of several channels that overlap."""
    joined: list[LegMovementRun] = []
    for run in sorted(runs, key=lambda r: (r.onset_ns, r.offset_ns, r.channel)):
        if joined and run.onset_ns <= joined[-1].offset_ns:
            last = joined[-1]
            louder = max(last, run, key=lambda r: (r.median_uv, r.channel))
            joined[-1] = LegMovementRun(
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


def _long(group: Sequence[Burst]) -> bool:
    return _end(group) - group[0].onset_ns >= LONG_NS


def _other_channel(group: Sequence[Burst], burst: Burst) -> bool:
    """Two bursts of one channel are two events, unless another channel spans both."""
    return burst.channel != group[-1].channel or burst.onset_ns <= _end(group)
