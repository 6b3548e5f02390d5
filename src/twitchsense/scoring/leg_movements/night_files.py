"""Read the stages and respiratory events that belong to a list of leg movements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from twitchsense.scoring.leg_movements.input import check_hypnogram_covers, read_leg_hypnogram
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes
from twitchsense.sleep.lab_files.respiratory_events import read_respiratory_events


@dataclass(frozen=True, slots=True, eq=False)
class NightFiles:
    """Stages and respiratory events on the time axis of the movements.

    Attributes
    ----------
    hypnogram : Hypnogram or None
        With its own notes.
    respiratory : DataFrame or None
        ``onset`` and ``duration`` in seconds.
    notes : tuple of str
        Notes on the respiratory events.
    """

    hypnogram: Hypnogram | None
    respiratory: pd.DataFrame | None
    notes: tuple[str, ...]


def read_night_files(
    movements: pd.DataFrame,
    hypnogram: Path | None,
    respiratory: Path | None,
    codes: Codes | None = None,
    clock: NightClock | None = None,
) -> NightFiles:
    """Read the files of a night.

    Parameters
    ----------
    movements : DataFrame
        From `twitchsense.scoring.leg_movements.input.read_movements`.
    hypnogram, respiratory : Path or None
        Files of stages and of respiratory events.
    codes : mapping of str to str, optional
        Meaning of numeric or unknown stage words.
    clock : NightClock, optional
        From `twitchsense.scoring.leg_movements.lab_clock.movements_clock`.

    Returns
    -------
    NightFiles

    Raises
    ------
    InputError
        Naming the file, the place and the cure; also for a hypnogram that shares no time
        with the movements.
    """
    stages = None if hypnogram is None else read_leg_hypnogram(hypnogram, codes, clock)
    if stages is not None:
        check_hypnogram_covers(movements, stages)
    if respiratory is None:
        return NightFiles(stages, None, ())
    read = read_respiratory_events(respiratory, clock)
    return NightFiles(stages, read.events, read.notes)
