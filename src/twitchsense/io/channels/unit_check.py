"""Checks whether values can be in the unit that the name of their column states."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.channels import Kind, Samples
from twitchsense.model.column_names import (
    COUNT_UNIT,
    STANDARD_GRAVITY,
    VALUE_LIMITS,
    ChannelPlan,
)
from twitchsense.model.notes import Note

#: Maximum fraction of impossible values. Above it the unit is wrong; below it, the values are
#: taken as gaps.
_MAX_IMPOSSIBLE: Final = 1e-3
#: Maximum number of impossible values that are kept for the message.
_KEPT_IMPOSSIBLE: Final = 1000
#: One of this many acceleration samples is kept to check gravity.
_GRAVITY_STEP: Final = 64
#: Median acceleration (g) above which the unit is wrong.
_MAX_GRAVITY_G: Final = 16
#: Values (mV) up to which volts may as well be millivolts.
_MAX_EMG_MV: Final = 10
#: Range of the median acceleration (g) that causes no note.
_GRAVITY_RANGE_G: Final = (0.5, 2)


class UnitCheck:
    """Checks whether the values of a channel can be in the unit of its column name.

    Parameters
    ----------
    kind : {'emg', 'acc'}

    Attributes
    ----------
    impossible_count : int
        Number of samples beyond `VALUE_LIMITS`.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._limit = VALUE_LIMITS[kind]
        self._impossible: list[float] = []
        self._peak = 0.0
        self._magnitudes: list[NDArray[np.float64]] = []
        self._count = 0
        self.impossible_count = 0

    def mask_impossible(self, samples: Samples, valid: NDArray[np.bool_]) -> None:
        """Clear `valid` where a value is beyond `VALUE_LIMITS`, and count these samples.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, width)
            In µV or g.
        valid : ndarray of bool, shape (n,)
            Changed in place.
        """
        if not len(samples):
            return
        # min and max are much cheaper than abs; fmin and fmax ignore NaN
        peak = max(-float(np.fmin.reduce(samples, None)), float(np.fmax.reduce(samples, None)))
        if peak > self._limit:
            with np.errstate(invalid="ignore"):
                impossible = valid & (np.abs(samples) > self._limit).any(axis=1)
            self.impossible_count += int(impossible.sum())
            if len(self._impossible) < _KEPT_IMPOSSIBLE:
                magnitudes = np.abs(samples[impossible]).max(axis=1)
                self._impossible.extend(magnitudes[:_KEPT_IMPOSSIBLE].tolist())
            valid &= ~impossible
            peak = self._limit
        self._peak = max(self._peak, peak)

    def add_valid(self, samples: Samples) -> None:
        """Add valid samples to the statistics.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, width)
            In µV or g.
        """
        if self._kind == "acc":
            subset = samples[-self._count % _GRAVITY_STEP :: _GRAVITY_STEP].astype(np.float64)
            self._magnitudes.append(np.sqrt((subset * subset).sum(axis=1)))
        self._count += len(samples)

    def conclude(self, plan: ChannelPlan, source: str, *, is_night: bool = False) -> list[str]:
        """Return notes on implausible values.

        Parameters
        ----------
        plan : ChannelPlan
            The channel, with the column names of `source`.
        source : str
            File to name in the message.
        is_night : bool
            See `signal_notes`.

        Returns
        -------
        list of str

        Raises
        ------
        InputError
            If the values cannot be in the unit of the column name.
        """
        notes: list[str] = []
        name, unit = plan.names[0], plan.specs[0].unit
        if self.impossible_count > _MAX_IMPOSSIBLE * (self._count + self.impossible_count):
            typical = float(np.median(self._impossible)) / plan.specs[0].scale
            raise InputError(
                source,
                f"values around {typical:.3g} {unit} cannot come from this sensor",
                _likely_unit(plan, typical),
                f"column {name}",
            )
        if self.impossible_count:
            n = self.impossible_count
            what = "1 impossible value is" if n == 1 else f"{n} impossible values are"
            notes.append(f"{plan.name}: {what} treated as missing")
        if plan.kind == "emg":
            if 0 < self._peak < 1:
                notes.append(
                    Note(
                        "signal",
                        f"{plan.name}: never beyond {self._peak:.2g} uV; is {name} really in "
                        f"{unit}?",
                        "name the column with its true unit, or check the sensor",
                    )
                )
            return notes
        gravity = float(np.median(np.concatenate(self._magnitudes)))
        typical = gravity / plan.specs[0].scale
        if gravity > _MAX_GRAVITY_G:
            raise InputError(
                source,
                f"half of the values are beyond {typical:.3g} {unit}, which no leg reaches",
                _likely_unit(plan, typical),
                f"column {name}",
            )
        low, high = _GRAVITY_RANGE_G
        if gravity > high or (gravity < low and len(plan.specs) == 3):
            hint = _likely_unit(plan, typical) if gravity > high else "check gain and unit"
            if is_night:  # its unit is that of the device
                hint = "check the sensor"
            notes.append(
                Note("unit", f"{plan.name}: {gravity:.3g} g at rest instead of 1 g; {hint}")
            )
        return notes


def _likely_unit(plan: ChannelPlan, typical: float) -> str:
    """Return what unit a column may be in.

    Parameters
    ----------
    plan : ChannelPlan
    typical : float
        Typical value, in the unit of the column name.
    """
    unit = plan.specs[0].unit
    name = plan.specs[0].canonical.rpartition("_")[0]
    if plan.kind == "emg":
        if unit == COUNT_UNIT:
            return "correct the counts per mV (--gain)"
        if unit == "v" and typical <= _MAX_EMG_MV:
            return f"if these are mV or uV, name the column {name}_mv or {name}_uv"
        if unit != "uv":
            factor = plan.specs[0].scale
            return f"if these are uV, which are {factor:g} times smaller, name the column {name}_uv"
        return "if these are raw converter counts or nV, convert them to uV first"
    if abs(typical * plan.specs[0].scale / STANDARD_GRAVITY - 1) < 0.3 and unit == "g":
        return (
            f"if these are m/s2, which are {STANDARD_GRAVITY} times larger, name the column "
            f"{name}_ms2"
        )
    if unit != "mg" and typical < 20_000:
        return f"if these are mg, which are 1000 times smaller, name the column {name}_mg"
    return "if these are raw converter counts, convert them to g first"
