"""One channel while it is being read: samples to the spool, stamps to the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.rate_fit import fit_clock
from twitchsense.io.timestamps import StampTracker, UnsteadyRateError
from twitchsense.model.channels import NS, Channel, Kind, Samples, Segment
from twitchsense.model.column_names import STANDARD_GRAVITY, VALUE_LIMITS, ChannelPlan
from twitchsense.model.sample_file import SampleFile

#: Samples needed to tell a rate.
MIN_SAMPLES = 3
#: More impossible values than this fraction are a wrong unit, not stray numbers.
_MAX_IMPOSSIBLE = 1e-3
_EVERY = 64  # of acceleration samples, one is kept to judge gravity


@dataclass(frozen=True, slots=True)
class ChannelData:
    """What a track turned into.

    Attributes
    ----------
    channel : Channel
    segments : tuple of Segment
    notes : tuple of str
    """

    channel: Channel
    segments: tuple[Segment, ...]
    notes: tuple[str, ...] = field(default=())


class Judge:
    """Looks at values for signs of a wrong unit.

    Parameters
    ----------
    kind : {'emg', 'acc'}
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._limit = VALUE_LIMITS[kind]
        self._impossible: list[float] = []
        self._count = 0
        self._peak = 0.0
        self._kept: list[NDArray[np.float64]] = []
        self._seen = 0
        self.impossible = 0

    def screen(self, samples: Samples, valid: NDArray[np.bool_]) -> None:
        """Take values no sensor can give out of `valid`, and count them."""
        if not len(samples):
            return
        # min and max are much cheaper than abs; NaN is harmless to fmin and fmax
        peak = max(-float(np.fmin.reduce(samples, None)), float(np.fmax.reduce(samples, None)))
        if peak > self._limit:
            with np.errstate(invalid="ignore"):
                bad = valid & (np.abs(samples) > self._limit).any(axis=1)
            self.impossible += int(bad.sum())
            if len(self._impossible) < 1000:
                self._impossible.extend(np.abs(samples[bad]).max(axis=1)[:1000].tolist())
            valid &= ~bad
            peak = self._limit
        self._peak = max(self._peak, peak)

    def keep(self, samples: Samples) -> None:
        """Take valid samples, shape ``(n, width)``."""
        if self._kind == "acc":
            some = samples[-self._seen % _EVERY :: _EVERY].astype(np.float64)
            self._kept.append(np.sqrt((some * some).sum(axis=1)))
        self._seen += len(samples)

    def conclude(self, plan: ChannelPlan, source: str) -> list[str]:
        """Return notes on odd values.

        Raises
        ------
        InputError
            If the values cannot be in the unit of the column's name.
        """
        notes: list[str] = []
        name, unit = plan.names[0], plan.specs[0].unit
        if self.impossible > _MAX_IMPOSSIBLE * (self._seen + self.impossible):
            typical = float(np.median(self._impossible)) / plan.specs[0].scale
            raise InputError(
                source,
                f"values around {typical:.3g} {unit} cannot come from this sensor",
                _likely_unit(plan, typical),
                f"column {name}",
            )
        if self.impossible:
            notes.append(f"{plan.name}: {self.impossible} impossible values taken as gaps")
        if plan.kind == "emg":
            if 0 < self._peak < 1:
                notes.append(
                    f"{plan.name}: never beyond {self._peak:.2g} uV; is {name} really in {unit}?"
                )
            return notes
        rest = float(np.median(np.concatenate(self._kept)))
        typical = rest / plan.specs[0].scale
        if rest > 16:
            raise InputError(
                source,
                f"half of the values are beyond {typical:.3g} {unit}, more than a leg can feel",
                _likely_unit(plan, typical),
                f"column {name}",
            )
        if rest > 2 or (rest < 0.5 and len(plan.specs) == 3):
            hint = _likely_unit(plan, typical) if rest > 2 else "check gain and unit"
            notes.append(f"{plan.name}: {rest:.3g} g at rest instead of 1 g; {hint}")
        return notes


class Track:
    """Collects one channel from blocks of rows, in order of time.

    Parameters
    ----------
    plan : ChannelPlan
    source : str
        File that began the channel, for messages.
    """

    def __init__(self, plan: ChannelPlan, source: str) -> None:
        self.plan = plan
        self.source = source
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._spool = SampleFile(len(plan.specs))
        self._stamps = StampTracker()
        self._judge = Judge(plan.kind)

    def go_on(self, plan: ChannelPlan, source: str) -> None:
        """Go on with another file, which may name other units."""
        self.plan, self.source = plan, source

    def add(self, stamps: NDArray[np.int64], columns: Sequence[NDArray[np.float64]]) -> None:
        """Add rows: stamps in ns and raw columns in the order of the plan's names.

        Raises
        ------
        UnsteadyRateError
        """
        samples, valid = self.plan.scale(columns)
        self._judge.screen(samples, valid)
        if not valid.all():
            stamps, samples = stamps[valid], samples[valid]
        if not len(stamps):
            return
        self._judge.keep(samples)
        if self.first_ns is None:
            self.first_ns = int(stamps[0])
        self.last_ns = int(stamps[-1])
        self._spool.append(samples)
        try:
            self._stamps.push(stamps)
        except UnsteadyRateError as error:
            raise self._named(error) from error

    @property
    def rows(self) -> int:
        """Number of samples so far."""
        return self._spool.rows

    @property
    def impossible(self) -> int:
        """Number of values so far that no sensor can give."""
        return self._judge.impossible

    def close(self, zero_ns: int) -> ChannelData:
        """Return the channel, its segments counted from `zero_ns`, and notes.

        Raises
        ------
        InputError
            For values or a rate that can't be.
        UnsteadyRateError
        """
        notes = self._judge.conclude(self.plan, self.source)
        try:
            runs = self._stamps.close()
        except UnsteadyRateError as error:
            raise self._named(error) from error
        runs["start"] -= zero_ns
        clock = fit_clock(runs, self._stamps.period, self._stamps.rate, self._stamps.quantum)
        if clock is None:
            lone = UnsteadyRateError(int(runs["start"][0]) + zero_ns, "every sample stands alone")
            raise self._named(lone)
        self.plan.check_rate(self.source, clock.fs)
        name = self.plan.name
        bounds = zip(
            clock.starts.tolist(), runs["first"].tolist(), runs["count"].tolist(), strict=True
        )
        segments = tuple(
            Segment(name, start, self._spool.samples(first, first + count))
            for start, first, count in bounds
        )
        notes += gap_notes(name, clock.starts, runs["count"], clock.fs)
        if clock.stray > max(0.05 * NS / clock.fs, self._stamps.quantum):
            notes.append(
                f"{name}: time stamps stray by {clock.stray / 1e6:.2g} ms; samples are taken as "
                f"regular at {clock.fs:.6g} Hz"
            )
        elif clock.stray > 0.05 * NS / clock.fs and self._stamps.quantum > 0.4 * NS / clock.fs:
            notes.append(
                f"{name}: time stamps in steps of {self._stamps.quantum / 1e6:g} ms are coarse "
                f"for {clock.fs:.6g} Hz; a missing row may look like a rounded time"
            )
        return ChannelData(self.plan.channel(clock.fs, clock.fs_error), segments, tuple(notes))

    def _named(self, error: UnsteadyRateError) -> UnsteadyRateError:
        """Return the error with the column's name."""
        return UnsteadyRateError(error.time_ns, error.problem, self.plan.names[0])


def gap_notes(
    name: str, starts: NDArray[np.int64], counts: NDArray[np.int64], fs: float
) -> list[str]:
    """Say how many gaps lie between runs, and how long they are."""
    if len(starts) < 2:
        return []
    missing = (starts[1:] - starts[:-1]) / NS - counts[:-1] / fs
    many = "1 gap" if len(missing) == 1 else f"{len(missing)} gaps"
    return [f"{name}: {many}, {missing.sum():.3f} s in all, longest {missing.max():.3f} s"]


def _likely_unit(plan: ChannelPlan, typical: float) -> str:
    """Say what the column may really be, from a typical value in its own unit."""
    unit = plan.specs[0].unit
    name = plan.specs[0].canonical.rpartition("_")[0]
    if plan.kind == "emg":
        if unit != "uv":
            factor = plan.specs[0].scale
            return f"if these are uV, {factor:g} times smaller, name the column {name}_uv"
        return "if these are counts of the converter or nV, convert them to uV first"
    if abs(typical * plan.specs[0].scale / STANDARD_GRAVITY - 1) < 0.3 and unit == "g":
        return f"are these m/s2, {STANDARD_GRAVITY} times larger? name the column {name}_ms2"
    if unit != "mg" and typical < 20_000:
        return f"if these are mg, 1000 times smaller, name the column {name}_mg"
    return "if these are counts of the converter, convert them to g first"
