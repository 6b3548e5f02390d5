"""Which streams of a device can be analysed, and the conversion of their samples to µV and g."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.streams import StreamDescription
from twitchsense.errors import InputError
from twitchsense.model.channels import Kind
from twitchsense.model.column_names import SCALES, UV_PER_MV, plan_channels

#: End of the reason for which EMG without a unit is left out.
GAIN_CURE: Final = " (give --gain, counts per mV)"
#: Units of column names, by unit of the stream.
_COLUMN_UNITS: Final = {"uV": "uv", "mV": "mv", "g": "g", "count": "uv"}
#: A column of each kind, whose sampling rate is checked like that of a capture.
_EXAMPLE_COLUMNS: Final = {"emg": "emg1_uv", "acc": "acc_x_g"}


def stated_gain(settings: Mapping[str, str]) -> float | None:
    """Return the counts per mV that the user stated of a device, or None.

    Parameters
    ----------
    settings : mapping of str to str
        What the user said of the device.

    Returns
    -------
    float or None
    """
    try:
        gain = float(settings.get("gain", ""))
    except ValueError:
        return None
    return gain if 0 < gain < math.inf else None


def reason_to_leave_out(stream: StreamDescription, settings: Mapping[str, str]) -> str:
    """Return why a stream cannot be analysed.

    Parameters
    ----------
    stream : StreamDescription
    settings : mapping of str to str
        What the user said of the device.

    Returns
    -------
    str
        Empty if it can.
    """
    if stream.kind != "emg" and stream.kind != "acc":
        return "no EMG or acceleration"
    try:
        plan_channels([_EXAMPLE_COLUMNS[stream.kind]], "")[0].check_rate("", stream.fs)
    except InputError as error:
        return error.problem
    if stream.unit == "count" and stream.kind == "acc":
        return "the acceleration has no unit (record with --option unit=g)"
    if stream.unit == "count" and stated_gain(settings) is None:
        return f"its values have no unit{GAIN_CURE}"
    return ""


def to_column_unit(stream: StreamDescription) -> str:
    """Return the unit in the names of the columns of a stream that is analysed."""
    return _COLUMN_UNITS[stream.unit]


def to_column_values(
    stream: StreamDescription, settings: Mapping[str, str], samples: NDArray[Any]
) -> NDArray[np.float64]:
    """Convert samples to the unit of their columns.

    Parameters
    ----------
    stream : StreamDescription
        A stream that is analysed.
    settings : mapping of str to str
        What the user said of the device.
    samples : ndarray, shape (n, width)
        As sent by the device.

    Returns
    -------
    ndarray of float64, shape (n, width)
    """
    values = stream.to_physical(samples)
    gain = stated_gain(settings)
    if stream.unit == "count" and gain is not None:
        values = values * (UV_PER_MV / gain)
    return values


def to_base_values(
    stream: StreamDescription, settings: Mapping[str, str], samples: NDArray[Any]
) -> NDArray[np.float64]:
    """Convert samples to µV or g; see `to_column_values`."""
    kind: Kind = "emg" if stream.kind == "emg" else "acc"
    scale = SCALES[kind][to_column_unit(stream)]
    return to_column_values(stream, settings, samples) * scale
