"""All that is said of many nights: rates, how much nights differ, and the diary."""

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

from twitchsense.trend.association import (
    CANNOT_SHOW_CAUSE,
    LEAST_NIGHTS,
    LEAST_SIDE,
    Association,
    associate,
    to_table,
)
from twitchsense.trend.diary import Diary, read_diary
from twitchsense.trend.exposure import MOST, Exposure, choose
from twitchsense.trend.nights import LEAST_HOURS, OUTCOMES, find_results, read_nights

#: One night says little: periodic movements over 15/h were seen on 34 % of single nights
#: of people with restless legs, but at least once in five nights on 63 % (docs/definitions.md).
LEAST_FOR_USUAL: Final = 5
_DRAWS: Final = 2000


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual over the nights, for one outcome.

    Attributes
    ----------
    n : int
        Nights with enough valid signal.
    median, quarter, three_quarters : float
        Events per hour: half of the nights lie between the quarters. NaN with
        fewer than five nights.
    mean, low, high : float
        All events by all hours, with a 95 % interval by drawing nights anew
        (percentile bootstrap).
    spread : float
        Standard deviation of log(1 + rate) between nights.
    """

    n: int
    median: float = math.nan
    quarter: float = math.nan
    three_quarters: float = math.nan
    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    spread: float = math.nan


@dataclass(frozen=True, slots=True)
class Weeks:
    """Many nights, and a diary beside them.

    Attributes
    ----------
    nights : DataFrame
        One row per evening; see `twitchsense.trend.nights.read_nights`. With a
        diary, its columns stand behind, as ``diary_NAME``.
    usual : mapping of outcome to Usual
    exposures : tuple of str
        What was chosen to be looked at.
    found : tuple of Association
    notes : tuple of str
    """

    nights: pd.DataFrame
    usual: dict[str, Usual]
    exposures: tuple[str, ...] = ()
    found: tuple[Association, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def associations(self) -> pd.DataFrame:
        """One row per exposure, outcome and lag."""
        return to_table(self.found)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers, words, lists and dictionaries."""
        return {
            "n_nights": len(self.nights),
            "nights": [
                {str(k): _plain(v) for k, v in row.items()}
                for row in self.nights.to_dict(orient="records")
            ],
            "usual": {kind: asdict(u) for kind, u in self.usual.items()},
            "exposures": list(self.exposures),
            "associations": [asdict(a) for a in self.found],
            "rules": {
                "least_nights": LEAST_NIGHTS,
                "least_on_each_side": LEAST_SIDE,
                "least_for_usual": LEAST_FOR_USUAL,
                "least_hours": LEAST_HOURS,
                "most_exposures": MOST,
            },
            "cause": CANNOT_SHOW_CAUSE,
            "notes": list(self.notes),
        }


def read_weeks(
    results: Sequence[str | PathLike[str]],
    diary: str | PathLike[str] | Diary | None = None,
    exposures: Sequence[str] = (),
) -> Weeks:
    """Put nights side by side, and compare them by a diary.

    Parameters
    ----------
    results : sequence of paths
        Directories that `analyze` wrote, or directories that hold such.
    diary : path or Diary, optional
        CSV, TSV, TOML or YAML with a ``date`` per evening.
    exposures : sequence of str, optional
        At most three columns of the diary, chosen before looking: ``alcohol_g``,
        ``caffeine_mg>200``, ``exercise=run``. Without it, those the diary names, or
        its columns if they are at most three.

    Raises
    ------
    InputError
        For a directory without results, a diary that can't be read, or an
        exposure that it does not have.
    """
    table, notes = read_nights(find_results([Path(r) for r in results]))
    if len(table) < LEAST_FOR_USUAL:
        notes.append(
            f"{len(table)} of the {LEAST_FOR_USUAL} nights needed to say what is usual: "
            "single nights differ much from each other"
        )
    few = int((table[[f"{k}_hours" for k in OUTCOMES]].max(axis=1) < LEAST_HOURS).sum())
    if few:
        notes.append(f"nights with under {LEAST_HOURS:g} h of valid signal, left out: {few}")
    usual = {kind: _usual(table, kind) for kind in OUTCOMES}
    if diary is None:
        return Weeks(table, usual, notes=tuple(notes))
    if not isinstance(diary, Diary):
        diary = read_diary(Path(diary))
    chosen = choose(diary, exposures)
    notes += _diary_notes(table, diary, chosen)
    found = associate(table, diary, chosen)
    names = tuple(e.name for e in chosen)
    return Weeks(_beside(table, diary), usual, names, tuple(found), tuple(notes))


def _usual(table: pd.DataFrame, kind: str) -> Usual:
    known = table[table[f"{kind}_hours"] >= LEAST_HOURS]
    n = len(known)
    if n < LEAST_FOR_USUAL:
        return Usual(n)
    count = known[f"{kind}_count"].to_numpy(np.float64)
    hours = known[f"{kind}_hours"].to_numpy(np.float64)
    rate = count / hours
    pick = np.random.default_rng(0).integers(0, n, (_DRAWS, n))
    drawn = count[pick].sum(axis=1) / hours[pick].sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    quarter, median, three = np.quantile(rate, [0.25, 0.5, 0.75])
    return Usual(
        n,
        float(median),
        float(quarter),
        float(three),
        float(count.sum() / hours.sum()),
        float(low),
        float(high),
        float(np.log1p(rate).std(ddof=1)),
    )


def _diary_notes(table: pd.DataFrame, diary: Diary, chosen: list[Exposure]) -> list[str]:
    evenings = {e for e in table["evening"] if isinstance(e, date)}
    notes = []
    if not evenings & set(diary.days):
        notes.append(
            "the diary and the nights share no evening; its dates are those of the evening "
            "on which a night began"
        )
    if not chosen:
        notes.append(
            f"the diary has {len(diary.columns)} columns: choose at most {MOST} before you look, "
            f"with --exposure; looking at all would find something by chance "
            f"({', '.join(diary.columns[:20])})"
        )
    return notes


def _beside(table: pd.DataFrame, diary: Diary) -> pd.DataFrame:
    columns = {
        f"diary_{name}": [diary.days.get(e, {}).get(name, "") for e in table["evening"]]
        for name in diary.columns
    }
    return pd.concat([table, pd.DataFrame(columns, index=table.index, dtype="object")], axis=1)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
