"""Recurrence features: how often a burst's waveform returns within ten minutes.

A motor unit twitches repeatedly, with the same waveform; a moving electrode hardly ever
produces the same waveform twice, and where there is one electrode artefact, there are more. The
features compare each burst with all bursts of its channel, given the first-stage probability of
each that it is muscle activity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.features.local import EXCLUDED_S
from twitchsense.model.candidates import ScoredCandidate
from twitchsense.model.channels import NS

Floats = NDArray[np.float64]

#: Bursts up to this far to either side are compared, s.
REACH_S: Final = 600.0
#: Bursts up to this far to either side make up the share of muscle activity, s.
MINUTE_S: Final = 60.0
#: Minimum correlation of similar waveforms.
SIMILAR: Final = 0.7
#: Minimum correlation of near-identical waveforms.
NEAR_IDENTICAL: Final = 0.9
#: Maximum ratio of the amplitudes of similar and of near-identical waveforms.
MAX_AMPLITUDE_RATIO: Final = 1.7
#: Maximum number of bursts compared on either side, so that the work grows with the length of
#: the night only.
MAX_COMPARED: Final = 1000
#: Pairs compared at once, so that memory stays small.
PAIRS_PER_BLOCK: Final = 1_000_000
#: Columns of `similarity_features`.
SIMILARITY_FEATURES: Final = (
    "log_n_similar", "similar_probability", "log_n_identical", "identical_probability",
    "minute_muscle_share", "log_n_minute_other",
)  # fmt: skip
#: Columns of `recurrence_features`. Amplitude is left out: the training data hold no twitch
#: above 300 µV, and size alone does not make a larger one an artefact.
RECURRENCE_FEATURES: Final = ("first_stage_log_odds", *SIMILARITY_FEATURES)
#: Upper bound of the first-stage probability, so that its log-odds stay finite.
MAX_PROBABILITY: Final = 1 - 1e-4
#: Below this first-stage probability the second stage is not applied: on held-out seeds a third
#: of the candidates it would rescue were artefacts (elsewhere 1 %).
MIN_FIRST_STAGE: Final = 0.05


@dataclass(frozen=True, slots=True)
class ChannelBursts:
    """The bursts of one channel, in order of time.

    Attributes
    ----------
    peaks_s : ndarray, shape (n,)
        Time of the greatest deflection, s.
    amplitudes_uv : ndarray, shape (n,)
        Peak to peak, µV.
    waveforms : ndarray of float32, shape (n, points)
        Centred on that deflection.
    probability : ndarray, shape (n,)
        First-stage probability that each is muscle activity.
    """

    peaks_s: Floats
    amplitudes_uv: Floats
    waveforms: NDArray[np.float32]
    probability: Floats


def recurrence_features(
    candidates: Sequence[ScoredCandidate], probability: Floats
) -> tuple[NDArray[np.intp], Floats]:
    """Describe how often the waveform of each twitch returns.

    Longer bursts are compared, but not described: they are the activity of many units, and no two
    of them have the same waveform.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
        Short bursts, each with its waveform.
    probability : ndarray, shape (n,)
        First-stage probability of each.

    Returns
    -------
    rows : ndarray of int, shape (m,)
        The twitches that reach `MIN_FIRST_STAGE`.
    table : ndarray, shape (m, 7)
        `RECURRENCE_FEATURES` of these.
    """
    twitch = np.array([c.kind == "twitch" for c in candidates], bool)
    described = twitch & (probability >= MIN_FIRST_STAGE)
    similarity = np.zeros((len(candidates), len(SIMILARITY_FEATURES)))
    channels: dict[str, list[int]] = {}
    for i in np.argsort([c.peak_ns for c in candidates], kind="stable").tolist():
        channels.setdefault(candidates[i].channel, []).append(i)
    for rows in channels.values():
        bursts = channel_bursts(candidates, rows, probability[rows])
        selected = np.flatnonzero(described[rows])
        similarity[np.array(rows)[selected]] = similarity_features(bursts, selected)
    p = np.minimum(probability[described], MAX_PROBABILITY)
    table = np.column_stack([np.log(p / (1 - p)), similarity[described]])
    return np.flatnonzero(described), table


def channel_bursts(
    candidates: Sequence[ScoredCandidate], rows: Sequence[int], probability: Floats
) -> ChannelBursts:
    """Collect some candidates of one channel.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
    rows : sequence of int
        In order of time.
    probability : ndarray, shape (len(rows),)

    Returns
    -------
    ChannelBursts
    """
    chosen = [candidates[i] for i in rows]
    return ChannelBursts(
        np.array([c.peak_ns for c in chosen]) / NS,
        np.array([c.amplitude_uv for c in chosen]),
        np.stack([_waveform(c) for c in chosen]),
        probability,
    )


def similarity_features(bursts: ChannelBursts, selected: NDArray[np.intp]) -> Floats:
    """Describe how often the waveforms of some bursts return.

    Parameters
    ----------
    bursts : ChannelBursts
    selected : ndarray of int, shape (m,)
        The bursts to describe, ascending.

    Returns
    -------
    ndarray, shape (m, 6)
        `SIMILARITY_FEATURES`: log of one plus the number of similar bursts within 10 minutes,
        and their mean probability (0 without any); the same of near-identical bursts; the
        expected share of muscle activity among the bursts within a minute, and the log of one
        plus the expected number of others there.
    """
    count, total = count_similar(bursts, selected)
    found = np.empty((len(selected), len(SIMILARITY_FEATURES)))
    found[:, :4:2], found[:, 1:4:2] = np.log1p(count), total / (count + 1)
    found[:, 4:] = _minute_features(bursts, selected)
    return found


def count_similar(bursts: ChannelBursts, selected: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Count the similar and the near-identical bursts of some bursts.

    Parameters
    ----------
    bursts : ChannelBursts
    selected : ndarray of int, shape (m,)
        Ascending.

    Returns
    -------
    count, total : ndarray, shape (m, 2)
        Number of similar and of near-identical bursts, and the sums of their probabilities.
    """
    peaks, amplitudes = bursts.peaks_s, bursts.amplitudes_uv
    norms = np.maximum(np.linalg.norm(bursts.waveforms, axis=1, keepdims=True), 1e-9)
    waveforms = bursts.waveforms / norms
    first = np.maximum(np.searchsorted(peaks, peaks[selected] - REACH_S), selected - MAX_COMPARED)
    last = np.searchsorted(peaks, peaks[selected] + REACH_S, "right")
    last = np.minimum(last, selected + MAX_COMPARED + 1)
    count, total = np.zeros((len(selected), 2)), np.zeros((len(selected), 2))
    at = 0
    while at < len(selected):
        width = int(last[at] - first[at])  # a block compares up to twice as many columns
        stop = int(np.searchsorted(last, first[at] + 2 * width, "right"))
        block = slice(at, max(at + 1, min(stop, at + PAIRS_PER_BLOCK // (2 * width))))
        rows, near = selected[block], slice(int(first[at]), int(last[block][-1]))
        place = np.arange(near.start, near.stop)
        others = (place >= first[block, None]) & (place < last[block, None])
        others &= np.abs(peaks[rows, None] - peaks[None, near]) > EXCLUDED_S
        ratio = amplitudes[rows, None] / amplitudes[None, near]
        others &= (ratio < MAX_AMPLITUDE_RATIO) & (ratio > 1 / MAX_AMPLITUDE_RATIO)
        correlation = waveforms[rows] @ waveforms[near].T
        for k, minimum in enumerate((SIMILAR, NEAR_IDENTICAL)):
            similar = others & (correlation > minimum)
            count[block, k] = similar.sum(axis=1)
            total[block, k] = similar @ bursts.probability[near]
        at = block.stop
    return count, total


def _minute_features(bursts: ChannelBursts, selected: NDArray[np.intp]) -> Floats:
    peaks = bursts.peaks_s
    first = np.searchsorted(peaks, peaks[selected] - MINUTE_S)
    last = np.searchsorted(peaks, peaks[selected] + MINUTE_S, "right")
    total = np.concatenate([[0.0], np.cumsum(bursts.probability)])
    count = last - first - 1
    muscle = np.clip(total[last] - total[first] - bursts.probability[selected], 0.0, count)
    return np.stack([muscle / (count + 1), np.log1p(count - muscle)], axis=1)


def _waveform(c: ScoredCandidate) -> NDArray[np.float32]:
    if c.waveform is None:
        raise ValueError("a burst has a waveform")
    return c.waveform
