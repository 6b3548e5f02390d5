"""Notes on two lists of events whose kinds or legs cannot match."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pandas as pd

from twitchsense.model.event_table import TRIAL_TYPES

#: Maximum number of kinds that a note names.
_MAX_NAMED: Final = 10


def names_kinds(table: pd.DataFrame) -> bool:
    """Return whether any row of a list of events names its kind.

    Parameters
    ----------
    table : DataFrame
        With or without ``trial_type``, empty where a row names none.

    Returns
    -------
    bool
        True for an empty table with the column.
    """
    if "trial_type" not in table:
        return False
    return table.empty or bool((table["trial_type"] != "").any())


def notes_on_tables(events: pd.DataFrame, truth: pd.DataFrame) -> tuple[str, ...]:
    """Return why pairs of two lists of events cannot match, as far as columns tell it.

    Parameters
    ----------
    events, truth : DataFrame
        ``trial_type`` and ``leg`` (``left``, ``right`` or empty), as far as they have them.

    Returns
    -------
    tuple of str
        On kinds that only one list names, and on lists of different legs.
    """
    both = (("events", events, truth), ("truth", truth, events))
    notes = [note for name, table, other in both for note in _notes_on_kinds(name, table, other)]
    return tuple(notes + _notes_on_legs(events, truth))


def _notes_on_kinds(name: str, table: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Return a note if a list names no kind, or kinds that nothing else has."""
    if not names_kinds(other):
        return []
    others = set(other["trial_type"]) - {""}
    known = _listed([*(k for k in TRIAL_TYPES if k in others), *sorted(others - set(TRIAL_TYPES))])
    if not names_kinds(table):
        if len(others) < 2:
            return []
        return [
            f"{name}: names no kind and is compared with rows of all kinds ({known}); name the "
            "kind in a column trial_type, such as movement, or give a table of one kind"
        ]
    counts = Counter(table["trial_type"])
    unknown = sorted(k for k in counts if k and k not in others and k not in TRIAL_TYPES)
    if not unknown or not others:
        return []
    n = sum(counts[kind] for kind in unknown)
    return [
        f"{name}: {n} of {len(table)} rows are of a kind that is unknown and not in the other "
        f"table ({_listed(unknown)}), so they match no row of their kind; that table has {known}: "
        "use its words in trial_type (movement for a leg movement)"
    ]


def _notes_on_legs(events: pd.DataFrame, truth: pd.DataFrame) -> list[str]:
    """Return a note if every row names a leg, and the lists have no leg in common."""
    if "leg" not in events or "leg" not in truth:
        return []
    found, real = set(events["leg"]), set(truth["leg"])
    if "" in found | real or not found or not real or found & real:
        return []
    return [
        f"truth: every row is on the {real.pop()} leg and every event on the {found.pop()} leg, so "
        "nothing matches; correct the column leg, or leave it out"
    ]


def _listed(words: list[str]) -> str:
    more = [f"{len(words) - _MAX_NAMED} more"] if len(words) > _MAX_NAMED else []
    return ", ".join(words[:_MAX_NAMED] + more)
