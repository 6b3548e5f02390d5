"""Quality of the EMG, second by second: whether muscle activity can be evaluated at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.model.notes import Note
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

#: Minimum recorded time (s), and share of it that is not valid, for a note.
_MIN_NOTED_S: Final = 30.0
_MIN_UNUSABLE: Final = 0.5


class EmgQuality:
    """Reports whether one EMG segment can show muscle activity, or at least a jerk, at a time.

    The last whole second before that time decides, because it has certainly been processed; the
    first second of a segment counts as usable. The same object is queried while a recording
    streams and when the night is classified again on aligned clocks, so both results are equal.

    Parameters
    ----------
    start_ns : int
        Time of the first sample of the segment.
    fs : float
        Sampling rate, Hz.
    samples_per_s : int
        Samples in a second of the per-second statistics.
    settings : Settings

    Attributes
    ----------
    stop_ns : int
        Time just after the newest sample.
    """

    def __init__(self, start_ns: int, fs: float, samples_per_s: int, settings: Settings) -> None:
        self._start_ns, self._fs, self._samples_per_s = start_ns, fs, samples_per_s
        # up to the first limit all muscle activity is visible, up to the second that of a jerk
        self._limits_uv = settings.emg.max_floor_uv, settings.jerk.masked_uv
        self._alive = bytearray()  # neither flat nor saturated
        self._exceeded = bytearray()  # number of limits that the noise floor exceeds
        self._first = 0  # second at which both begin
        self.stop_ns = start_ns

    def add_signal(self, alive: NDArray[np.bool_]) -> None:
        """Add whether the signal of the next seconds is neither flat nor saturated.

        Parameters
        ----------
        alive : ndarray of bool, shape (n,)
        """
        self._alive += alive.tobytes()

    def add_floor(self, floor_uv: NDArray[np.float64]) -> None:
        """Add the noise floor of the next seconds, µV.

        Parameters
        ----------
        floor_uv : ndarray, shape (n,)
        """
        self._exceeded += np.searchsorted(self._limits_uv, floor_uv).astype(np.uint8).tobytes()

    def valid(self, n: int, n_known: int) -> NDArray[np.bool_]:
        """Return whether muscle activity can be evaluated in each second since the start.

        Parameters
        ----------
        n : int
            Number of seconds.
        n_known : int
            Number of seconds whose noise floor is known; the others are not valid.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        valid = np.frombuffer(self._alive, np.bool_)[:n].copy()
        valid[:n_known] &= np.frombuffer(self._exceeded, np.uint8)[:n_known] == 0
        valid[n_known:] = False
        return valid

    def usable(self, time_ns: int) -> bool:
        """Whether the segment covers a time, and muscle activity can be evaluated there.

        Parameters
        ----------
        time_ns : int

        Returns
        -------
        bool
        """
        return self._covers(time_ns) and self._limits_exceeded(time_ns) == 0

    def shows_jerks(self, time_ns: int) -> bool:
        """Whether the segment covers a time, and the burst of a jerk would be visible there.

        Parameters
        ----------
        time_ns : int

        Returns
        -------
        bool
        """
        return self._covers(time_ns) and self._limits_exceeded(time_ns) < len(self._limits_uv)

    def discard(self, before_ns: int) -> None:
        """Discard the seconds before a time.

        Parameters
        ----------
        before_ns : int
        """
        drop = min(self._second(before_ns) - self._first, len(self._alive), len(self._exceeded))
        if drop > 0:
            del self._alive[:drop], self._exceeded[:drop]
            self._first += drop

    def _covers(self, time_ns: int) -> bool:
        return self._start_ns <= time_ns < self.stop_ns

    def _second(self, time_ns: int) -> int:
        seconds = (time_ns - self._start_ns) / NS
        return int(seconds * self._fs // self._samples_per_s)

    def _limits_exceeded(self, time_ns: int) -> int:
        at = self._second(time_ns) - 1 - self._first
        if at < 0 or at >= len(self._alive):
            return 0
        if not self._alive[at]:
            return len(self._limits_uv)
        return self._exceeded[at] if at < len(self._exceeded) else 0


def unusable_notes(seconds: Mapping[str, PerSecond], settings: Settings) -> list[Note]:
    """Return a note for each EMG channel that could not be evaluated most of the time.

    Parameters
    ----------
    seconds : mapping of channel name to PerSecond
    settings : Settings

    Returns
    -------
    list of Note
        With the reason and its cure.
    """
    notes: list[Note] = []
    limit_uv = settings.emg.max_floor_uv
    for name, table in seconds.items():
        recorded_s = float(table.length_s.sum())
        if table.kind != "emg" or recorded_s < _MIN_NOTED_S:
            continue
        bad = ~table.valid
        share = float(table.length_s[bad].sum()) / recorded_s
        if share <= _MIN_UNUSABLE:
            continue
        text = f"{name}: {100 * share:.0f} % of the time could not be evaluated: "
        level_uv = float(np.median(table.level[bad]))
        if level_uv > limit_uv:
            text += (
                f"the noise at rest is {level_uv:.3g} µV, and above {limit_uv:g} µV muscle "
                "activity cannot be told from it"
            )
            cure = "check the contact of the electrodes, and the unit or gain of the channel"
        else:
            text += "it was flat, or at an end of its range"
            cure = "check the electrodes and their cable, and the gain"
        notes.append(Note("signal", text, cure))
    return notes
