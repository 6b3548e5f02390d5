"""Builds a channel from the blocks of a reader: samples to disk, timestamps to a rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.io.channels.constant_runs import (
    ConstantChannel,
    ConstantRunDetector,
    constant_notes,
    leave_out,
)
from twitchsense.io.channels.gap_detection import IrregularSamplingError, TimestampSegmenter
from twitchsense.io.channels.rate_fit import fit_rate
from twitchsense.io.channels.signal_check import signal_notes
from twitchsense.io.channels.unit_check import UnitCheck
from twitchsense.model.channels import NS, Channel, ClockSource, Segment
from twitchsense.model.column_names import ChannelPlan, finite_rows
from twitchsense.model.map_pairs import typed_map
from twitchsense.model.notes import STATE_TIMES, Note
from twitchsense.model.sample_file import SampleFile

#: Minimum number of samples from which a rate is estimated.
MIN_SAMPLES: Final = 3
#: RMS residual of timestamps, in sampling periods, from which a note is written.
_NOTED_RESIDUAL: Final = 0.05
#: Resolution of timestamps, in sampling periods, from which a note is written.
_NOTED_RESOLUTION: Final = 0.4
#: Relative difference of two rates from which a note is written.
_NOTED_RATE_ERROR: Final = 0.01
#: Sources of times, in order of decreasing certainty.
_CLOCK_ORDER: Final[tuple[ClockSource, ...]] = ("device", "counter", "arrival")


@dataclass(frozen=True, slots=True)
class ChannelData:
    """A channel that was read.

    Attributes
    ----------
    channel : Channel
    segments : tuple of Segment
    notes : tuple of str
        Remarks for the user.
    never_changing : ConstantChannel or None
        Set if it never changes; the notes do not mention it.
    """

    channel: Channel
    segments: tuple[Segment, ...]
    notes: tuple[str, ...] = field(default=())
    never_changing: ConstantChannel | None = None


class ChannelBuilder:
    """Collects one channel from blocks of rows, in order of time.

    Parameters
    ----------
    plan : ChannelPlan
    source : str
        File in which the channel begins, for messages.

    Attributes
    ----------
    first_ns, last_ns : int or None
        Times of the first and the last valid sample so far.
    header_rate : tuple of float or None and str
        Sampling rate in Hz that the file states beside its times, and their column.
    """

    def __init__(self, plan: ChannelPlan, source: str) -> None:
        self.plan = plan
        self.source = source
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self.header_rate: tuple[float | None, str] = (None, "")
        self._samples = SampleFile(len(plan.specs))
        self._timestamps = TimestampSegmenter()
        self._unit_check = UnitCheck(plan.kind)
        self._constant = ConstantRunDetector(plan.kind)
        self._clocks: list[ClockSource] = []
        self._clock_errors: list[tuple[int, float]] = []

    def continue_with(self, plan: ChannelPlan, source: str) -> None:
        """Continue the channel in another file, whose columns may have other units."""
        self.plan, self.source = plan, source

    def set_time_resolution(
        self, written_ns: int, binary_ns: int, stated_fs: float | None = None
    ) -> None:
        """State what is known about the timestamps.

        Parameters
        ----------
        written_ns : int
            Resolution (ns) of the decimals with which they are written; 0 if unknown.
        binary_ns : int
            Resolution (ns) of times that were stored in single precision; 0 if they were not.
        stated_fs : float, optional
            Sampling rate in Hz that the user states.
        """
        self._timestamps.stated_fs = stated_fs
        self._timestamps.written_resolution = written_ns
        self._timestamps.binary_resolution = binary_ns

    def set_least_gap(self, least_gap_ns: float) -> None:
        """State the time (ns) that is missing where samples are lost, if it is known."""
        self._timestamps.least_gap_ns = least_gap_ns

    def add_clock(self, source: ClockSource, start_ns: int, error_s: float) -> None:
        """State the source of the times; the least certain source of a channel counts.

        Parameters
        ----------
        source : {'device', 'counter', 'arrival'}
        start_ns : int
            Time from which on `error_s` holds, ns.
        error_s : float
            Uncertainty of the times, s.
        """
        self._clocks.append(source)
        self._clock_errors.append((start_ns, error_s))

    def append(self, times_ns: NDArray[np.int64], columns: Sequence[NDArray[np.float64]]) -> None:
        """Append rows.

        Parameters
        ----------
        times_ns : ndarray of int64, shape (n,)
            Increasing.
        columns : sequence of ndarray of float64, shape (n,)
            In the order of `ChannelPlan.names`, in the units of the file. A row counts only
            if all its values are finite.

        Raises
        ------
        IrregularSamplingError
            If the timestamps do not belong to one sampling rate.
        """
        samples = self.plan.samples(columns)
        valid = finite_rows(samples)
        self._unit_check.mask_impossible(samples, valid)
        if not valid.all():
            times_ns, samples = times_ns[valid], samples[valid]
        if not len(times_ns):
            return
        self._unit_check.add_valid(samples)
        self._constant.push(samples)
        if self.first_ns is None:
            self.first_ns = int(times_ns[0])
        self.last_ns = int(times_ns[-1])
        self._samples.append(samples)
        try:
            self._timestamps.push(times_ns)
        except IrregularSamplingError as error:
            raise self._with_column(error) from error

    @property
    def sample_count(self) -> int:
        """Number of valid samples so far."""
        return self._samples.rows

    @property
    def impossible_count(self) -> int:
        """Number of samples so far whose values no sensor can give."""
        return self._unit_check.impossible_count

    def build(self, zero_ns: int) -> ChannelData:
        """Fit the sampling rate and return the channel with its segments.

        Parameters
        ----------
        zero_ns : int
            Zero of the recording's time axis.

        Returns
        -------
        ChannelData

        Raises
        ------
        InputError
            If the values cannot be in the unit of the column name, or no such sensor has
            this rate.
        IrregularSamplingError
            If the timestamps do not belong to one sampling rate.
        """
        is_night = bool(self._clocks)  # only night files state the source of the times
        notes = self._unit_check.conclude(self.plan, self.source, is_night=is_night)
        try:
            runs = self._timestamps.close()
        except IrregularSamplingError as error:
            raise self._with_column(error) from error
        runs["start"] -= zero_ns
        resolution = max(self._timestamps.resolution, self._timestamps.binary_resolution)
        fit = fit_rate(runs, self._timestamps.period, self._timestamps.round_fs, resolution)
        if fit is None:
            first_ns = int(runs["start"][0]) + zero_ns
            raise self._with_column(
                IrregularSamplingError(first_ns, "every sample is isolated by gaps")
            )
        self.plan.check_rate(self.source, fit.fs)
        name = self.plan.name
        constant = self._constant.close(fit.fs)
        starts_ns, first, count = leave_out(
            fit.starts_ns, runs["first"], runs["count"], constant, fit.fs
        )
        segments = tuple(
            Segment(name, start_ns, self._samples.samples(i, i + n))
            for start_ns, i, n in zip(
                starts_ns.tolist(), first.tolist(), count.tolist(), strict=True
            )
        )
        never_changing = None
        if constant.never_changes:
            never_changing = ConstantChannel(
                name, self.plan.kind, constant.value, tuple(self.plan.names)
            )
        else:
            notes += constant_notes(name, constant, fit.fs)
            notes += signal_notes(self.plan, segments, fit.fs, is_night=is_night)
        notes += gap_notes(name, starts_ns, count, fit.fs)
        notes += header_rate_notes(name, *self.header_rate, fit.fs)
        noted_residual = _NOTED_RESIDUAL * NS / fit.fs
        noted_resolution = _NOTED_RESOLUTION * NS / fit.fs
        if fit.rms_residual_ns > max(noted_residual, resolution):
            notes.append(
                Note(
                    "times",
                    f"{name}: time stamps deviate from even spacing by "
                    f"{fit.rms_residual_ns / 1e6:.2g} ms RMS; samples are treated as evenly spaced "
                    f"at {fit.fs:.6g} Hz",
                    STATE_TIMES,
                )
            )
        elif fit.rms_residual_ns > noted_residual and resolution > noted_resolution:
            notes.append(
                Note(
                    "times",
                    f"{name}: time stamps in steps of {resolution / 1e6:g} ms are coarse "
                    f"for {fit.fs:.6g} Hz; a missing row may look like a rounded time",
                    STATE_TIMES,
                )
            )
        channel = self.plan.channel(fit.fs, fit.fs_error)
        if self._clocks:
            channel = replace(
                channel,
                clock=max(self._clocks, key=_CLOCK_ORDER.index),
                clock_error_s=max(error_s for _, error_s in self._clock_errors),
                clock_errors=tuple(sorted((at - zero_ns, e) for at, e in self._clock_errors)),
            )
        return ChannelData(channel, segments, tuple(notes), never_changing)

    def _with_column(self, error: IrregularSamplingError) -> IrregularSamplingError:
        """Return the error with the name of the column."""
        return IrregularSamplingError(error.time_ns, error.problem, error.cure, self.plan.names[0])


def header_rate_notes(name: str, header_fs: float | None, time: str, fs: float) -> list[str]:
    """Return a note if the header of a file states another rate than its times.

    Parameters
    ----------
    name : str
        Name of the channel.
    header_fs : float or None
        Stated rate in Hz.
    time : str
        Name of the time column.
    fs : float
        Rate of the times in Hz.

    Returns
    -------
    list of Note
        One, or none if the rates agree or none is stated.
    """
    if header_fs is None or abs(fs / header_fs - 1) <= _NOTED_RATE_ERROR:
        return []
    return [
        Note(
            "times",
            f"{name}: the header states {header_fs:.6g} Hz, the times are those of {fs:.6g} Hz, "
            "at which samples are placed",
            f"if the header is right, give {typed_map(time, 'ignore')} --fs {header_fs:.6g}",
        )
    ]


def gap_notes(
    name: str, starts_ns: NDArray[np.int64], counts: NDArray[np.int64], fs: float
) -> list[str]:
    """Return a note on the gaps between runs of samples.

    Parameters
    ----------
    name : str
        Name of the channel.
    starts_ns, counts : ndarray of int64, shape (runs,)
        Start and number of samples of each run.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    list of str
        One note, or none if there is no gap.
    """
    if len(starts_ns) < 2:
        return []
    missing_s = (starts_ns[1:] - starts_ns[:-1]) / NS - counts[:-1] / fs
    many = "1 gap" if len(missing_s) == 1 else f"{len(missing_s)} gaps"
    return [f"{name}: {many}, {missing_s.sum():.3f} s in all, longest {missing_s.max():.3f} s"]
