"""Heart beats among the candidates.

The ECG canceller subtracts heart beats once it has found their rhythm (`dsp.ecg_canceller`). The
beats before that remain, as do the residue of the subtracted beats and beats that are too small for
the canceller.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.candidates.burst_measures import WAVEFORM_S
from twitchsense.dsp.buffers import fast_median
from twitchsense.dsp.ecg_canceller import fast_share
from twitchsense.dsp.ecg_rhythm import RR_RANGE_S, RR_TOLERANCE, median_rr_interval
from twitchsense.model.candidates import SHORT_KINDS, ScoredCandidate, by_channel
from twitchsense.model.channels import NS

Floats = NDArray[np.float64]

#: Reasons of rejected candidates that may be heart beats.
POSSIBLE_REASONS: Final = ("", "too_small", "too_short", "electrode_pop")
#: Minimum correlation of undetected beats.
MIN_CORRELATION: Final = 0.75
#: Maximum ratio of the amplitudes of undetected beats.
MAX_AMPLITUDE_RATIO: Final = 2.0
#: Time to either side over which undetected beats are regular, s.
RHYTHM_S: Final = 12.0
#: Minimum number of undetected beats in that time (docs/definitions.md, ECG and artefacts).
MIN_BEATS: Final = 8
#: Maximum median interval between undetected beats, s.
MAX_RR_S: Final = 1.6
#: Maximum share of the power above a frequency (Hz) in what undetected beats have in common, in the
#: burst band: those of five composers have 0.04 to 0.14, units that fire at the rate of a heart 0.4
#: to 0.98.
MAX_SHARE_ABOVE: Final = 0.3
ABOVE_HZ: Final = 60.0
#: Median deviation of the intervals between the pulses of a machine, as a share of the median
#: interval; the intervals of a motor unit vary by 5 % and more [E].
MACHINE_SPREAD: Final = 0.005
#: Maximum excess of the duration of a beat over the median of the similar beats, s.
MAX_EXTRA_DURATION_S: Final = 0.06
#: Maximum amplitude of the residue of a removed beat, as a multiple of the usual residue; the
#: classifier decides on larger candidates [E].
MAX_RESIDUE_RATIO: Final = 1.0
#: Maximum distance between a candidate and the removed beat that it belongs to.
BEAT_REACH_NS: Final = 50_000_000
#: Maximum amplitude of a masked beat, relative to the beats around it.
MAX_MASKED_RATIO: Final = 1.3
#: Maximum number of consecutive masked beats.
MAX_MASKED: Final = 6
#: Maximum time between a candidate and a beat that are the same beat, s.
SAME_BEAT_S: Final = 0.04
#: Number of waveforms to either side that a waveform is compared with.
NEIGHBOURS: Final = 48
#: Maximum shift (samples of 1 ms) between two waveforms: another peak may be the largest one.
MAX_SHIFT: Final = 6
#: Rows compared at once, so that memory stays small.
ROWS_PER_BLOCK: Final = 2000


class EcgBeats:
    """The removed heart beats of a channel in order of time, stored compactly for long recordings.

    Attributes
    ----------
    times_ns : array of int64
    residual_uv : array of float64
        Usual residue after removal, µV peak to peak.
    """

    def __init__(self) -> None:
        self.times_ns, self.residual_uv = array("q"), array("d")

    def add(self, times_ns: NDArray[np.int64], residual_uv: Floats) -> None:
        """Add beats.

        Parameters
        ----------
        times_ns : ndarray of int64, shape (n,)
        residual_uv : ndarray, shape (n,)
            Usual residue, µV.
        """
        self.times_ns.frombytes(times_ns.tobytes())
        self.residual_uv.frombytes(residual_uv.tobytes())


def find_ecg(candidates: Sequence[ScoredCandidate], removed: Mapping[str, EcgBeats]) -> set[int]:
    """Find the candidates that are heart beats.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
        In order of onset.
    removed : mapping of channel to EcgBeats
        The beats that the canceller removed.

    Returns
    -------
    set of int
        Indices into `candidates`.
    """
    ratio = ratio_to_residual(candidates, removed)
    residue = {
        i
        for i in np.flatnonzero(ratio < MAX_RESIDUE_RATIO).tolist()
        if candidates[i].kind in SHORT_KINDS and candidates[i].reason in POSSIBLE_REASONS
    }
    undetected = _find_undetected(candidates, residue)
    return residue | undetected | _find_masked(candidates, undetected)


def ratio_to_residual(
    candidates: Sequence[ScoredCandidate], removed: Mapping[str, EcgBeats]
) -> NDArray[np.float64]:
    """Return the amplitude of each candidate over the usual residue of the beat it touches.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
    removed : mapping of channel to EcgBeats

    Returns
    -------
    ndarray, shape (len(candidates),)
        NaN where a candidate touches no removed beat.
    """
    ratio = np.full(len(candidates), np.nan)
    rows: dict[str, list[int]] = {name: [] for name in removed}
    for i, c in enumerate(candidates):
        if c.has_emg and c.channel in rows:
            rows[c.channel].append(i)
    for name, beats in removed.items():
        at = np.array(beats.times_ns, np.int64)
        ends = np.array([(candidates[i].onset_ns, candidates[i].offset_ns) for i in rows[name]])
        reach = ends.reshape(-1, 2) + np.array([-BEAT_REACH_NS, BEAT_REACH_NS])
        for i, (first, last) in zip(rows[name], np.searchsorted(at, reach).tolist(), strict=True):
            if first < last:
                residual = max(beats.residual_uv[first:last])
                ratio[i] = candidates[i].amplitude_uv / max(residual, 1e-6)
    return ratio


def _find_undetected(candidates: Sequence[ScoredCandidate], known: set[int]) -> set[int]:
    """Find the beats that the canceller missed: similar waveforms at a cardiac rhythm."""
    found: set[int] = set()
    for channel in by_channel(candidates, (*SHORT_KINDS, "jerk"), POSSIBLE_REASONS).values():
        members = [i for i in channel if i not in known]
        if len(members) < MIN_BEATS:
            continue
        similarity = _similarity(candidates, members)
        for k, i in enumerate(members):
            similar = similarity.similar_to(
                k, RHYTHM_S, min_correlation=MIN_CORRELATION, max_ratio=MAX_AMPLITUDE_RATIO
            )
            regular = median_rr_interval(
                similarity.onsets_s[similar], min_beats=MIN_BEATS, max_interval_s=MAX_RR_S
            )
            if regular and (
                _is_slow(similarity.waveforms[similar])
                or _is_machine(similarity.onsets_s[similar], regular)
            ):
                median_s = fast_median(similarity.durations_s[similar])
                if similarity.durations_s[k] < median_s + MAX_EXTRA_DURATION_S:
                    found.add(i)
    return found


def _is_machine(onsets_s: Floats, interval_s: float) -> bool:
    """Whether pulses come at intervals that are more equal than those of any motor unit."""
    intervals = np.diff(onsets_s) / np.maximum(np.rint(np.diff(onsets_s) / interval_s), 1)
    return float(np.median(np.abs(intervals - interval_s))) < MACHINE_SPREAD * interval_s


def _is_slow(beats: Floats) -> bool:
    """Whether what waveforms have in common is as slow as a heart beat."""
    return fast_share(beats, beats.shape[1] / WAVEFORM_S, ABOVE_HZ) <= MAX_SHARE_ABOVE


def _find_masked(candidates: Sequence[ScoredCandidate], undetected: set[int]) -> set[int]:
    """Find beats among undetected ones that another channel, or another waveform, masked."""
    found: set[int] = set()
    beats = [c for i, c in enumerate(candidates) if i in undetected]
    known = [c.onset_ns / NS for c in beats]
    if len(known) < MIN_BEATS:
        return found
    amplitudes = [c.amplitude_uv for c in beats]
    for i, c in enumerate(candidates):
        if i in undetected or c.kind not in SHORT_KINDS or not c.has_emg:
            continue
        if c.reason not in POSSIBLE_REASONS:
            continue
        at = c.onset_ns / NS
        k = bisect_left(known, at)
        near = slice(max(0, k - MIN_BEATS // 2), k + MIN_BEATS // 2)
        if c.amplitude_uv > MAX_MASKED_RATIO * median(amplitudes[near]):
            continue
        around = known[near]
        intervals = [b - a for a, b in pairwise(around) if b - a > RR_RANGE_S[0]]
        if not 0 < k < len(known) or len(intervals) < 3:
            continue
        rr = median(intervals)
        gap = known[k] - known[k - 1]
        n_intervals = round(gap / rr)
        if not (2 <= n_intervals <= MAX_MASKED and around[-1] - around[0] < 2 * RHYTHM_S):
            # the second channel of a known beat
            if min(at - known[k - 1], known[k] - at) < SAME_BEAT_S:
                found.add(i)
            continue
        place = (at - known[k - 1]) / (gap / n_intervals)
        if abs(place - round(place)) * gap / n_intervals < RR_TOLERANCE * rr:
            found.add(i)
    return found


def _similarity(candidates: Sequence[ScoredCandidate], members: list[int]) -> WaveformSimilarity:
    chosen = [candidates[i] for i in members]
    return WaveformSimilarity(
        np.stack([c.waveform for c in chosen if c.waveform is not None]).astype(np.float64),
        np.array([c.onset_ns for c in chosen]) / NS,
        np.maximum([c.amplitude_uv for c in chosen], 1e-6),
        np.array([c.offset_ns - c.onset_ns for c in chosen]) / NS,
    )


class WaveformSimilarity:
    """Correlation of each waveform of a channel with its neighbours in time.

    Parameters
    ----------
    waveforms : ndarray, shape (n, points)
        Unit energy, centred on the largest peak, in order of time.
    onsets_s : ndarray, shape (n,)
    amplitudes_uv : ndarray, shape (n,)
        Peak to peak.
    durations_s : ndarray, shape (n,)
    """

    def __init__(
        self, waveforms: Floats, onsets_s: Floats, amplitudes_uv: Floats, durations_s: Floats
    ) -> None:
        self.waveforms = waveforms
        self.onsets_s, self.amplitudes_uv = onsets_s, amplitudes_uv
        self.durations_s = durations_s
        n = len(onsets_s)
        reach = min(NEIGHBOURS, max(0, n - 1))
        self._reach = reach
        # column ``reach + k`` compares row i with row i + k
        self._correlation = np.zeros((n, 2 * reach + 1), np.float32)
        for first in range(0, n, ROWS_PER_BLOCK):
            self._compare(waveforms, first, min(first + ROWS_PER_BLOCK, n))

    def _compare(self, waveforms: Floats, first: int, last: int) -> None:
        """Fill in the correlations of some rows with the rows after them, both ways."""
        (n, points), reach = waveforms.shape, self._reach
        wide = np.pad(waveforms[first : last + reach], ((0, 0), (MAX_SHIFT, MAX_SHIFT)))
        for k in range(1, reach + 1):
            own = waveforms[first : min(last, n - k)]
            best = np.full(len(own), -1.0)
            for shift in range(2 * MAX_SHIFT + 1):
                shifted = wide[k : k + len(own), shift : shift + points]
                np.maximum(best, np.einsum("ij,ij->i", own, shifted), out=best)
            stop = first + len(own)
            self._correlation[first:stop, reach + k] = best
            self._correlation[first + k : stop + k, reach - k] = best

    def similar_to(
        self, i: int, within_s: float, *, min_correlation: float, max_ratio: float
    ) -> NDArray[np.int64]:
        """Return the waveforms similar to a waveform, itself included, in order of time.

        Parameters
        ----------
        i : int
        within_s : float
            Maximum interval between the onsets, s.
        min_correlation : float
        max_ratio : float
            Maximum ratio of the amplitudes, either way.

        Returns
        -------
        ndarray of int64
            Row indices.
        """
        first, last = max(0, i - self._reach), min(len(self.onsets_s), i + self._reach + 1)
        shift = self._reach - i
        similar = self._correlation[i, first + shift : last + shift] > min_correlation
        ratio = self.amplitudes_uv[first:last] / self.amplitudes_uv[i]
        similar &= (ratio < max_ratio) & (ratio > 1 / max_ratio)
        similar &= np.abs(self.onsets_s[first:last] - self.onsets_s[i]) <= within_s
        similar[i - first] = True
        return np.asarray(similar.nonzero()[0] + first, np.int64)
