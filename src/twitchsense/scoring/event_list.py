"""Event lists from files: our own ``events.csv``, a truth, a human scoring."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.text_table import MISSING, read_table

#: Seconds; more (31 years) is no time of a night, and its microseconds may not fit.
LATEST_S: Final = 1e9


def read_events(path: str | PathLike[str]) -> pd.DataFrame:
    """Read an event list from CSV or TSV.

    Parameters
    ----------
    path : path
        Columns ``onset`` and ``duration`` in seconds (``duration`` may be empty
        or ``n/a``), and optionally ``trial_type``, ``leg`` and any others,
        which stay as text.

    Raises
    ------
    InputError
        Naming the file, the line and the cure.
    """
    table = read_table(Path(path))
    table.require("onset", "duration")
    onset, duration = table.numbers("onset"), table.numbers("duration", missing=True)
    if (duration < 0).any():
        place = table.place(int(np.argmax(duration < 0)))
        raise InputError(table.source, "duration is negative", "give seconds from onset", place)
    far = (np.abs(onset) > LATEST_S) | (duration > LATEST_S)
    if far.any():
        place = table.place(int(np.argmax(far)))
        raise InputError(table.source, "a time is beyond 31 years", "give seconds", place)
    out = {name: pd.Series(words, dtype="object") for name, words in table.columns.items()}
    for name in ("trial_type", "leg"):
        if name in out:
            out[name] = out[name].where(~out[name].str.lower().isin(MISSING), "")
    return pd.DataFrame({**out, "onset": onset, "duration": duration})
