"""Leg-movement indices of two lists, and of other programs, beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.text.text_table import MISSING_VALUES, read_table
from twitchsense.scoring.leg_movements.rules import RULES
from twitchsense.scoring.leg_movements.score_event_list import (
    INDEX_DESCRIPTIONS,
    IndexValue,
    score_leg_movements,
)
from twitchsense.sleep.hypnogram.model import Hypnogram

_CURE: Final = "give a table with the column index (n_plm, plms_index, …) and one per program"


@dataclass(frozen=True, slots=True, eq=False)
class ComparedIndices:
    """Leg-movement indices by list and set of rules, and of other programs.

    Attributes
    ----------
    lists : mapping of str to mapping of str to dict
        Name of the list, name of the rules, indices.
    programs : mapping of str to dict
        Name of another program, its indices.
    notes : tuple of str
        Assumptions made about the input.
    """

    lists: Mapping[str, Mapping[str, dict[str, IndexValue]]]
    programs: Mapping[str, dict[str, IndexValue]]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON.

        Returns
        -------
        dict
            A key for each list, ``programs`` and ``notes``.
        """
        return {
            **{name: dict(rules) for name, rules in self.lists.items()},
            "programs": dict(self.programs),
            "notes": list(self.notes),
        }


def compare_lists(
    lists: Mapping[str, pd.DataFrame],
    hypnogram: Hypnogram | None = None,
    respiratory: pd.DataFrame | None = None,
    programs: Mapping[str, dict[str, IndexValue]] | None = None,
    notes: tuple[str, ...] = (),
) -> ComparedIndices:
    """Score lists of leg movements by every set of rules.

    Parameters
    ----------
    lists : mapping of str to DataFrame
        ``onset`` and ``duration`` (s) and ``leg``, by name.
    hypnogram : Hypnogram, optional
    respiratory : DataFrame, optional
        ``onset`` and ``duration`` (s).
    programs : mapping of str to dict, optional
        Indices of other programs on one of the lists.
    notes : tuple of str
        Notes of the readers.

    Returns
    -------
    ComparedIndices

    Raises
    ------
    InputError
        Naming the table, the row (from 1) and the cure.
    """
    scores = {
        name: {rules: score_leg_movements(table, hypnogram, respiratory, rules) for rules in RULES}
        for name, table in lists.items()
    }
    indices = {
        name: {rules: score.indices for rules, score in by_rules.items()}
        for name, by_rules in scores.items()
    }
    of_list = {
        name: {note: None for score in by_rules.values() for note in score.notes}
        for name, by_rules in scores.items()
    }
    # a note on one list only names it
    more = {
        (note if all(note in other for other in of_list.values()) else f"{name}: {note}"): None
        for name, found in of_list.items()
        for note in found
    }
    return ComparedIndices(indices, programs or {}, (*notes, *more))


def read_program_indices(path: Path) -> dict[str, dict[str, IndexValue]]:
    """Read indices of other programs.

    Parameters
    ----------
    path : Path
        CSV or TSV with the column ``index``, which holds names of our indices, and one
        column for each program; a missing value is empty or ``n/a``.

    Returns
    -------
    dict of str to dict
        Indices by program.

    Raises
    ------
    InputError
        Naming the file, the line and the cure.
    """
    table = read_table(path)
    names = table.columns.get("index")
    programs = [name for name in table.columns if name != "index"]
    if names is None or not programs:
        found = ", ".join(table.columns)
        raise InputError(table.source, f"has no column 'index' (found: {found})", _CURE, "line 1")
    for row, name in enumerate(names):
        if name not in INDEX_DESCRIPTIONS:
            known = f"use one of {', '.join(INDEX_DESCRIPTIONS)}"
            raise InputError(table.source, f"unknown index {name!r}", known, table.place(row))
    out: dict[str, dict[str, IndexValue]] = {}
    for program in programs:
        values = table.numbers(program, missing=True)
        out[program] = {
            name: None if text.lower() in MISSING_VALUES else _whole(float(value))
            for name, value, text in zip(names, values, table.columns[program], strict=True)
        }
    return out


def _whole(value: float) -> IndexValue:
    return int(value) if value.is_integer() else value
