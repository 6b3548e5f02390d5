"""Validate two lists of events before they are matched, and unify the spelling of kinds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.model.event_table import TRIAL_TYPES
from twitchsense.scoring.agreement.matching import TOLERANCE_S
from twitchsense.scoring.event_lists.legs import name_legs
from twitchsense.scoring.event_lists.mark_files import MAX_TIME_S
from twitchsense.scoring.event_lists.mark_kinds import kind_key

#: Row of the table of scores for all events regardless of kind.
ANY: Final = "any"
#: Name of the row and column of events without a partner in the confusion table.
UNMATCHED: Final = "(none)"


def prepare_lists(
    events: pd.DataFrame, truth: pd.DataFrame, ignore: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Validate two lists and return their relevant columns and rows, numbered by row.

    Parameters
    ----------
    events, truth : DataFrame
        ``onset`` and ``duration`` (s) and, optionally, ``trial_type`` and ``leg``.
    ignore : sequence of str
        Kinds to leave out.

    Returns
    -------
    events, truth : DataFrame
        A kind is spelled as in the event table, or else as where it stands first, in the truth
        if it stands there.

    Raises
    ------
    InputError
        See `twitchsense.scoring.agreement.compare_events.match`.
    """
    found, real = _prepare(events, "events"), _prepare(truth, "truth")
    spelling = {key: key for key in TRIAL_TYPES}
    ignored = {kind_key(word) for word in ignore}
    out = []
    for frame in (real, found):
        if "trial_type" in frame:
            keys = {word: kind_key(word) for word in pd.unique(frame["trial_type"])}
            spell = {w: spelling.setdefault(key, w) for w, key in keys.items()}
            left_out = [word for word, key in keys.items() if key in ignored]
            frame = frame[~frame["trial_type"].isin(left_out)]
            frame = frame.assign(trial_type=frame["trial_type"].map(spell).astype(object))
        out.append(frame)
    return out[1], out[0]


def _prepare(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Validate a list and return its relevant columns, numbered by row."""
    out = {}
    for column in ("onset", "duration"):
        if column not in table:
            raise InputError(name, f"has no column {column!r}", "give onset and duration in s")
        try:
            out[column] = table[column].to_numpy(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(
                name, f"{column} is not numeric in every row ({error})", "give seconds"
            ) from error
    if not np.isfinite(out["onset"]).all() or np.isinf(out["duration"]).any():
        raise InputError(name, "an onset or duration is not finite", "give seconds")
    if (out["duration"] < 0).any():
        raise InputError(name, "a duration is negative", "give seconds from onset")
    if (np.abs(out["onset"]) > MAX_TIME_S).any() or (out["duration"] > MAX_TIME_S).any():
        raise InputError(name, "a time is later than 31 years", "give seconds from the start")
    frame = pd.DataFrame(out)
    for column in ("trial_type", "leg"):
        if column in table:
            words = table[column].astype("object").fillna("")
            frame[column] = [str(word) for word in words]
            frame[column] = frame[column].astype("object")
    if "leg" in frame:
        frame["leg"] = name_legs(frame["leg"].tolist(), name)
    for reserved in (ANY, UNMATCHED) if "trial_type" in frame else ():
        if (frame["trial_type"] == reserved).any():
            problem = f"has the kind {reserved!r}, which has another meaning in the result"
            raise InputError(name, problem, "give it another name")
    return frame


def kind_tolerances(given: float | Mapping[str, float] | None) -> dict[str, float]:
    """Return the tolerance by kind.

    Parameters
    ----------
    given : float, mapping of kind to float, or None
        One number for all kinds, or those that differ from `TOLERANCE_S`.

    Returns
    -------
    dict of str to float
        Seconds; the key ``""`` stands for all kinds that are not named.

    Raises
    ------
    InputError
        If one is negative or not finite.
    """
    if given is None:
        out = dict(TOLERANCE_S)
    elif isinstance(given, Mapping):
        out = {**TOLERANCE_S, **given}
    else:
        out = {"": float(given)}
    if not all(math.isfinite(v) and v >= 0 for v in out.values()):
        raise InputError("tolerance", "is negative or not a number", "give seconds")
    return out
