"""Score leg movements from an event list, without a recording: `score_leg_movements`.

`score_limb` is an alias of `score_leg_movements`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.model.stated_start import check_zone
from twitchsense.scoring.event_lists.mark_files import read_mark_list
from twitchsense.scoring.event_lists.mark_kinds import check_kinds_used, translate_table
from twitchsense.scoring.leg_movements.input import (
    hypnogram_from_frame,
    leg_movements_of,
    movements_from_frame,
    respiratory_from_frame,
    select_leg_movements,
)
from twitchsense.scoring.leg_movements.rules import (
    BOTH,
    UNDEFINED,
    LegMovementRules,
    LegMovements,
    S,
    combine_leg_movements,
    containing_movement,
    find_intervals,
    find_respiratory,
    find_series,
    find_short_intervals,
    get_rules,
    without_candidates,
)
from twitchsense.scoring.leg_movements.sleep_files import movements_clock, read_sleep_files
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.model import SLEEP, Hypnogram
from twitchsense.sleep.hypnogram.stage_codes import codes_of
from twitchsense.sleep.hypnogram.stage_list import StageList
from twitchsense.sleep.hypnogram.yasa import YasaHypnogram

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
IndexValue = int | float | None
FilePath = str | PathLike[str]
StageTable = pd.DataFrame | Hypnogram | YasaHypnogram | StageList

#: Meaning of each index, in output order.
INDEX_DESCRIPTIONS: Final[dict[str, str]] = {
    "n_lm": "leg movements (LM), both legs together",
    "n_bilateral_lm": "LM of both legs",
    "n_clm": "candidate leg movements (CLM)",
    "n_plm": "periodic leg movements (PLM)",
    "n_plms": "PLM that begin in sleep (PLMS)",
    "n_plmw": "PLM that begin in wake (PLMW)",
    "n_series": "series of PLM",
    "n_short_imi": "CLM after too short an interval",
    "n_isolated": "CLM neither periodic nor after too short an interval",
    "plms_index": "PLMS per hour of sleep",
    "plmw_index": "PLMW per hour of wake",
    "pi_sleep": "PLMS / CLM in sleep",
    "n_clmr": "CLM at respiratory events (CLMr)",
    "n_clm_nr": "CLM that are not CLMr",
    "n_plm_nr": "PLM after removal of CLMr",
    "n_plms_nr": "PLMS after removal of CLMr",
    "plms_nr_index": "PLMS per hour of sleep after removal of CLMr",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LegMovementScore:
    """Leg movements of a night, by one set of rules.

    Attributes
    ----------
    rules : str
        Name of the rules.
    indices : dict
        Counts and rates, see `INDEX_DESCRIPTIONS`; None where undefined.
    movements : DataFrame
        One row per movement in order of onset: ``onset``, ``duration``, ``imi``
        (s; the interval since the onset of the previous CLM), ``leg`` (``left``,
        ``right``, ``both``), ``bilateral``, ``parts``, ``clm``, ``short_imi``,
        ``plm``, ``series`` (from 1), ``stage``, ``respiratory``, ``plm_nr`` and
        ``series_nr`` (with respiratory CLM removed). Missing where unknown.
    notes : tuple of str
        Assumptions made about the input, and what was left out of it.
    """

    rules: str
    indices: dict[str, IndexValue]
    movements: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        indices = ", ".join(
            f"{name} {value if isinstance(value, int) else round(value, 2)}"
            for name in ("n_lm", "n_clm", "n_plm", "plms_index")
            if (value := self.indices.get(name)) is not None
        )
        return f"<LegMovementScore {self.rules}: {indices}>"

    def to_dict(self) -> dict[str, Any]:
        """Return the score for JSON.

        Returns
        -------
        dict
            The indices, ``notes`` and, under ``movements``, one dict per movement.
        """
        table = self.movements.astype(object)
        rows = table.where(self.movements.notna(), None).to_dict("records")
        return {**self.indices, "notes": list(self.notes), "movements": rows}


def score_leg_movements(
    movements: pd.DataFrame | FilePath,
    hypnogram: StageTable | FilePath | None = None,
    respiratory: pd.DataFrame | FilePath | None = None,
    rules: str = "wasm2016",
    *,
    epoch_s: float | None = None,
    stages: str | Mapping[Any, str] | None = None,
    start: str | None = None,
    zone: str | None = None,
    kinds: Mapping[str, str] | None = None,
) -> LegMovementScore:
    """Score leg movements from a list of marks.

    Parameters
    ----------
    movements : DataFrame or path
        ``onset`` and ``duration`` in seconds, ``leg`` (``left`` or ``right``);
        rows in any order. Optionally ``large`` (bool): movements that are no candidates, as
        changes of position. Of the events of a night (`Night.events`), the leg movements.
        Or a file that `twitchsense.scoring.event_lists.mark_files.read_mark_list` reads.
    hypnogram : DataFrame, path, list, ndarray, Series, Hypnogram or yasa.Hypnogram, optional
        ``onset``, ``duration`` (s) and ``stage`` (W, N1, N2, N3, R). Without
        ``duration``, the epoch length is the shortest step between onsets, or each stage
        lasts until the next if none is repeated. A list has one stage per epoch from
        second 0. A file is one that `twitchsense.sleep.hypnogram.read.read_hypnogram` reads.
        Without a hypnogram, everything that depends on sleep is None. A movement outside all
        epochs, or in an unscored one, is neither in sleep nor in wake.
    respiratory : DataFrame or path, optional
        ``onset`` and ``duration`` (s) of respiratory events, or a file of them. A table
        without rows means that there were none; without a table, everything that depends on them is
        None.
    rules : {"wasm2016", "wasm2016-strict", "aasm"}
        The rules to apply; see docs/leg-movements.md.
    epoch_s : float, optional
        Length of an epoch in seconds, if `hypnogram` is a list; by default 30.
    stages : str or mapping of str to str, optional
        Meaning of numbers and other words in `hypnogram`; see `twitchsense.analyze`.
    start : str, optional
        Clock time of second 0 of the marks, for files with clock times; a time of day, or a
        date with time.
    zone : str, optional
        IANA time zone of local times in files.
    kinds : mapping of str to str, optional
        Meaning of foreign words in `movements`: ``{"LM": "movement"}``.

    Returns
    -------
    LegMovementScore

    Raises
    ------
    InputError
        Naming the file or table, the row and the cure.

    Notes
    -----
    WASM 2016: Ferri et al. 2016, Sleep Med 26:86-95,
    doi:10.1016/j.sleep.2016.10.010. AASM: The AASM Manual for the Scoring of Sleep and
    Associated Events, rules for movements.
    """
    rule = get_rules(rules)
    if zone is not None:
        check_zone(zone)
    files = [_path(given) for given in (movements, hypnogram, respiratory)]
    clock, clock_notes = movements_clock(start, zone, files, files[0])
    movements = _select(movements, kinds or {}, clock)
    onset, stop, leg = movements_from_frame(movements)
    night = read_sleep_files(movements, files[1], files[2], codes_of(stages), clock)
    combined = combine_leg_movements(onset, stop, leg, rule)
    if "large" in movements:
        large = movements["large"].to_numpy(np.bool_)
        of_mark = containing_movement(combined, onset[large], stop[large])
        combined = without_candidates(combined, of_mark)
    sleep = night.hypnogram
    if hypnogram is not None and sleep is None:
        given = cast("StageTable", hypnogram)
        sleep = hypnogram_from_frame(given, epoch_s=epoch_s, codes=codes_of(stages))
    touches = None
    notes = (
        *clock_notes,
        *night.notes,
        *movements.attrs.get("notes", ()),
        *(() if sleep is None else sleep.notes),
    )
    breaths = respiratory if night.respiratory is None else night.respiratory
    if breaths is not None:
        breaths = _table(breaths, "respiratory", "onset and duration")
        touches = find_respiratory(combined, *respiratory_from_frame(breaths), rule)
    table = _tabulate(combined, sleep, touches, rule)
    indices = _compute_indices(table, sleep, touches is not None)
    return LegMovementScore(rule.name, indices, table, (*notes, *_unscored_note(table, sleep)))


def _path(given: object) -> Path | None:
    """Return a path that was given as text or path; None for anything else."""
    return Path(given) if isinstance(given, (str, PathLike)) else None


def _table(given: object, source: str, columns: str) -> pd.DataFrame:
    """Return a table; refuse anything else."""
    if isinstance(given, pd.DataFrame):
        return given
    cure = f"give a path, or a table with {columns}"
    raise InputError(source, f"is of the type {type(given).__name__}", cure)


def _select(
    given: pd.DataFrame | FilePath, kinds: Mapping[str, str], clock: NightClock | None
) -> pd.DataFrame:
    """Return the leg movements of a table or of a file."""
    if isinstance(given, (str, PathLike)):
        mark_list = read_mark_list(given, kinds, clock)
        check_kinds_used(kinds, mark_list.words)
        return leg_movements_of(mark_list)
    given = _table(given, "movements", "onset, duration and leg")
    return select_leg_movements(translate_table(given, kinds))


def _unscored_note(table: pd.DataFrame, stages: Hypnogram | None) -> tuple[str, ...]:
    """Return a note on movements that lie in no scored epoch."""
    outside = int(table["stage"].isna().sum())
    if stages is None or not outside:
        return ()
    return (
        f"{outside} of {len(table)} movements lie in no scored epoch, and count as neither in "
        "sleep nor in wake",
    )


def _tabulate(
    movements: LegMovements,
    stages: Hypnogram | None,
    touches: Bools | None,
    rules: LegMovementRules,
) -> pd.DataFrame:
    interval = find_intervals(movements.onset, movements.clm)
    series = find_series(interval, rules)
    stage = np.full(len(movements), None, dtype=object)
    if stages is not None:
        known = stages.stage_at(movements.onset / S)
        stage[known != ""] = known[known != ""].astype(object)
    table = pd.DataFrame(
        {
            "onset": movements.onset / S,
            "duration": (movements.stop - movements.onset) / S,
            "leg": np.array(["left", "right", "both"], dtype=object)[movements.leg],
            "bilateral": movements.leg == BOTH,
            "parts": movements.parts,
            "clm": movements.clm,
            "imi": np.where(interval == UNDEFINED, np.nan, interval / S),
            "short_imi": find_short_intervals(interval, rules),
            "plm": series > 0,
            "series": _numbers(series),
            "stage": pd.Series(stage, dtype=object),
        }
    )
    return table.assign(**_respiratory_columns(movements, touches, rules))


def _respiratory_columns(
    movements: LegMovements, touches: Bools | None, rules: LegMovementRules
) -> dict[str, Any]:
    if touches is None:
        unknown = pd.array([pd.NA] * len(movements), dtype="boolean")
        numbers = pd.array([pd.NA] * len(movements), dtype="Int64")
        return {"respiratory": unknown, "plm_nr": unknown.copy(), "series_nr": numbers}
    # a respiratory movement that is not a candidate is kept and still ends a series
    kept = ~(touches & movements.clm)
    series = np.zeros(len(movements), np.int64)
    series[kept] = find_series(find_intervals(movements.onset[kept], movements.clm[kept]), rules)
    return {
        "respiratory": pd.array(touches, dtype="boolean"),
        "plm_nr": pd.array(series > 0, dtype="boolean"),
        "series_nr": _numbers(series),
    }


def _numbers(series: Ints) -> Any:
    """Return series numbers as nullable integers; 0 is missing."""
    return pd.arrays.IntegerArray(series, series == 0)


def _compute_indices(
    table: pd.DataFrame, stages: Hypnogram | None, respiratory_given: bool
) -> dict[str, IndexValue]:
    clm, plm, short = (table[name].to_numpy(np.bool_) for name in ("clm", "plm", "short_imi"))
    stage = table["stage"]
    asleep, in_wake = stage.isin(SLEEP).to_numpy(), (stage == "W").to_numpy()
    sleep_h, wake_h = _hours(stages)
    out: dict[str, IndexValue] = dict.fromkeys(INDEX_DESCRIPTIONS)
    out["n_lm"] = len(table)
    out["n_bilateral_lm"] = int(table["bilateral"].sum())
    out["n_clm"] = int(clm.sum())
    out["n_plm"] = int(plm.sum())
    out["n_series"] = table["series"].nunique()
    out["n_short_imi"] = int(short.sum())
    out["n_isolated"] = int((clm & ~plm & ~short).sum())
    if stages is not None:
        plms, plmw = int((plm & asleep).sum()), int((plm & in_wake).sum())
        out["n_plms"], out["n_plmw"] = plms, plmw
        out["plms_index"], out["plmw_index"] = _share(plms, sleep_h), _share(plmw, wake_h)
        out["pi_sleep"] = _share(plms, int((clm & asleep).sum()))
    if respiratory_given:
        plm_nr = table["plm_nr"].to_numpy(np.bool_)
        n_clmr = int((clm & table["respiratory"].to_numpy(np.bool_)).sum())
        out["n_clmr"], out["n_clm_nr"] = n_clmr, int(clm.sum()) - n_clmr
        out["n_plm_nr"] = int(plm_nr.sum())
        if stages is not None:
            plms_nr = int((plm_nr & asleep).sum())
            out["n_plms_nr"], out["plms_nr_index"] = plms_nr, _share(plms_nr, sleep_h)
    return out


def _hours(stages: Hypnogram | None) -> tuple[float, float]:
    """Return the hours of sleep and of wake."""
    if stages is None:
        return 0.0, 0.0
    start, stop = stages.bounds_us
    length = stop - start
    sleep, wake = length[stages.asleep].sum(), length[stages.stage == "W"].sum()
    return float(sleep) / S / 3600.0, float(wake) / S / 3600.0


def _share(count: int, of: float) -> float | None:
    return count / of if of > 0 else None


#: Alias of `score_leg_movements`.
score_limb = score_leg_movements
