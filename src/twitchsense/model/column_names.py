"""Column names of captures, and the channels that columns form.

A column is named ``NAME_UNIT`` (``emg1_uv``) or, for an accelerometer,
``NAME_AXIS_UNIT`` (``acc_right_x_mg``). Every reader parses names into
`ColumnSpec` and groups these into `ChannelPlan`, which scales and checks samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twitchsense.errors import InputError
from twitchsense.model.channels import NS, ArraySamples, Channel, Kind, Leg, Samples, Segment
from twitchsense.model.intervals import runs_of
from twitchsense.model.rate_limits import check_rate

#: Samples in the units of the capture, shape ``(n,)``.
RawColumn = NDArray[np.float64] | NDArray[np.float32]

#: Standard acceleration of gravity, m/s² (CGPM 1901).
STANDARD_GRAVITY: Final = 9.80665

#: Factor from the unit in a column name to the unit of the kind (µV, g).
SCALES: Final[Mapping[Kind, Mapping[str, float]]] = {
    "emg": {"uv": 1.0, "mv": 1e3, "v": 1e6},
    "acc": {"g": 1.0, "mg": 1e-3, "ms2": 1.0 / STANDARD_GRAVITY},
}
#: Largest absolute value that an electrode (µV) or a wearable accelerometer (g) measures.
VALUE_LIMITS: Final[Mapping[Kind, float]] = {"emg": 1e6, "acc": 200.0}
_AXES = ("x", "y", "z")
#: Maximum length of a channel name, which every row of the result tables contains.
_MAX_NAME_LENGTH: Final = 80
_EXAMPLES: Final[Mapping[Kind, str]] = {
    "emg": "emg1_uv (uv, mv or v)",
    "acc": "acc_x_g (axis x, y or z; g, mg or ms2)",
}


_ARRAYS_CURE: Final = "give a mapping such as {'emg1_uv': (samples, fs)}, with fs in Hz"


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """The parts of a column name.

    Attributes
    ----------
    channel : str
        Name without axis and unit: ``emg1``, ``acc_right``.
    kind : {'emg', 'acc'}
    leg : {'left', 'right'} or None
    axis : {'x', 'y', 'z', ''}
        Empty for EMG.
    unit : str
        Unit of the column name: ``uv``, ``mv``, ``v``, ``g``, ``mg`` or ``ms2``.
    scale : float
        Factor from `unit` to µV or g.
    """

    channel: str
    kind: Kind
    leg: Leg | None
    axis: str
    unit: str
    scale: float

    @property
    def canonical(self) -> str:
        """Column name after scaling: ``emg1_uv``, ``acc_right_x_g``."""
        return f"{self.channel}_{self.axis}_g" if self.axis else f"{self.channel}_uv"


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """The columns of one channel, axes in order.

    Attributes
    ----------
    specs : tuple of ColumnSpec
    names : tuple of str
        Column names in the capture, in the order of `specs`.
    """

    specs: tuple[ColumnSpec, ...]
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the channel."""
        return self.specs[0].channel

    @property
    def kind(self) -> Kind:
        """Kind of the channel."""
        return self.specs[0].kind

    def channel(self, fs: float, fs_error: float = 0.0) -> Channel:
        """Return the channel.

        Parameters
        ----------
        fs : float
            Sampling rate in Hz.
        fs_error : float
            Standard error of `fs` in Hz.

        Returns
        -------
        Channel
        """
        columns = tuple(s.canonical for s in self.specs)
        unit: Literal["uV", "g"] = "uV" if self.kind == "emg" else "g"
        return Channel(self.name, self.kind, unit, fs, columns, self.specs[0].leg, fs_error)

    def scale(self, columns: Iterable[RawColumn]) -> tuple[Samples, NDArray[np.bool_]]:
        """Scale raw columns and determine which rows are valid samples.

        Parameters
        ----------
        columns : iterable of ndarray, shape (n,)
            In the order of `specs`, in the capture's units.

        Returns
        -------
        samples : ndarray of float32, shape (n, width)
            In µV or g.
        valid : ndarray of bool, shape (n,)
            True where every axis is finite in float32.
        """
        raw = list(columns)
        samples = np.empty((len(raw[0]), len(raw)), np.float32)
        # a number beyond the range of float32 becomes inf, which is not a valid sample
        with np.errstate(over="ignore", invalid="ignore"):
            for i, (spec, column) in enumerate(zip(self.specs, raw, strict=True)):
                # scaled in double precision and rounded once
                samples[:, i] = (
                    column
                    if spec.scale == 1.0
                    else np.multiply(column, spec.scale, dtype=np.float64)
                )
        valid = np.isfinite(samples[:, 0])
        for i in range(1, len(raw)):
            valid &= np.isfinite(samples[:, i])
        return samples, valid

    def check_rate(self, source: str, fs: float) -> None:
        """Reject a sampling rate that cannot be analysed.

        Parameters
        ----------
        source : str
            File name, for the message.
        fs : float
            Sampling rate in Hz.

        Raises
        ------
        InputError
            If the rate is outside the limits; see `twitchsense.model.rate_limits`.
        """
        check_rate(source, self.names[0], self.kind, fs)


def is_signal_name(name: str) -> bool:
    """Return whether a column name starts like that of an EMG or accelerometer column.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool
        True also if `parse_column` would reject the name.
    """
    return _clean(name).startswith(("emg", "acc"))


def parse_column(name: str, source: str = "columns") -> ColumnSpec:
    """Parse a column name.

    Parameters
    ----------
    name : str
        In upper or lower case.
    source : str
        File name, for the message.

    Returns
    -------
    ColumnSpec

    Raises
    ------
    InputError
        If the name is not that of a signal, or its unit or axis is missing or unknown.
    """
    clean = _clean(name)
    tokens = clean.split("_")
    if len(clean) > _MAX_NAME_LENGTH:
        raise _bad_name(source, name[:40] + "…", f"is {len(clean):,} characters long", "emg")
    if not clean.startswith(("emg", "acc")):
        raise _bad_name(source, name, "is not the name of a signal", "emg")
    kind: Kind = "emg" if clean.startswith("emg") else "acc"
    unit = tokens.pop() if len(tokens) > 1 else ""
    if unit not in SCALES[kind]:
        problem = f"has the unknown unit '{unit}'" if unit else "has no unit"
        raise _bad_name(source, name, problem, kind)
    axis = ""
    if kind == "acc":
        axis = tokens.pop() if len(tokens) > 1 else ""
        if axis not in _AXES:
            raise _bad_name(source, name, "has no axis", kind)
    legs = [t for t in tokens[1:] if t in ("left", "right")]
    if len(legs) > 1 or not all(re.fullmatch(r"\w+", t) for t in tokens):
        raise _bad_name(source, name, "cannot be read", kind)
    leg = cast("Leg", legs[0]) if legs else None
    return ColumnSpec("_".join(tokens), kind, leg, axis, unit, SCALES[kind][unit])


def plan_channels(names: Mapping[str, str] | Iterable[str], source: str) -> tuple[ChannelPlan, ...]:
    """Group column names into channels.

    Parameters
    ----------
    names : iterable of str, or mapping of str to str
        Column names of this package; as a mapping, from the names in the capture.
    source : str
        File name, for messages.

    Returns
    -------
    tuple of ChannelPlan
        EMG before acceleration, then by name in natural order, so that the
        order of columns does not matter.

    Raises
    ------
    InputError
        If a name cannot be parsed, or two columns hold the same signal.
    """
    pairs = names.items() if isinstance(names, Mapping) else ((n, n) for n in names)
    groups: dict[str, dict[str, tuple[ColumnSpec, str]]] = {}
    for theirs, ours in pairs:
        spec = parse_column(ours, source)
        axes = groups.setdefault(spec.channel, {})
        if spec.axis in axes:
            other = axes[spec.axis][1]
            raise InputError(
                source, f"holds the same signal as {other}", "keep one of them", f"column {theirs}"
            )
        axes[spec.axis] = (spec, theirs)
    plans = [
        ChannelPlan(tuple(a[k][0] for k in sorted(a)), tuple(a[k][1] for k in sorted(a)))
        for a in groups.values()
    ]
    return tuple(sorted(plans, key=channel_sort_key))


def channel_sort_key(item: ChannelPlan | Channel) -> tuple[bool, list[tuple[bool, int, str]]]:
    """Return the sort key of a channel: EMG first, then ``emg2`` before ``emg10``.

    Parameters
    ----------
    item : ChannelPlan or Channel

    Returns
    -------
    tuple
    """
    parts = re.split(r"(\d+)", item.name)
    return item.kind != "emg", [(p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts]


def channels_from_arrays(
    signals: Mapping[str, tuple[ArrayLike, float]],
) -> tuple[tuple[Channel, ...], tuple[Segment, ...], int]:
    """Build channels and gap-free segments from named arrays.

    Parameters
    ----------
    signals : mapping of str to (samples, fs)
        Keys are column names with units; samples have shape ``(n,)``, `fs` is in Hz.

    Returns
    -------
    channels : tuple of Channel
    segments : tuple of Segment
        Cut where a sample is not finite; the first sample of an array is at 0 ns.
    end_ns : int
        End of the longest array in ns, gaps at its end included.

    Raises
    ------
    InputError
        If a name, shape or rate cannot be used, or axes do not match.
    """
    source = "arrays"
    if not isinstance(signals, Mapping):
        raise InputError(source, f"is of the type {type(signals).__name__}", _ARRAYS_CURE)
    if not signals:
        raise InputError(source, "holds no signal", f"give {_EXAMPLES['emg']}")
    channels: list[Channel] = []
    segments: list[Segment] = []
    end_ns = 0
    for plan in plan_channels(list(signals), source):
        pairs = [_to_pair(source, name, signals[name]) for name in plan.names]
        raw = [_to_column(source, name, p[0]) for name, p in zip(plan.names, pairs, strict=True)]
        rates = [_to_rate(source, name, p[1]) for name, p in zip(plan.names, pairs, strict=True)]
        for name, column, rate in zip(plan.names[1:], raw[1:], rates[1:], strict=True):
            if len(column) != len(raw[0]) or rate != rates[0]:
                raise InputError(
                    source,
                    f"{len(column)} samples at {rate:g} Hz do not match the {len(raw[0])} at "
                    f"{rates[0]:g} Hz of {plan.names[0]}",
                    "give the axes of one accelerometer equal length and rate",
                    f"column {name}",
                )
        fs = rates[0]
        plan.check_rate(source, fs)
        samples, valid = plan.scale(raw)
        channels.append(plan.channel(fs))
        end_ns = max(end_ns, round(len(samples) * NS / fs))
        for start, stop in runs_of(valid):
            time_ns = round(start * NS / fs)
            segments.append(Segment(plan.name, time_ns, ArraySamples(samples[start:stop])))
    return tuple(channels), tuple(segments), end_ns


def _to_pair(source: str, name: str, pair: object) -> tuple[ArrayLike, float]:
    """Return samples and rate; raise InputError if they are not a pair."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or np.ndim(pair[1]) != 0:
        problem = "comes without its sampling rate"
        raise InputError(source, problem, _ARRAYS_CURE, f"column {name}")
    return pair[0], pair[1]


def _to_column(source: str, name: str, values: ArrayLike) -> RawColumn:
    """Return a 1-D array: float32 if the values are, else float64; raise InputError."""
    try:
        column: RawColumn = np.asarray(values)
        if column.dtype != np.float32:
            column = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            source, f"no numbers ({error})", "give an array of numbers", f"column {name}"
        ) from error
    if column.ndim != 1:
        raise InputError(
            source, f"shape {column.shape}", "give a 1-D array for each column", f"column {name}"
        )
    return column


def _to_rate(source: str, name: str, value: float) -> float:
    """Return a sampling rate in Hz; raise InputError."""
    try:
        fs = float(value)
    except (TypeError, ValueError):
        fs = float("nan")
    if not (np.isfinite(fs) and fs > 0):
        raise InputError(
            source, f"sampling rate {fs:g}", "give a positive rate in Hz", f"column {name}"
        )
    return fs


def _clean(name: str) -> str:
    # µ has two code points; case folding maps both to one, which is replaced by u
    return name.strip().casefold().replace("\u03bc", "u")


def _bad_name(source: str, name: str, problem: str, kind: Kind) -> InputError:
    return InputError(
        source,
        problem,
        f"rename it or map it (--map '{name}=...') to a name like {_EXAMPLES[kind]}",
        f"column {name}",
    )
