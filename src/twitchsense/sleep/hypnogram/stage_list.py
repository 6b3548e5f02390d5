"""Hypnograms given as one stage per epoch: a list, an array, a Series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.epoch_lengths import EPOCH_S, check_list_length
from twitchsense.sleep.hypnogram.model import Hypnogram, build_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes

#: Stages in order, one for each epoch: words, or numbers with codes.
StageList = Sequence[str] | Sequence[int] | NDArray[Any] | pd.Series

#: Sleep of the vocabularies of YASA with two and three stages.
_STAGES: Final = {"nrem": "asleep", "sleep": "asleep"}
#: No `Note`: that a list begins with the recording is how lists are documented.
NOTE_START: Final = "the hypnogram has no start time: taken to begin with the recording"


def is_stage_list(given: object) -> bool:
    """Return whether an object holds one stage per epoch.

    Parameters
    ----------
    given : object

    Returns
    -------
    bool
    """
    return isinstance(given, (list, tuple, np.ndarray, pd.Series, pd.Categorical))


def hypnogram_from_list(
    given: StageList,
    epoch_s: float | None,
    clock: NightClock | None,
    codes: Codes,
    source: str = "hypnogram",
) -> Hypnogram:
    """Return the hypnogram of a list that begins with the recording.

    Parameters
    ----------
    given : list, ndarray or Series
        One stage per epoch; a missing value is unscored.
    epoch_s : float or None
        Length of an epoch in seconds. If None, epochs are 30 s long, and a list that epochs
        of another usual length would fit better is refused.
    clock : NightClock or None
        Of the recording.
    codes : mapping of str to str
        Meaning of numbers and of additional words, in lower case.
    source : str
        Name in messages.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If the list is empty or not one-dimensional, a stage is unknown, or the epochs do not
        fit the recording.
    """
    values = np.asarray(given, dtype=object)
    if values.ndim != 1:
        raise InputError(
            source, f"has the shape {values.shape}", "give one stage per epoch, in one dimension"
        )
    if epoch_s is not None and not 0 < epoch_s <= 3600:
        raise InputError(
            "epoch_s", f"{epoch_s:g} is not an epoch length", "give seconds, such as 30"
        )
    words = ["?" if pd.isna(value) else str(value) for value in values]
    zero_s = 0.0
    if clock is not None:
        length_s = (clock.stop_us - clock.start_us) / 1e6
        check_list_length(len(words), length_s, source, epoch_s, "give epoch_s, the length in s")
        zero_s = clock.start_us / 1e6
    return place_epochs(words, zero_s, epoch_s or EPOCH_S, codes, source, (NOTE_START,))


def place_epochs(
    words: Sequence[str],
    zero_s: float,
    epoch_s: float,
    codes: Codes,
    source: str,
    notes: tuple[str, ...] = (),
) -> Hypnogram:
    """Return epochs of one length that follow each other.

    Parameters
    ----------
    words : sequence of str
        Stage of each epoch as written in the source.
    zero_s : float
        Start of the first epoch, seconds from the start of the recording.
    epoch_s : float
        Length of an epoch, seconds.
    codes : mapping of str to str
        Meaning of numbers and of additional words, in lower case.
    source : str
        Name in messages.
    notes : tuple of str
        Assumptions made.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If there is no epoch, or a stage is unknown.
    """
    onset = np.asarray(zero_s + epoch_s * np.arange(len(words)), np.float64)
    made = build_hypnogram(
        onset, np.full(len(words), epoch_s), words, source, lambda k: f"epoch {k}",
        {**_STAGES, **codes},
    )  # fmt: skip
    return Hypnogram(made.onset_s, made.duration_s, made.stage, source, notes)
