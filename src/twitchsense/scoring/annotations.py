"""Convert events for other programs: MNE annotations and BIDS tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.model.event_table import EVENT_COLUMNS
from twitchsense.scoring.glossary import glossary
from twitchsense.settings import Settings
from twitchsense.text import escape_formula

if TYPE_CHECKING:
    from mne import Annotations

#: First columns of a BIDS table of events.
_BIDS_FIRST: Final = ("onset", "duration")
#: HED tags (schema 8.4.0) of each kind of event: what a program found in the data.
_FOUND: Final = "Data-feature, Computed-feature"
_HED: Final = {
    "twitch": f"{_FOUND}, (Label/Twitch, Lower-extremity)",
    "jerk": f"{_FOUND}, (Label/Jerk, Move-lower-extremity)",
    "brief_contraction": f"{_FOUND}, (Label/Brief-contraction, Lower-extremity)",
    "movement": f"{_FOUND}, (Label/Leg-movement, Move-lower-extremity)",
    "gross_movement": f"{_FOUND}, (Label/Gross-movement, Move-body)",
    "posture_change": f"{_FOUND}, (Label/Posture-change, Move-body)",
    "jolt": f"{_FOUND}, (Label/Jolt, Move-body)",
}
#: Missing value in BIDS.
_NA: Final = "n/a"


def to_annotations(
    events: pd.DataFrame,
    start_utc_ns: int | None = None,
    description: str = "label",
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Annotations:
    """Return events as MNE annotations.

    The other columns of each event are its `extras`: text, numbers, None where missing.

    Parameters
    ----------
    events : DataFrame
        An event table.
    start_utc_ns : int, optional
        UTC of the recording's zero, ns since 1970; becomes ``orig_time``.
    description : str
        The column that names the annotations: ``label`` or ``trial_type``.
    columns : mapping of str to sequence of str, optional
        Names in the MNE recording of each channel's columns (``{"acc": ["acc_x_g", ...]}``),
        which become the `ch_names` of its events. Without them, annotations are of all
        channels.

    Returns
    -------
    mne.Annotations

    Raises
    ------
    MissingExtraError
        If MNE is not installed.
    InputError
        If there is no such column.
    """
    if description not in events.columns:
        names = ", ".join(map(str, events.columns))
        raise InputError("events", f"have no column {description!r}", f"use one of {names}")
    try:
        import mne
    except ImportError as error:
        raise MissingExtraError("mne", "making MNE annotations") from error
    start = None
    if start_utc_ns is not None:
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start_utc_ns // 1000)
    channels = events["channel"] if "channel" in events else [""] * len(events)
    return mne.Annotations(
        onset=events["onset"].to_numpy(float),
        duration=events["duration"].fillna(0.0).to_numpy(float),
        description=[str(word) or _NA for word in events[description]],
        orig_time=start,
        ch_names=None if columns is None else [tuple(columns.get(c, ())) for c in channels],
        extras=_extras(events.drop(columns=["onset", "duration", description])),
    )


def since(table: pd.DataFrame, zero_s: float) -> pd.DataFrame:
    """Return a table whose ``onset`` counts from another time.

    Parameters
    ----------
    table : DataFrame
    zero_s : float
        That time, s on the axis of the onsets.

    Returns
    -------
    DataFrame
    """
    return table.assign(onset=table["onset"] - zero_s) if zero_s else table


def _extras(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the cells of each row, None where they are missing."""
    names = [str(name) for name in table.columns]
    return [
        {
            name: None if value == "" or value != value else value
            for name, value in zip(names, row, strict=True)
        }
        for row in table.astype(object).itertuples(index=False, name=None)
    ]


def to_bids(
    events: pd.DataFrame, settings: Settings | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return events as a BIDS ``events.tsv`` table and its JSON sidecar.

    All columns are text. A missing value is ``n/a``; times have six decimals. Text that
    a spreadsheet would evaluate as a formula is preceded by an apostrophe.

    Parameters
    ----------
    events : DataFrame
        An event table.
    settings : Settings, optional
        The settings that made the table; without them, the sidecar names the settings
        instead of stating their values.

    Returns
    -------
    table : DataFrame
        ``onset``, ``duration``, ``trial_type`` and the other columns.
    sidecar : dict
        Description, unit and levels of each column.
    """
    numbers = {c.name for c in EVENT_COLUMNS if c.dtype == "float64"}
    names = [str(name) for name in events.columns]
    order = [*_BIDS_FIRST, *(n for n in names if n not in _BIDS_FIRST)]
    table = pd.DataFrame(
        {
            name: [_number(float(v), name) for v in events[name]]
            if name in numbers
            else [_word(v) for v in events[name]]
            for name in order
        },
        columns=order,
        dtype=object,
    )
    entries = {name: dict(entry) for name, entry in glossary(settings).items()}
    if "trial_type" in order:
        entries["trial_type"]["HED"] = dict(_HED)
    return table.rename(columns=_word), {name: entries[name] for name in order if name in entries}


def _number(value: float, name: str) -> str:
    if not math.isfinite(value):
        return _NA
    return f"{value:.6f}" if name in _BIDS_FIRST else f"{value:.6g}"


def _word(value: object) -> str:
    text = " ".join(str(value).split())
    return (escape_formula(text) if isinstance(value, str) else text) or _NA
