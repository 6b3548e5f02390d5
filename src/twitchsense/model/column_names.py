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
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.channels import Channel, Kind, Leg, Samples
from twitchsense.model.map_pairs import typed_map
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
#: Unit of EMG that a device sends without one; its gain must be stated.
COUNT_UNIT: Final = "count"
UV_PER_MV: Final = 1e3
_AXES = ("x", "y", "z")
#: Maximum length of a channel name, which every row of the result tables contains.
_MAX_NAME_LENGTH: Final = 80
_EXAMPLES: Final[Mapping[Kind, str]] = {
    "emg": "if it is in uV (units uv, mv, v)",
    "acc": "if it is in g (axes x, y, z; units g, mg, ms2)",
}
#: What a name without a known unit, or without an axis, says of its channel and axis.
_STEM: Final = re.compile(
    r"((?:emg|acc)\d*(?:_(?:left|right))?)(?![^\W_])(?:.*_([xyz])(?![^\W_]))?"
)


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
        Unit of the column name: ``uv``, ``mv``, ``v``, ``count``, ``g``, ``mg`` or ``ms2``.
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

    def samples(self, columns: Iterable[RawColumn]) -> Samples:
        """Scale raw columns.

        Parameters
        ----------
        columns : iterable of ndarray, shape (n,)
            In the order of `specs`, in the capture's units.

        Returns
        -------
        ndarray of float32, shape (n, width)
            In µV or g; a view of a single column that is float32 in that unit already.
        """
        raw = list(columns)
        if len(raw) == 1 and self.specs[0].scale == 1.0 and raw[0].dtype == np.float32:
            return np.asarray(raw[0][:, None], np.float32)
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
        return samples

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


def finite_rows(samples: Samples) -> NDArray[np.bool_]:
    """Return which rows are valid samples: those of which every value is finite.

    Parameters
    ----------
    samples : ndarray of float32, shape (n, width)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    finite = np.isfinite(samples)
    valid = finite[:, 0]
    for i in range(1, samples.shape[1]):
        valid &= finite[:, i]
    return valid


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


def parse_column(name: str, source: str = "columns", gain: float | None = None) -> ColumnSpec:
    """Parse a column name.

    Parameters
    ----------
    name : str
        In upper or lower case.
    source : str
        File name, for the message.
    gain : float, optional
        Counts per mV of EMG in counts.

    Returns
    -------
    ColumnSpec

    Raises
    ------
    InputError
        If the name is not that of a signal, or its unit, gain or axis is missing or unknown.
    """
    clean = _clean(name)
    tokens = clean.split("_")
    if len(clean) > _MAX_NAME_LENGTH:
        raise _bad_name(source, name[:40] + "…", f"is {len(clean):,} characters long", "emg")
    if not clean.startswith(("emg", "acc")):
        raise _bad_name(source, name, "is not the name of a signal", "emg")
    kind: Kind = "emg" if clean.startswith("emg") else "acc"
    unit = tokens.pop() if len(tokens) > 1 else ""
    scales = dict(SCALES[kind])
    if kind == "emg" and unit == COUNT_UNIT:
        if gain is None:
            raise InputError(
                source,
                "is in counts, whose size in mV is not known",
                f"state the counts per mV (--gain), or leave it out ({typed_map(name, 'ignore')})",
                f"column {name}",
            )
        scales[COUNT_UNIT] = UV_PER_MV / gain
    if unit not in scales:
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
    return ColumnSpec("_".join(tokens), kind, leg, axis, unit, scales[unit])


def plan_channels(
    names: Mapping[str, str] | Iterable[str], source: str, gain: float | None = None
) -> tuple[ChannelPlan, ...]:
    """Group column names into channels.

    Parameters
    ----------
    names : iterable of str, or mapping of str to str
        Column names of this package; as a mapping, from the names in the capture.
    source : str
        File name, for messages.
    gain : float, optional
        Counts per mV of EMG in counts.

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
        spec = parse_column(ours, source, gain)
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


def _clean(name: str) -> str:
    # µ has two code points; case folding maps both to one, which is replaced by u
    return name.strip().casefold().replace("\u03bc", "u")


def _bad_name(source: str, name: str, problem: str, kind: Kind) -> InputError:
    said = _STEM.match(_clean(name))
    example = said[1] if said else "emg1" if kind == "emg" else "acc"
    example += "_uv" if kind == "emg" else f"_{(said and said[2]) or 'x'}_g"
    return InputError(
        source,
        problem,
        f"rename it with its unit, or map it: {typed_map(name, example)} {_EXAMPLES[kind]}",
        f"column {name}",
    )
