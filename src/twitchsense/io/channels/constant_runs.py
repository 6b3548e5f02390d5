"""Runs of exactly equal samples that no sensor gives: time without a signal.

Programs fill lost packets with zeros or repeat the last value, and devices in standby do the
same. The noise of a sensor changes nearly every sample; how often it does not, because the
converter is coarse, is measured on the recording itself, and a run counts only if chance
cannot have given it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.channels.axis_dropouts import AxisDropouts, are_filled
from twitchsense.io.channels.short_zeros import ShortZeros
from twitchsense.model.channels import NS, Kind, Samples
from twitchsense.model.intervals import merge_intervals
from twitchsense.model.map_pairs import typed_map
from twitchsense.model.notes import Note, channel_range

#: Samples of a window in which equal neighbours are counted.
_WINDOW: Final = 256
#: Classes of the share of equal neighbours.
_CLASSES: Final = 256
#: Share of the windows whose equal neighbours are at most those that a run is compared with.
_QUANTILE: Final = 0.8
#: Chance, over the whole recording, of a run that is taken for missing signal.
_MAX_CHANCE: Final = 1e-6
#: Factor on the length that chance allows, because neighbouring samples are not independent.
_SAFETY: Final = 1.5
#: Share of equal neighbours from which a sensor is too coarse for any decision.
_MAX_EQUAL: Final = 0.97
#: Minimum number of samples of a run.
_MIN_RUN: Final = 12
#: Minimum number of samples in which all axes of an accelerometer have a value that fills gaps.
_MIN_ZEROS: Final = 3
#: Minimum distance (uV) from zero of the EMG before and after a few zeros.
_MIN_OFFSET_UV: Final = 30.0
#: Minimum offset of the channel, as a share of this distance.
_MIN_OFFSET: Final = 0.5
#: Minimum time (s) of a run at the limit of the amplifier: a shorter one is a strong signal.
_MIN_LIMIT_S: Final = 0.25
#: Runs that are kept at most; beyond, only longer ones.
_MAX_KEPT: Final = 1_000_000

#: Part of the range of the signal within which a run at its limit must have been approached.
_NEAR_LIMIT: Final = 0.5

#: A run of equal samples: first sample, number of samples, value of the first column (NaN if
#: all axes have a value that fills gaps), and of the samples before and after.
_RUN: Final = np.dtype(
    [
        ("first", np.int64),
        ("count", np.int64),
        ("value", np.float32),
        ("before", np.float32),
        ("after", np.float32),
    ]
)


@dataclass(frozen=True, slots=True)
class ConstantIntervals:
    """Samples that are no signal.

    Attributes
    ----------
    first, stop : ndarray of int64, shape (n,)
        Sample indices ``[first, stop)``, sorted.
    never_changes : bool
        Whether the whole channel has one value.
    value : float
        Value of the longest run.
    axes : tuple of {'x', 'y', 'z'}
        Axes that never change although others do.
    """

    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    never_changes: bool
    value: float
    axes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConstantChannel:
    """A channel that never changes.

    Attributes
    ----------
    name : str
    kind : {'emg', 'acc'}
    value : float
        In the unit of the channel.
    headers : tuple of str
        Names of its columns in the file; empty if they cannot be mapped.
    """

    name: str
    kind: Kind
    value: float
    headers: tuple[str, ...] = ()


class ConstantRunDetector:
    """Finds runs of equal samples in one channel, in blocks of any size.

    Parameters
    ----------
    kind : {'emg', 'acc'}
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._count = 0
        self._last: NDArray[np.float32] | None = None
        self._open_first = 0
        self._open_count = 0
        self._open_before = np.float32(np.nan)
        self._pending = np.empty(0, bool)
        self._histogram = np.zeros(_CLASSES + 1, np.int64)
        self._runs: list[NDArray[np.void]] = []
        self._kept = 0
        self._least = _MIN_RUN
        self._low, self._high = np.inf, -np.inf
        self._axes: AxisDropouts | None = None
        self._zeros = ShortZeros(_MIN_RUN - 1, _MIN_OFFSET_UV, _MIN_OFFSET)

    def push(self, samples: Samples) -> None:
        """Add samples.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, width)
            Valid samples; those before and after a gap are neighbours.
        """
        n = len(samples)
        if not n:
            return
        equal = np.empty(n, bool)
        equal[0] = self._last is not None and bool((samples[0] == self._last).all())
        np.equal(samples[1:, 0], samples[:-1, 0], out=equal[1:])
        for axis in range(1, samples.shape[1]):
            equal[1:] &= samples[1:, axis] == samples[:-1, axis]
        if self._kind == "acc" and samples.shape[1] == 3:
            self._axes = self._axes or AxisDropouts()
            self._axes.push(samples)
        if self._kind == "emg":
            self._zeros.push(samples)
        self._low = min(self._low, float(samples[:, 0].min()))
        self._high = max(self._high, float(samples[:, 0].max()))
        self._count_equal(equal)
        # a run begins at each sample that differs from the one before
        starts = np.flatnonzero(~equal)
        if len(starts):
            self._close_run(int(starts[0]), samples[starts[0], 0])
            lengths = np.diff(np.append(starts, n))
            self._keep(starts[:-1], lengths[:-1], samples)
            self._open_first = self._count + int(starts[-1])
            self._open_count = int(lengths[-1])
            self._open_before = self._before(starts[-1:], samples)[0]
        else:
            self._open_count += n
        self._count += n
        self._last = samples[-1].copy()

    def close(self, fs: float) -> ConstantIntervals:
        """Return the samples that are no signal.

        Parameters
        ----------
        fs : float
            Sampling rate in Hz.

        Returns
        -------
        ConstantIntervals
        """
        self._close_run(0, np.float32(np.nan))
        runs = np.concatenate(self._runs) if self._runs else np.empty(0, _RUN)
        longest = runs[int(runs["count"].argmax())] if len(runs) else None
        value = float(np.nan_to_num(longest["value"])) if longest is not None else 0.0
        if len(self._pending):
            self._add_windows(self._pending[None, :])
        changing = self._histogram[:_CLASSES]
        none = np.empty(0, np.int64)
        if not changing.sum() or (longest is not None and longest["count"] == self._count):
            return ConstantIntervals(none, none, True, value)
        share = np.searchsorted(np.cumsum(changing), _QUANTILE * changing.sum()) / _CLASSES
        bad = np.zeros(len(runs), bool)
        if share < _MAX_EQUAL:
            chance = np.log(_MAX_CHANCE / self._count) / np.log(max(share, 1 / _CLASSES))
            bad = runs["count"] >= max(_MIN_RUN, _SAFETY * chance)
        at_limit = (runs["value"] == self._low) | (runs["value"] == self._high)
        at_limit &= (runs["value"] != 0) & (runs["count"] < _MIN_LIMIT_S * fs)
        # a strong signal approaches its limit; a filled value stands far from its neighbours
        reach = _NEAR_LIMIT * (self._high - self._low)
        at_limit &= (np.abs(runs["value"] - runs["before"]) < reach) | (
            np.abs(runs["value"] - runs["after"]) < reach
        )
        bad &= ~at_limit
        if self._kind == "acc" and self._last is not None and len(self._last) == 3:
            bad |= np.isnan(runs["value"])  # filled
        first = runs["first"][bad]
        stop = first + runs["count"][bad]
        axes: list[str] = []
        zeros = np.array(self._zeros.runs, np.int64).reshape(-1, 2)
        more_first, more_stop = zeros[:, 0], zeros[:, 1]
        if self._axes is not None:
            more_first, more_stop, axes = self._axes.close()
        if len(more_first):
            first, stop = merge_intervals(np.append(first, more_first), np.append(stop, more_stop))
        return ConstantIntervals(first, stop, False, value, tuple(axes))

    def _count_equal(self, equal: NDArray[np.bool_]) -> None:
        """Count the windows by their share of equal neighbours."""
        pending = np.concatenate([self._pending, equal])
        whole = len(pending) // _WINDOW * _WINDOW
        self._pending = pending[whole:].copy()
        if whole:
            self._add_windows(pending[:whole].reshape(-1, _WINDOW))

    def _add_windows(self, windows: NDArray[np.bool_]) -> None:
        shares = windows.sum(axis=1) * _CLASSES // windows.shape[1]
        self._histogram += np.bincount(shares, minlength=_CLASSES + 1)

    def _keep(
        self, starts: NDArray[np.int64], lengths: NDArray[np.int64], samples: Samples
    ) -> None:
        """Keep the runs that are long enough to be no signal."""
        zeros = np.zeros(len(starts), bool)
        if self._kind == "acc" and samples.shape[1] == 3:
            candidates = np.flatnonzero(lengths >= _MIN_ZEROS)
            zeros[candidates] = are_filled(samples[starts[candidates]])
        keep = np.flatnonzero((lengths >= self._least) | zeros)
        if not len(keep):
            return
        runs = np.zeros(len(keep), _RUN)
        runs["first"] = self._count + starts[keep]
        runs["count"] = lengths[keep]
        runs["value"] = np.where(zeros[keep], np.nan, samples[starts[keep], 0])
        runs["before"] = self._before(starts[keep], samples)
        runs["after"] = samples[starts[keep] + lengths[keep], 0]
        self._append(runs)

    def _before(self, starts: NDArray[np.int64], samples: Samples) -> NDArray[np.float32]:
        """Return the first axis of the samples before those at `starts`."""
        before: NDArray[np.float32] = samples[np.maximum(starts - 1, 0), 0].copy()
        before[starts == 0] = np.nan if self._last is None else self._last[0]
        return before

    def _close_run(self, more: int, after: np.float32) -> None:
        """Close the open run, which goes on for `more` samples before one of value `after`."""
        length = self._open_count + more
        if self._last is not None:
            zeros = self._kind == "acc" and len(self._last) == 3 and are_filled(self._last[None])[0]
            if length >= (_MIN_ZEROS if zeros else self._least):
                value = np.nan if zeros else self._last[0]
                run = (self._open_first, length, value, self._open_before, after)
                self._append(np.array([run], _RUN))
        self._open_count = 0

    def _append(self, runs: NDArray[np.void]) -> None:
        self._runs.append(runs)
        self._kept += len(runs)
        if self._kept > _MAX_KEPT:  # a coarse sensor: only longer runs can count
            self._least *= 2
            joined = np.concatenate(self._runs)
            joined = joined[(joined["count"] >= self._least) | np.isnan(joined["value"])]
            self._runs, self._kept = [joined], len(joined)


def leave_out(
    starts_ns: NDArray[np.int64],
    firsts: NDArray[np.int64],
    counts: NDArray[np.int64],
    intervals: ConstantIntervals,
    fs: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Cut intervals out of runs of samples.

    Parameters
    ----------
    starts_ns, firsts, counts : ndarray of int64, shape (runs,)
        Time, index of the first sample and number of samples of each run.
    intervals : ConstantIntervals
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    starts_ns, firsts, counts : ndarray of int64, shape (pieces,)
    """
    if not len(intervals.first):
        return starts_ns, firsts, counts
    # the pieces lie between all edges; those inside an interval are left out
    edges = np.unique(np.concatenate([firsts, firsts + counts, intervals.first, intervals.stop]))
    begin, end = edges[:-1], edges[1:]
    inside = np.searchsorted(intervals.first, begin, "right") - 1
    cut = (inside >= 0) & (begin < intervals.stop[np.maximum(inside, 0)])
    begin, end = begin[~cut], end[~cut]
    run = np.searchsorted(firsts, begin, "right") - 1
    offsets = np.rint((begin - firsts[run]) * (NS / fs)).astype(np.int64)
    return starts_ns[run] + offsets, begin, end - begin


def never_changing_notes(channels: Sequence[ConstantChannel]) -> list[str]:
    """Return a note for channels that never change, as of inputs without electrodes.

    Parameters
    ----------
    channels : sequence of ConstantChannel

    Returns
    -------
    list of Note
        One for each value.
    """
    of_value: dict[str, list[ConstantChannel]] = {}
    for channel in channels:
        unit = "uV" if channel.kind == "emg" else "g"
        of_value.setdefault(f"{channel.value:.4g} {unit}", []).append(channel)
    notes: list[str] = []
    for value, group in of_value.items():
        names = channel_range([channel.name for channel in group])
        one = len(group) == 1
        headers = [header for channel in group for header in channel.headers]
        cure = f"check the {'sensor and its cable' if one else 'sensors and their cables'}"
        if headers:
            option = typed_map(headers[0], "ignore", *headers[1:])
            cure += f", or leave {'it' if one else 'them'} out with {option}"
        what = "changes" if one else "change"
        why = "it is no signal and looks" if one else "they are no signals and look"
        notes.append(
            Note("signal", f"{names}: never {what} from {value}, so {why} unconnected", cure)
        )
    return notes


def constant_notes(name: str, intervals: ConstantIntervals, fs: float) -> list[str]:
    """Return a note on runs of samples that are no signal.

    Parameters
    ----------
    name : str
        Name of the channel.
    intervals : ConstantIntervals
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    list of str
    """
    notes: list[str] = []
    if intervals.axes:
        one = len(intervals.axes) == 1
        notes.append(
            Note(
                "signal",
                f"{name}: {' and '.join(intervals.axes)} never change{'s' if one else ''}, so "
                "movements are not measured in full",
                "check the sensor, and which columns these are",
            )
        )
    n = len(intervals.first)
    if not n:
        return notes
    seconds = float((intervals.stop - intervals.first).sum()) / fs
    what = "1 run" if n == 1 else f"{n} runs"
    return [
        *notes,
        f"{name}: {what} of equal samples, {seconds:.3f} s in all, are not signal (lost packets "
        "that were filled, or standby) and become gaps",
    ]
