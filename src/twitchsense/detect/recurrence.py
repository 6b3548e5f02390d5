"""Is it seen again tonight? What else a channel holds speaks for or against a burst.

A motor unit that twitches does so again, with the same waveform; a contact that moves
hardly ever looks the same twice. And where one bad contact is, more are. So each burst
is looked at a second time, among all those of its channel and with what the first look
thought of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.boosted_trees import learned
from twitchsense.model.candidates import ScoredCandidate, by_channel
from twitchsense.model.channels import NS

Floats = NDArray[np.float64]

#: How far to either side kin is looked for, and the rest of the company.
KIN_S, MINUTE_S = 600.0, 60.0
#: Nothing this near is kin: the burst itself seen twice, its doublet.
OWN_S = 0.12
#: Kin is that much like it, twins more so; both are of a size within this ratio.
KIN, TWIN, SIZES = 0.7, 0.9, 1.7
#: No more of them on either side are looked at, so that work grows with the night's length
#: however much is in it.
MOST = 1000
#: Pairs compared at once, so that memory stays small.
AT_ONCE = 1_000_000
#: What `describe_kin` tells.
KIN_FEATURES = ("kin", "kin_sure", "twins", "twins_sure", "minute_sure", "minute_bad")
#: What the second look asks about: what the first one found, and its kin. Not its size: what
#: is learned from holds no twitch above 300 µV, and a larger one is no click for that.
AGAIN_FEATURES = ("odds", *KIN_FEATURES)
#: No first look is surer than this.
SUREST = 1 - 1e-4
#: A jerk is a knock beside a unit that twitches if three times as many of its twins left the leg
#: still as did not, itself included, and if it was no surer than this: of 9 knocks beside a
#: twitch that were called jerks 5 had so many, of 1341 jerks 3 (tuning side, seeds 1 to 4).
#: That is odds of 250 to 1.
SURE_JERK = 0.996
STILL = 3
#: Where it was less likely muscle than this, the first look stands: of those that the second
#: would keep after all, on seeds that were left out, a third were none (elsewhere 1 %).
HOPELESS = 0.05


def look_again(findings: Sequence[ScoredCandidate], sure: Floats) -> Floats:
    """Return the probability that each burst is muscle, given its kin, shape (n,).

    Parameters
    ----------
    findings : sequence of Finding
        Short bursts, each with its waveform.
    sure : ndarray, shape (n,)
        The same at first look.
    """
    model = learned("again")
    hopeful, table = describe_again(findings, sure)
    judged = sure.copy()
    judged[hopeful] = model.probability(model.parts(table))
    return judged


def knocked_twitches(findings: Sequence[ScoredCandidate], reasons: Sequence[str]) -> list[int]:
    """Return which findings are jerks whose burst else leaves the leg still.

    A unit that twitches does so with one waveform, and leaves the leg still; what throws the
    leg is many units, and no two jerks' bursts look the same. Where they do, the leg answers
    more than once.

    Parameters
    ----------
    findings : sequence of Finding
    reasons : sequence of str
        Twitches turned down for others are no twins.
    """
    found: list[int] = []
    for rows in by_channel(findings, ("twitch", "jerk"), reasons).values():
        rows.sort(key=lambda i: findings[i].peak_ns)
        thrown = np.array([findings[i].kind == "jerk" for i in rows], bool)
        asked = np.flatnonzero(thrown)
        if not len(asked):
            continue
        seen, moved = _count_kin(_bursts(findings, rows, thrown.astype(np.float64)), asked)
        still, moved = (seen - moved)[:, 1], moved[:, 1] + 1  # itself
        found += [rows[k] for k in asked[still >= STILL * moved].tolist()]
    return sorted(i for i in found if findings[i].confidence < SURE_JERK)


def describe_again(
    findings: Sequence[ScoredCandidate], sure: Floats
) -> tuple[NDArray[np.intp], Floats]:
    """Return which bursts are looked at again, and `AGAIN_FEATURES` of each of those.

    Longer ones are company only: they are many units' doing, of which none looks like another.
    """
    short = np.array([f.kind == "twitch" for f in findings], bool)
    hopeful = short & (sure >= HOPELESS)
    kin = np.zeros((len(findings), len(KIN_FEATURES)))
    channels: dict[str, list[int]] = {}
    for i in np.argsort([f.peak_ns for f in findings], kind="stable").tolist():
        channels.setdefault(findings[i].channel, []).append(i)
    for rows in channels.values():
        bursts = _bursts(findings, rows, sure[rows])
        asked = np.flatnonzero(hopeful[rows])
        kin[np.array(rows)[asked]] = describe_kin(bursts, asked)
    p = np.minimum(sure[hopeful], SUREST)
    return np.flatnonzero(hopeful), np.column_stack([np.log(p / (1 - p)), kin[hopeful]])


def _bursts(findings: Sequence[ScoredCandidate], rows: Sequence[int], sure: Floats) -> Bursts:
    """Return some findings as the bursts of a channel."""
    chosen = [findings[i] for i in rows]
    return Bursts(
        np.array([f.peak_ns for f in chosen]) / NS,
        np.array([f.amplitude_uv for f in chosen]),
        np.stack([_shape(f) for f in chosen]),
        sure,
    )


def _shape(f: ScoredCandidate) -> NDArray[np.float32]:
    if f.waveform is None:
        raise ValueError("a burst has a waveform")
    return f.waveform


@dataclass(frozen=True, slots=True)
class Bursts:
    """The bursts of one channel, in order of time.

    Attributes
    ----------
    peaks_s : ndarray, shape (n,)
        Time of the largest deflection.
    sizes_uv : ndarray, shape (n,)
        Peak to peak.
    shapes : ndarray of float32, shape (n, points)
        Waveforms, centred on that deflection.
    sure : ndarray, shape (n,)
        Probability that each is muscle, at first look.
    """

    peaks_s: Floats
    sizes_uv: Floats
    shapes: NDArray[np.float32]
    sure: Floats


def describe_kin(bursts: Bursts, asked: NDArray[np.intp]) -> Floats:
    """Return `KIN_FEATURES` of some of the bursts, shape (len(asked), 6).

    Log of one plus the number of its kin within 10 minutes, and how likely these are
    muscle (0 without any); the same of its twins; the share of the bursts within a minute
    that are muscle, and the log of one plus the number of those that are not.

    Parameters
    ----------
    bursts : Bursts
    asked : ndarray of int
        Which are asked about, rising.
    """
    seen, sure = _count_kin(bursts, asked)
    found = np.empty((len(asked), len(KIN_FEATURES)))
    found[:, :4:2], found[:, 1:4:2] = np.log1p(seen), sure / (seen + 1)
    found[:, 4:] = _minute(bursts, asked)
    return found


def _count_kin(bursts: Bursts, asked: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return how many kin and twins each has, and how likely these are muscle, added up.

    Both of shape (len(asked), 2).
    """
    peaks, sizes = bursts.peaks_s, bursts.sizes_uv
    lengths = np.maximum(np.linalg.norm(bursts.shapes, axis=1, keepdims=True), 1e-9)
    shapes = bursts.shapes / lengths
    first = np.maximum(np.searchsorted(peaks, peaks[asked] - KIN_S), asked - MOST)
    last = np.searchsorted(peaks, peaks[asked] + KIN_S, "right")
    last = np.minimum(last, asked + MOST + 1)
    counts, sure = np.zeros((len(asked), 2)), np.zeros((len(asked), 2))
    at = 0
    while at < len(asked):
        width = int(last[at] - first[at])  # as many more are compared, to ask about several
        stop = int(np.searchsorted(last, first[at] + 2 * width, "right"))
        block = slice(at, max(at + 1, min(stop, at + AT_ONCE // (2 * width))))
        rows, near = asked[block], slice(int(first[at]), int(last[block][-1]))
        place = np.arange(near.start, near.stop)
        others = (place >= first[block, None]) & (place < last[block, None])
        others &= np.abs(peaks[rows, None] - peaks[None, near]) > OWN_S
        ratio = sizes[rows, None] / sizes[None, near]
        others &= (ratio < SIZES) & (ratio > 1 / SIZES)
        like = shapes[rows] @ shapes[near].T
        for k, least in enumerate((KIN, TWIN)):
            seen = others & (like > least)
            counts[block, k], sure[block, k] = seen.sum(axis=1), seen @ bursts.sure[near]
        at = block.stop
    return counts, sure


def _minute(bursts: Bursts, asked: NDArray[np.intp]) -> Floats:
    peaks = bursts.peaks_s
    first = np.searchsorted(peaks, peaks[asked] - MINUTE_S)
    last = np.searchsorted(peaks, peaks[asked] + MINUTE_S, "right")
    total = np.concatenate([[0.0], np.cumsum(bursts.sure)])
    count = last - first - 1
    sure = np.clip(total[last] - total[first] - bursts.sure[asked], 0.0, count)
    return np.stack([sure / (count + 1), np.log1p(count - sure)], axis=1)
