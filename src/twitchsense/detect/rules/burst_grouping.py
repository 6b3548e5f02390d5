"""Grouping of bursts: across channels, into doublets, and into contractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.features.waveform import WAVEFORM_FEATURES
from twitchsense.model.candidates import Burst, LegMovementRun, ScoredCandidate
from twitchsense.settings import MovementSettings

#: Maximum distance between bursts of two channels that are the same activity.
SAME_NS: Final = 20_000_000
#: Minimum fraction of the time from the first to the last burst of a leg-movement run that bursts
#: fill in a contraction. Twitches that the 0.5-s rule links into one run remain twitches [E].
MIN_FILLED: Final = 0.5
#: Minimum median of the envelope of a contraction, as a fraction of its peak [E].
MEDIAN_OF_PEAK: Final = 0.1
#: Maximum interval between the onsets of a doublet: 10 to 110 ms (Kleine et al. 2012), plus
#: a few ms of error of each onset.
DOUBLET_NS: Final = 115_000_000
#: Maximum pause between two bursts of one jerk: that by which leg movements of one leg are joined
#: (Ferri et al. 2016, doi:10.1016/j.sleep.2016.10.010). Bursts of jerks repeat at 2 Hz and faster.
TRAIN_NS: Final = 500_000_000
#: Maximum ratio of the amplitudes of a doublet.
DOUBLET_AMPLITUDE_RATIO: Final = 4.0
#: Maximum duration of a doublet: that of a twitch, s.
DOUBLET_S: Final = 0.15
#: Duration of a long burst. Shorter bursts inside it form groups of their own, so that they are
#: kept if the long burst is rejected as an artefact.
LONG_NS: Final = 500_000_000
#: Features of a contraction, see `Contraction.features`.
CONTRACTION_FEATURES: Final = (
    "bursts_per_s", "longest_burst_share", "active_share",
    *(f"mean_{name}" for name in WAVEFORM_FEATURES),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contraction:
    """Muscle activity of half a second or more.

    Attributes
    ----------
    onset_ns, offset_ns : int
        From the first burst to the last; more precise than the 0.15-s envelope of the rule.
    best, longest : Burst
        The burst with the greatest signal-to-noise ratio, and the longest burst.
    excess_uv : float
        Median of the leg-movement envelope above its resting level, µV.
    amplitude_uv : float
        Greatest peak-to-peak amplitude of its bursts, µV.
    groups : list of list of Burst
        Its bursts, including the short bursts nested in them.
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
        """Offset minus onset, s."""
        return (self.offset_ns - self.onset_ns) / 1e9

    def features(self) -> NDArray[np.float32]:
        """Return `CONTRACTION_FEATURES`.

        Returns
        -------
        ndarray of float32, shape (23,)
            Bursts per second; the longest burst and all bursts as fractions of the duration;
            the waveform features of the bursts, averaged with their durations as weights.
        """
        groups = drop_nested(self.groups)
        bursts = [b for g in groups for b in g]
        weights = [max(b.active_s, 1e-3) for b in bursts]
        lengths = [(offset_of(g) - g[0].onset_ns) / 1e9 for g in groups]
        seconds = max(self.duration_s, 1e-3)
        shares = [len(lengths) / seconds, max(lengths) / seconds, min(1.0, sum(lengths) / seconds)]
        waveforms = np.average([b.waveform_features for b in bursts], axis=0, weights=weights)
        return np.concatenate([shares, waveforms]).astype(np.float32)


def group_bursts(bursts: Sequence[Burst]) -> list[list[Burst]]:
    """Group the bursts of a leg that overlap in time, on any channel.

    Short bursts inside a long one form groups of their own.

    Parameters
    ----------
    bursts : sequence of Burst

    Returns
    -------
    list of list of Burst
        Groups in order of onset.
    """
    if len(bursts) == 1:  # most clusters
        return [list(bursts)]
    alone = sorted(([b] for b in bursts), key=_order)
    parts = ([b for group in groups for b in group] for groups in _split_nested(alone))
    return sorted((group for part in parts for group in _overlapping(part)), key=_order)


def drop_nested(groups: list[list[Burst]]) -> list[list[Burst]]:
    """Return the groups that do not lie inside a longer one, in order of onset.

    Parameters
    ----------
    groups : list of list of Burst

    Returns
    -------
    list of list of Burst
    """
    return _split_nested(groups)[0]


def _split_nested(groups: list[list[Burst]]) -> tuple[list[list[Burst]], list[list[Burst]]]:
    """Return the groups outside longer groups, and the groups inside longer groups."""
    outer: list[list[Burst]] = []
    inner: list[list[Burst]] = []
    end = 0
    for group in groups:
        offset = offset_of(group)
        is_long = offset - group[0].onset_ns >= LONG_NS
        (outer if is_long or offset > end else inner).append(group)
        if is_long:
            end = max(end, offset)
    return outer, inner


def _order(group: Sequence[Burst]) -> tuple[int, int]:
    """Return the sorting key: by onset, the longer group first."""
    return group[0].onset_ns, -offset_of(group)


def _overlapping(bursts: Sequence[Burst]) -> list[list[Burst]]:
    groups: list[list[Burst]] = []
    end = 0
    for burst in sorted(bursts, key=lambda b: (b.onset_ns, b.offset_ns, b.channel)):
        if groups and burst.onset_ns <= end + SAME_NS and _joins(groups[-1], burst):
            groups[-1].append(burst)
            end = max(end, burst.offset_ns)
        else:
            groups.append([burst])
            end = burst.offset_ns
    return groups


def merge_doublets(groups: list[list[Burst]]) -> list[list[Burst]]:
    """Merge two bursts 10 to 110 ms apart: a doublet, or a burst with a gap.

    Both are one event (docs/definitions.md, Doublets). A third burst nearby makes it a train,
    which is not merged.

    Parameters
    ----------
    groups : list of list of Burst
        In order of onset.

    Returns
    -------
    list of list of Burst
        A merged pair is a group of one burst.
    """
    joined: list[list[Burst]] = []
    k = 0
    while k < len(groups):
        pair = groups[k : k + 2]
        alone = (k == 0 or not _near(groups[k - 1], pair[0])) and (
            k + 2 >= len(groups) or not _near(pair[-1], groups[k + 2])
        )
        if len(pair) == 2 and alone and _near(*pair) and _are_one(*pair):
            joined.append([merge_group(pair)])
            k += 2
        else:
            joined.append(pair[0])
            k += 1
    return joined


def split_by_gap(groups: list[list[Burst]], gap_ns: int) -> list[list[list[Burst]]]:
    """Split a sequence of groups at long pauses.

    Parameters
    ----------
    groups : list of list of Burst
        In order of onset.
    gap_ns : int
        Longest pause within a sequence, from offset to onset.

    Returns
    -------
    list of list of list of Burst
        Sequences of groups. A long burst ends its sequence.
    """
    rows: list[list[list[Burst]]] = []
    latest_ns: float = -inf  # onset at which a group may still join the last sequence
    for group in groups:
        onset, offset = group[0].onset_ns, offset_of(group)
        if onset <= latest_ns:
            rows[-1].append(group)
        else:
            rows.append([group])
        latest_ns = offset + gap_ns if offset - onset < LONG_NS else -inf
    return rows


def merge_group(groups: list[list[Burst]]) -> Burst:
    """Merge bursts into one: features of the burst with the greatest SNR, rise time of the first.

    Parameters
    ----------
    groups : list of list of Burst
        In order of onset.

    Returns
    -------
    Burst
    """
    best = max((b for group in groups for b in group), key=lambda b: (b.snr_db, b.channel))
    first = max(groups[0], key=lambda b: (b.snr_db, b.channel))
    return replace(
        best,
        onset_ns=min(b.onset_ns for b in groups[0]),
        offset_ns=max(offset_of(group) for group in groups),
        active_s=sum(max(b.active_s for b in group) for group in groups),
        rise_ms=first.rise_ms,
    )


def _near(first: list[Burst], second: list[Burst]) -> bool:
    return 0 <= second[0].onset_ns - first[0].onset_ns <= DOUBLET_NS


def _are_one(first: list[Burst], second: list[Burst]) -> bool:
    a, b = (max(g, key=lambda u: (u.snr_db, u.channel)) for g in (first, second))
    ratio = a.amplitude_uv / max(b.amplitude_uv, 1e-9)
    length = (max(offset_of(first), offset_of(second)) - first[0].onset_ns) / 1e9
    return 1 / DOUBLET_AMPLITUDE_RATIO < ratio < DOUBLET_AMPLITUDE_RATIO and length <= DOUBLET_S


def find_contractions(
    groups: list[list[Burst]], runs: Sequence[LegMovementRun], rule: MovementSettings
) -> tuple[list[Contraction], list[list[Burst]]]:
    """Find the contractions: leg-movement runs that bursts fill.

    A run is a contraction if its bursts span the minimum duration and fill at least half
    of that span.

    Parameters
    ----------
    groups : list of list of Burst
        In order of onset.
    runs : sequence of LegMovementRun
    rule : MovementSettings

    Returns
    -------
    contractions : list of Contraction
    others : list of list of Burst
        The groups that belong to no contraction.
    """
    found: list[Contraction] = []
    left = [(g[0].onset_ns, offset_of(g), g) for g in groups]
    for run in _union(runs):
        inside = [
            g for onset, offset, g in left if offset >= run.onset_ns and onset <= run.offset_ns
        ]
        if not inside:
            continue
        onset, offset = inside[0][0].onset_ns, max(offset_of(g) for g in inside)
        if offset - onset >= rule.min_s * 1e9 and _active_ns(inside) >= MIN_FILLED * (
            offset - onset
        ):
            chosen, alone = [inside], False
        else:  # twitches or heart beats in sequence, with a contraction among them
            longer = [(long[0].onset_ns, offset_of(long)) for long in drop_nested(inside)]
            chosen = [
                [g for g in inside if g[0].onset_ns >= onset and offset_of(g) <= offset]
                for onset, offset in longer
                if offset - onset >= rule.min_s * 1e9
            ]
            alone = True
        for members in chosen:
            found.append(_contraction(members, run, alone=alone))
            chosen_ids = set(map(id, members))
            left = [group for group in left if id(group[2]) not in chosen_ids]
    return found, [g for _, _, g in left]


def groups_outside(
    groups: Sequence[list[Burst]], events: Sequence[ScoredCandidate]
) -> list[list[Burst]]:
    """Return the groups that do not lie inside one of some events.

    Parameters
    ----------
    groups : sequence of list of Burst
    events : sequence of ScoredCandidate

    Returns
    -------
    list of list of Burst
    """
    return [
        g
        for g in groups
        if not any(e.onset_ns <= g[0].onset_ns and offset_of(g) <= e.offset_ns for e in events)
    ]


def _contraction(groups: list[list[Burst]], run: LegMovementRun, *, alone: bool) -> Contraction:
    members = [b for g in drop_nested(groups) for b in g]
    best = max(members, key=lambda b: (b.snr_db, b.onset_ns, b.channel))
    # the median of a run of which the contraction is only a part does not describe it
    peak_uv = best.floor_uv * (10 ** (best.snr_db / 20) - 1)
    return Contraction(
        groups[0][0].onset_ns,
        max(offset_of(g) for g in groups),
        best,
        max(members, key=lambda b: (b.duration_s, b.onset_ns, b.channel)),
        max(run.median_uv, MEDIAN_OF_PEAK * peak_uv if alone else 0.0),
        max(b.amplitude_uv for b in members),
        groups,
    )


def _union(runs: Sequence[LegMovementRun]) -> list[LegMovementRun]:
    """Merge the overlapping runs of several channels."""
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


def _active_ns(groups: list[list[Burst]]) -> int:
    total, end = 0, 0
    for group in groups:
        start = max(end, group[0].onset_ns)
        end = max(end, offset_of(group))
        total += max(0, end - start)
    return total


def offset_of(group: Sequence[Burst]) -> int:
    """Return the end of a group.

    Parameters
    ----------
    group : sequence of Burst

    Returns
    -------
    int
        In ns.
    """
    if len(group) == 1:  # most groups
        return group[0].offset_ns
    return max(b.offset_ns for b in group)


def _joins(group: Sequence[Burst], burst: Burst) -> bool:
    """Whether a burst joins a group.

    Two bursts of one channel are one activity only if another channel spans both.
    """
    return burst.channel != group[-1].channel or burst.onset_ns <= offset_of(group)
