"""Lengths of epochs in files that give onsets alone, and whether a list fits a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.model import infer_epoch_length, to_us

#: Epoch length (s) of a list without times (AASM; default of YASA).
EPOCH_S: Final = 30.0
#: Other epoch lengths (s) in use.
_OTHER_EPOCHS_S: Final = (1, 2, 4, 5, 10, 15, 20, 60)
#: Epochs are at most this long, s; a list of changes may have longer steps only.
_LONGEST_EPOCH_S: Final = 60.0
#: A list of this many epochs repeats a stage somewhere; a list of changes never does.
_MANY_ROWS: Final = 10
#: A list may be longer than the recording by this much, s: two epochs.
_TOLERANCE_S: Final = 60.0
NOTE_CHANGES: Final = (
    "the hypnogram has no durations and never repeats a stage: each stage is taken to last until "
    "the next row, and the last one for 30 s"
)


def lengths_from_onsets(
    onset_s: NDArray[np.float64],
    words: Sequence[str],
    source: str,
    place: Callable[[int], str],
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the length of each epoch of a table without durations.

    Equal steps are epochs. A table that repeats stages, or in which most steps are equal and
    at most 60 s, has epochs as long as the shortest step, and holes where steps are multiples
    of it. Any other table lists changes: each stage lasts until the next.

    Parameters
    ----------
    onset_s : ndarray of float64, shape (n,)
        Seconds.
    words : sequence of str, length n
        Stages as written.
    source : str
        Name of the file or table in messages.
    place : callable
        Maps a row number (from 0) to its place in the source, for messages.

    Returns
    -------
    length_s : ndarray of float64, shape (n,)
        Seconds.
    notes : tuple of str

    Raises
    ------
    InputError
        If the onsets do not increase, or both readings are possible.
    """
    step = np.diff(to_us(onset_s))
    repeats = any(a.lower() == b.lower() for a, b in pairwise(words))
    if len(step) == 0 or (step <= 0).any() or repeats or (step == step[0]).all():
        shortest = infer_epoch_length(onset_s, source, place)
        return np.full(len(onset_s), shortest), ()
    if step.min() / 1e6 <= _LONGEST_EPOCH_S and 2 * (step == step.min()).sum() > len(step):
        return np.full(len(onset_s), infer_epoch_length(onset_s, source, place)), ()
    if step.min() / 1e6 > _LONGEST_EPOCH_S or len(onset_s) >= _MANY_ROWS:
        return np.append(step / 1e6, EPOCH_S), (NOTE_CHANGES,)
    raise InputError(
        source,
        "has no column 'duration', and a stage may last one step or until the next row",
        "give the column duration (s)",
        place(1 + int(np.argmax(step != step[0]))),
    )


def check_list_length(
    count: int,
    recording_s: float,
    source: str,
    epoch_s: float | None = None,
    cure: str = "give the columns onset and duration (s) beside the stages",
) -> None:
    """Refuse a list of epochs without times that cannot begin with the recording.

    Parameters
    ----------
    count : int
        Number of epochs.
    recording_s : float
        Length of the recording, seconds.
    source : str
        Name of the file in messages.
    epoch_s : float, optional
        Length of an epoch, if it is given.
    cure : str
        Remedy in the message.

    Raises
    ------
    InputError
        If 30-s epochs are longer than the recording, or epochs of another usual length
        fill it exactly.
    """
    length_s = count * (epoch_s or EPOCH_S)
    if recording_s <= 0 or abs(length_s - recording_s) <= _TOLERANCE_S:
        return
    fitting = [e for e in _OTHER_EPOCHS_S if abs(count * e - recording_s) <= 2 * e]
    if epoch_s is not None:
        fitting = []
    if length_s < recording_s and not fitting:
        return
    problem = (
        f"has {count} epochs without times: {length_s / 60:.1f} min as "
        f"{epoch_s or EPOCH_S:g}-s epochs, where the recording has {recording_s / 60:.1f} min"
    )
    if fitting:
        problem += f" (epochs of {fitting[0]} s would fill it)"
    raise InputError(source, problem, cure)
