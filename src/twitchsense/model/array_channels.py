"""Channels from arrays in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from twitchsense.errors import InputError
from twitchsense.model.channels import NS, ArraySamples, Channel, Samples, Segment
from twitchsense.model.column_names import RawColumn, finite_rows, plan_channels
from twitchsense.model.intervals import runs_of

#: Samples that are looked at together.
PIECE: Final = 1 << 16
_CURE: Final = "give a mapping such as {'emg1_uv': (samples, fs)}, with fs in Hz"


def channels_from_arrays(
    signals: Mapping[str, tuple[ArrayLike, float]],
) -> tuple[tuple[Channel, ...], tuple[Segment, ...], int]:
    """Build channels and gap-free segments from named arrays.

    Parameters
    ----------
    signals : mapping of str to (samples, fs)
        Keys are column names with units; samples have shape ``(n,)``, `fs` is in Hz.
        EMG that is float32 in µV is not copied.

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
        raise InputError(source, f"is of the type {type(signals).__name__}", _CURE)
    if not signals:
        raise InputError(source, "holds no signal", _CURE)
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
        samples = plan.samples(raw)
        channels.append(plan.channel(fs))
        end_ns = max(end_ns, round(len(samples) * NS / fs))
        for start, stop in _finite_runs(samples):
            time_ns = round(start * NS / fs)
            segments.append(Segment(plan.name, time_ns, ArraySamples(samples[start:stop])))
    return tuple(channels), tuple(segments), end_ns


def _finite_runs(samples: Samples) -> list[tuple[int, int]]:
    """Return the runs of valid samples, asked piece by piece: fresh memory is slow."""
    runs: list[tuple[int, int]] = []
    for first in range(0, len(samples), PIECE):
        for start, stop in runs_of(finite_rows(samples[first : first + PIECE])):
            joined = bool(runs) and runs[-1][1] == first + start
            begin = runs.pop()[0] if joined else first + start
            runs.append((begin, first + stop))
    return runs


def _to_pair(source: str, name: str, pair: object) -> tuple[ArrayLike, float]:
    """Return samples and rate; raise InputError if they are not a pair."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or np.ndim(pair[1]) != 0:
        problem = "comes without its sampling rate"
        raise InputError(source, problem, _CURE, f"column {name}")
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
