"""Sampling rates that can be analysed, and what cannot be evaluated at some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from twitchsense.errors import InputError
from twitchsense.model.channels import Channel, Kind
from twitchsense.model.notes import Note

#: Supported sampling rates, Hz.
RATE_LIMITS: Final[Mapping[Kind, tuple[float, float]]] = {
    "emg": (200.0, 4000.0),
    "acc": (25.0, 1000.0),
}
#: Relative tolerance of `RATE_LIMITS`, because fitted rates are not exact.
_TOLERANCE: Final = 0.01
#: Lowest rate (Hz) of an accelerometer for position. Lower ones are those of time columns that
#: were read in a wrong unit.
_LOWEST_ACC_RATE: Final = 2.0

#: Rate below which EMG does not show how long a short potential lasts, Hz (docs/sampling-rates.md).
SHORT_BURST_HZ: Final = 400.0
#: Rate below which acceleration does not show how fast it changes, Hz.
RATE_OF_CHANGE_HZ: Final = 40.0
#: Rate below which the rate of change reads low by more than a quarter, Hz.
LOW_CHANGE_HZ: Final = 60.0
_HIGHER_RATE: Final = "record at a higher rate if the device can"


class SlowAccelerationError(InputError):
    """Acceleration of a rate that shows position, but no movements.

    Parameters
    ----------
    source : str
        File name.
    column : str
    fs : float
        Sampling rate, Hz.
    """

    def __init__(self, source: str, column: str, fs: float) -> None:
        low = RATE_LIMITS["acc"][0]
        super().__init__(
            source,
            f"acceleration at {fs:.4g} Hz cannot show jerks and movements, which need {low:g} Hz",
            "give the EMG of the device as well: it is analysed without the acceleration",
            f"column {column}",
        )


def check_rate(source: str, column: str, kind: Kind, fs: float) -> None:
    """Reject a sampling rate outside `RATE_LIMITS`.

    Parameters
    ----------
    source, column : str
        File name and column, for the message.
    kind : {'emg', 'acc'}
    fs : float
        Sampling rate in Hz.

    Raises
    ------
    SlowAccelerationError
        If acceleration is sampled too slowly, as by an accelerometer for position.
    InputError
        If the rate is outside the limits.
    """
    low, high = RATE_LIMITS[kind]
    if low * (1 - _TOLERANCE) <= fs <= high * (1 + _TOLERANCE):
        return
    if kind == "acc" and _LOWEST_ACC_RATE <= fs < low:
        raise SlowAccelerationError(source, column, fs)
    raise InputError(
        source,
        f"sampling rate of {fs:.6g} Hz, where {kind.upper()} needs {low:g} to {high:g} Hz",
        _cure(fs, low, high),
        f"column {column}",
    )


def _cure(fs: float, low: float, high: float) -> str:
    """Return the cure for a rate out of range: another unit of time, or another rate."""
    for unit, factor in (("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if low <= fs * factor <= high:
            return f"state the unit of the time column (--time-unit {unit}), or resample the signal"
    if fs < low:
        return (
            "leave this signal out, or record it at such a rate; of a table, check the unit of the "
            "time column (seconds)"
        )
    return "check the unit of the time column (seconds), or resample the signal"


def shows_rate_of_change(fs: float) -> bool:
    """Whether acceleration of a sampling rate shows how fast it changes.

    Parameters
    ----------
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    bool
    """
    return fs >= RATE_OF_CHANGE_HZ


def rate_notes(channels: Iterable[Channel]) -> tuple[str, ...]:
    """Return what is not evaluated at the sampling rates of a recording.

    Parameters
    ----------
    channels : iterable of Channel

    Returns
    -------
    tuple of str
        One sentence per channel that is slow.
    """
    notes = []
    for c in channels:
        if c.kind == "emg" and c.fs < SHORT_BURST_HZ:
            notes.append(
                Note(
                    "rate",
                    f"{c.name}: EMG at {c.fs:.4g} Hz shows muscle up to {c.fs / 2:.4g} Hz: "
                    "durations under 20 ms are not judged at this rate, and sizes read low, "
                    "usually by a fifth, of short potentials by half and more",
                    _HIGHER_RATE,
                )
            )
        elif c.kind == "acc" and not shows_rate_of_change(c.fs):
            notes.append(
                Note(
                    "rate",
                    f"{c.name}: the rate of change of acceleration is not judged at this rate "
                    f"({c.fs:.4g} Hz): jerks may be stronger than their grade, and weak ones are "
                    "missed",
                    _HIGHER_RATE,
                )
            )
        elif c.kind == "acc" and c.fs < LOW_CHANGE_HZ:
            notes.append(
                Note(
                    "rate",
                    f"{c.name}: at {c.fs:.4g} Hz the rate of change of acceleration reads low, "
                    "usually by a third: whether a jerk is stronger than its grade is not judged "
                    "at this rate",
                    _HIGHER_RATE,
                )
            )
    return tuple(notes)
