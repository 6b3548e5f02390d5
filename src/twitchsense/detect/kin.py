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

from twitchsense.detect.finding import Finding
from twitchsense.detect.trees import learned
from twitchsense.recording import NS

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
SUREST = 1e-4
#: Where it was less likely muscle than this, the first look stands: of those that the second
#: would keep after all, on seeds that were left out, a third were none (elsewhere 1 %).
HOPELESS = 0.05


def look_again(findings: Sequence[Finding], sure: Floats) -> Floats:
    """Return the probability that each burst is muscle, given its kin, shape (n,).

    Parameters
    ----------
    findings : sequence of Finding
        Short bursts, each with its waveform.
    sure : ndarray, shape (n,)
        The same at first look.
    """
    model = learned("again")
    again = model.probability(model.parts(describe_again(findings, sure)))
    return np.where(sure < HOPELESS, sure, again)


def describe_again(findings: Sequence[Finding], sure: Floats) -> Floats:
    """Return `AGAIN_FEATURES` of each burst, shape (n, 7)."""
    p = np.clip(sure, SUREST, 1 - SUREST)
    sizes = np.array([f.amplitude_uv for f in findings])
    peaks = np.array([f.peak_ns for f in findings]) / NS
    kin = np.zeros((len(findings), len(KIN_FEATURES)))
    by_channel: dict[str, list[int]] = {}
    for i in np.argsort(peaks, kind="stable").tolist():
        by_channel.setdefault(findings[i].channel, []).append(i)
    for rows in by_channel.values():
        shapes = np.stack([_shape(findings[i]) for i in rows])
        kin[rows] = describe_kin(Bursts(peaks[rows], sizes[rows], shapes, sure[rows]))
    return np.column_stack([np.log(p / (1 - p)), kin])


def _shape(f: Finding) -> NDArray[np.float32]:
    if f.shape is None:
        raise ValueError("a burst has a waveform")
    return f.shape


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


def describe_kin(bursts: Bursts) -> Floats:
    """Return `KIN_FEATURES` of each burst, shape (n, 6).

    Log of one plus the number of its kin within 10 minutes, and how likely these are
    muscle (0 without any); the same of its twins; the share of the bursts within a minute
    that are muscle, and the log of one plus the number of those that are not.
    """
    n = len(bursts.peaks_s)
    found = np.zeros((n, len(KIN_FEATURES)))
    lengths = np.maximum(np.linalg.norm(bursts.shapes, axis=1, keepdims=True), 1e-9)
    shapes = bursts.shapes / lengths
    own = np.arange(n)
    first = np.maximum(np.searchsorted(bursts.peaks_s, bursts.peaks_s - KIN_S), own - MOST)
    last = np.searchsorted(bursts.peaks_s, bursts.peaks_s + KIN_S, "right")
    last = np.minimum(last, own + MOST + 1)
    at = 0
    while at < n:
        rows = slice(at, min(n, at + max(1, AT_ONCE // int(last[at] - first[at]))))
        near = slice(int(first[rows.start]), int(last[rows.stop - 1]))
        apart = np.abs(bursts.peaks_s[rows, None] - bursts.peaks_s[None, near])
        ratio = bursts.sizes_uv[rows, None] / bursts.sizes_uv[None, near]
        others = (own[near] >= first[rows, None]) & (own[near] < last[rows, None])
        others &= (apart > OWN_S) & (ratio < SIZES) & (ratio > 1 / SIZES)
        like = shapes[rows] @ shapes[near].T
        for k, least in enumerate((KIN, TWIN)):
            seen = others & (like > least)
            count, sure = seen.sum(axis=1), seen @ bursts.sure[near]
            found[rows, 2 * k], found[rows, 2 * k + 1] = np.log1p(count), sure / (count + 1)
        at = rows.stop
    found[:, 4:] = _minute(bursts)
    return found


def _minute(bursts: Bursts) -> Floats:
    first = np.searchsorted(bursts.peaks_s, bursts.peaks_s - MINUTE_S)
    last = np.searchsorted(bursts.peaks_s, bursts.peaks_s + MINUTE_S, "right")
    total = np.concatenate([[0.0], np.cumsum(bursts.sure)])
    count = last - first - 1
    sure = np.clip(total[last] - total[first] - bursts.sure, 0.0, count)
    return np.stack([sure / (count + 1), np.log1p(count - sure)], axis=1)
