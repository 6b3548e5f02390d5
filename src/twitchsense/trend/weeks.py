"""Many nights together: typical rates, their variation, and comparisons by a diary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.trend.association import (
    CAUSE_DISCLAIMER,
    MIN_NIGHTS,
    MIN_NIGHTS_PER_GROUP,
    Association,
    compare_nights,
    to_table,
)
from twitchsense.trend.diary import Diary, read_diary
from twitchsense.trend.exposure import MAX_EXPOSURES, Exposure, select_exposures
from twitchsense.trend.nights import (
    MIN_NIGHTS_FOR_TYPICAL,
    MIN_VALID_HOURS,
    OUTCOMES,
    find_result_directories,
    read_nights,
)

#: Number of bootstrap samples.
_N_BOOTSTRAP: Final = 2000


@dataclass(frozen=True, slots=True)
class TypicalRate:
    """The distribution of nightly rates of one outcome.

    Attributes
    ----------
    n : int
        Number of nights with enough valid signal. All other values are NaN if it is below
        five.
    median, lower_quartile, upper_quartile : float
        Events per hour.
    mean : float
        All events divided by all valid hours.
    mean_low, mean_high : float
        95 % interval of the mean, by resampling nights (percentile bootstrap).
    sd_log_rate : float
        Standard deviation of log(1 + rate) between nights.
    """

    n: int
    median: float = math.nan
    lower_quartile: float = math.nan
    upper_quartile: float = math.nan
    mean: float = math.nan
    mean_low: float = math.nan
    mean_high: float = math.nan
    sd_log_rate: float = math.nan

    def to_dict(self) -> dict[str, float]:
        """Return the values under their names in ``trend.json``."""
        return {
            "n": self.n,
            "median": self.median,
            "quarter": self.lower_quartile,
            "three_quarters": self.upper_quartile,
            "mean": self.mean,
            "low": self.mean_low,
            "high": self.mean_high,
            "spread": self.sd_log_rate,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Weeks:
    """Many nights, their typical rates, and comparisons by a diary.

    Attributes
    ----------
    nights : DataFrame
        One row per evening; see `twitchsense.trend.nights.read_nights`. The columns of the
        diary follow, as ``diary_NAME``.
    typical : dict of str to TypicalRate
        By outcome.
    exposures : tuple of str
        The exposures tested, as the user wrote them.
    comparisons : tuple of Association
        One for each exposure, outcome and lag.
    notes : tuple of str
        Messages to the user.
    """

    nights: pd.DataFrame
    typical: dict[str, TypicalRate]
    exposures: tuple[str, ...] = ()
    comparisons: tuple[Association, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        evenings = self.nights["evening"].dropna()
        dates = f", {min(evenings)} to {max(evenings)}" if len(evenings) else ""
        return f"<Weeks: {len(self.nights)} nights{dates}; {len(self.comparisons)} comparisons>"

    @property
    def associations(self) -> pd.DataFrame:
        """The comparisons as a table, one row per exposure, outcome and lag."""
        return to_table(self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``trend.json``."""
        return {
            "n_nights": len(self.nights),
            "nights": [
                {str(k): _to_json(v) for k, v in row.items()}
                for row in self.nights.to_dict(orient="records")
            ],
            "usual": {kind: rate.to_dict() for kind, rate in self.typical.items()},
            "exposures": list(self.exposures),
            "associations": [asdict(a) for a in self.comparisons],
            "rules": {
                "least_nights": MIN_NIGHTS,
                "least_on_each_side": MIN_NIGHTS_PER_GROUP,
                "least_for_usual": MIN_NIGHTS_FOR_TYPICAL,
                "least_hours": MIN_VALID_HOURS,
                "most_exposures": MAX_EXPOSURES,
            },
            "cause": CAUSE_DISCLAIMER,
            "notes": list(self.notes),
        }


def read_weeks(
    results: Sequence[str | PathLike[str]],
    diary: str | PathLike[str] | Diary | None = None,
    exposures: Sequence[str] = (),
) -> Weeks:
    """Read the results of many nights, and compare the nights by a diary.

    Parameters
    ----------
    results : sequence of path-like
        Directories that `Night.save` or ``twitchsense analyze`` wrote, or directories that
        hold such directories.
    diary : path-like or Diary, optional
        CSV, TSV, TOML or YAML file with a ``date`` per evening.
    exposures : sequence of str, optional
        At most three exposures, chosen before the result is known: columns of the diary,
        which may have a threshold, such as ``alcohol_g``, ``caffeine_mg>200`` or
        ``exercise=run``. By default those that the diary names, or all its columns if they
        are at most three.

    Returns
    -------
    Weeks

    Raises
    ------
    InputError
        For a directory without results, a diary that cannot be read, or an exposure that it
        does not have.
    MissingExtraError
        For a diary in YAML without the extra ``yaml``.
    """
    if diary is None and exposures:
        raise InputError(
            "exposures", "need a diary to look them up in", "give --diary FILE (in Python: diary=)"
        )
    table, notes = read_nights(find_result_directories([Path(r) for r in results]))
    if len(table) < MIN_NIGHTS_FOR_TYPICAL:
        notes.append(
            f"{len(table)} of the {MIN_NIGHTS_FOR_TYPICAL} nights needed to say what is usual: "
            "single nights differ much from each other"
        )
    n_short = int((table[[f"{k}_hours" for k in OUTCOMES]].max(axis=1) < MIN_VALID_HOURS).sum())
    if n_short:
        notes.append(
            f"nights with under {MIN_VALID_HOURS:g} h of valid signal, left out: {n_short}"
        )
    typical = {kind: _typical_rate(table, kind) for kind in OUTCOMES}
    if diary is None:
        return Weeks(table, typical, notes=tuple(notes))
    if not isinstance(diary, Diary):
        diary = read_diary(Path(diary))
    selected = select_exposures(diary, exposures)
    notes += _diary_notes(table, diary, selected)
    comparisons = tuple(compare_nights(table, diary, selected))
    names = tuple(e.name for e in selected)
    return Weeks(_with_diary(table, diary), typical, names, comparisons, tuple(notes))


def _typical_rate(table: pd.DataFrame, kind: str) -> TypicalRate:
    known = table[table[f"{kind}_hours"] >= MIN_VALID_HOURS]
    n = len(known)
    if n < MIN_NIGHTS_FOR_TYPICAL:
        return TypicalRate(n)
    count = known[f"{kind}_count"].to_numpy(np.float64)
    hours = known[f"{kind}_hours"].to_numpy(np.float64)
    rate = count / hours
    sample = np.random.default_rng(0).integers(0, n, (_N_BOOTSTRAP, n))
    means = count[sample].sum(axis=1) / hours[sample].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    lower, median, upper = np.quantile(rate, [0.25, 0.5, 0.75])
    return TypicalRate(
        n,
        float(median),
        float(lower),
        float(upper),
        float(count.sum() / hours.sum()),
        float(low),
        float(high),
        float(np.log1p(rate).std(ddof=1)),
    )


def _diary_notes(table: pd.DataFrame, diary: Diary, selected: list[Exposure]) -> list[str]:
    evenings = {e for e in table["evening"] if isinstance(e, date)}
    notes = list(diary.notes)
    if diary.days:
        first = min(diary.days)
        notes.append(
            f"the diary has {len(diary.days)} evenings; its {first} is the night that began in the "
            f"evening of {first.day} {first:%B %Y}; {len(evenings & set(diary.days))} of "
            f"{len(table)} nights have an entry"
        )
    if not evenings & set(diary.days):
        notes.append(
            "the diary and the nights share no evening; its dates are those of the evening "
            "on which a night began"
        )
    if not selected:
        notes.append(
            f"the diary has {len(diary.columns)} columns: choose at most {MAX_EXPOSURES} before "
            f"you look, with --exposure; looking at all would find something by chance "
            f"({', '.join(diary.columns[:20])})"
        )
    return notes


def _with_diary(table: pd.DataFrame, diary: Diary) -> pd.DataFrame:
    columns = {
        f"diary_{name}": [diary.days.get(e, {}).get(name, "") for e in table["evening"]]
        for name in diary.columns
    }
    return pd.concat([table, pd.DataFrame(columns, index=table.index, dtype="object")], axis=1)


def _to_json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
