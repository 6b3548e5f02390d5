"""The tables of a cohort's dataset: columns, their meaning and units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twitchsense.model.event_table import CONTEXTS, EVENT_COLUMNS, REJECTED_COLUMNS, Column
from twitchsense.results.save import EPOCH_COLUMNS

_NIGHT: Final = Column("night", "str", "name of the night in the list")

NIGHT_COLUMNS: Final = (
    _NIGHT,
    Column("captures", "str", "names of its files"),
    Column("start_utc", "time", "start of the recording, UTC; empty where the clock is unknown"),
    Column("zone", "str", "time zone of the wearer"),
    Column(
        "duration_s",
        "float64",
        "from the first row to the last, gaps included",
        "s",
    ),
    Column("emg_hours", "float64", "hours of valid EMG", "h"),
    Column("acc_hours", "float64", "hours of valid acceleration", "h"),
    Column("sleep_onset_s", "float64", "sleep onset, from the start of the recording", "s"),
    Column("sleep_onset_low_s", "float64", "low end of its interval", "s"),
    Column("sleep_onset_high_s", "float64", "high end of its interval", "s"),
    Column("sleep_onset_source", "str", "source of the estimate"),
    Column("n_events", "int64", "rows in events"),
    Column("n_rejected", "int64", "rows in rejected"),
    Column("notes", "str", "notes of the reader and of the analysis, one per line"),
    Column("summary", "str", "the whole of summary.json"),
    Column("input", "str", "SHA-256 of the captures' content"),
    Column("settings", "str", "hash of the settings"),
    Column("version", "str", "of twitchsense"),
    Column("key", "str", "hash of everything the result depends on"),
    Column("stamp", "str", "hash of path, size and times of its files when they were read"),
    Column("took_s", "float64", "duration of its analysis", "s"),
    Column("cpu_s", "float64", "processor time of its analysis", "s"),
    Column("peak_mb", "float64", "peak memory of its worker so far", "MB"),
)
RATE_COLUMNS: Final = (
    _NIGHT,
    Column("grouping", "str", "what is counted: kind or label"),
    Column("name", "str", "the kind or label"),
    Column("context", "str", "sleep context", levels={"any": "the whole night", **CONTEXTS}),
    Column("count", "int64", "events"),
    Column("hours", "float64", "valid hours in which they could be seen", "h"),
    Column("rate_per_h", "float64", "events per valid hour", "1/h"),
    Column("low", "float64", "low end of the exact 95 % interval", "1/h"),
    Column("high", "float64", "high end", "1/h"),
)
FAILED_COLUMNS: Final = (
    _NIGHT,
    Column("captures", "str", "names of its files"),
    Column(
        "cause",
        "str",
        "kind of the failure",
        levels={
            "input": "a file that can't be used; retried once it, the settings or the "
            "version changes",
            "worker": "the process died twice, or ran out of memory; retried by the next run",
            "error": "an internal error; retried by the next run",
        },
    ),
    Column("reason", "str", "problem and cure"),
    Column("place", "str", "list and line"),
    Column("key", "str", "hash of everything the failure depends on, if it was computed"),
    Column("stamp", "str", "as in nights"),
    Column("version", "str", "of twitchsense"),
)
_EPOCHS: Final = (
    _NIGHT,
    Column("onset", "float64", "start of the epoch", "s"),
    Column("duration", "float64", "its length", "s"),
    *(c for c in EVENT_COLUMNS if c.name in ("context", "stage")),
    *(
        Column(name, "float64", str(about["Description"]), str(about.get("Units", "")))
        for name, about in EPOCH_COLUMNS.items()
    ),
)
#: Every table of a dataset. A night is finished when ``nights`` has its row.
TABLES: Final[Mapping[str, tuple[Column, ...]]] = {
    "events": (_NIGHT, *EVENT_COLUMNS),
    "rejected": (_NIGHT, *REJECTED_COLUMNS),
    "epochs": _EPOCHS,
    "rates": RATE_COLUMNS,
    "nights": NIGHT_COLUMNS,
    "failed": FAILED_COLUMNS,
}
