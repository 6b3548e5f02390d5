"""Nights side by side, each under the evening on which it began."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from twitchsense.errors import InputError
from twitchsense.model.channels import NS
from twitchsense.scoring.rates import rate
from twitchsense.scoring.summary import read_summary

#: What is followed over the weeks.
OUTCOMES: Final = ("twitch", "jerk", "movement")
#: Less valid signal than this tells too little of a night [E].
LEAST_HOURS: Final = 2.0
#: A night belongs to the evening from noon to noon.
_NOON: Final = timedelta(hours=12)
_DATE: Final = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


def find_results(given: Sequence[Path]) -> list[Path]:
    """Return result directories: those given, or those inside a given one.

    Raises
    ------
    InputError
        If one is neither.
    """
    found: list[Path] = []
    for path in given:
        if (path / "summary.json").exists():
            found.append(path)
            continue
        inside = sorted(p.parent for p in path.glob("*/summary.json")) if path.is_dir() else []
        if not inside:
            raise InputError(
                str(path), "holds no summary.json", "give directories that analyze wrote"
            )
        found += inside
    return list(dict.fromkeys(found))


def read_nights(directories: Sequence[Path]) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per evening, and what should be known about them.

    Recordings of one evening are added up. A result given twice counts once.

    Returns
    -------
    nights : DataFrame
        ``evening`` (date; NaT where the clock is unknown), ``source``, and for each
        of `OUTCOMES` its ``_count``, ``_hours`` (valid), ``_rate``, ``_low`` and
        ``_high`` (events per hour, exact 95 % interval; NaN without a valid hour).
        Sorted by evening; nights without one at the end, as they were given.
    notes : list of str
    """
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    seen: set[str] = set()
    made: set[str] = set()
    for directory in directories:
        facts = read_summary(directory)
        key = str(facts["provenance"].get("sha256") or "")
        if key and key in seen:
            notes.append(f"{directory.name}: the same recording again, counted once")
            continue
        seen.add(key)
        versions = facts["provenance"].get("versions") or {}
        made.add(f"{versions.get('twitchsense')} {facts['provenance'].get('settings')}")
        rows.append(_row(directory, facts))
    if len(made) > 1:
        notes.append(
            "the nights were analysed with different settings or versions: "
            "their rates may not compare; analyse them again to be sure"
        )
    if any(r["evening"] is None for r in rows):
        notes.append(
            "a night without clock time has no evening; it counts, but meets no diary. "
            "Name its directory by the date, as 2026-03-01"
        )
    return _join(rows), notes


def _row(directory: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"evening": _evening(directory, facts), "source": directory.name}
    for kind in OUTCOMES:
        cell = facts["by_kind"].get(kind) or {}
        try:
            count, hours = int(cell.get("count", 0)), float(cell.get("hours", 0.0))
        except (TypeError, ValueError) as error:
            raise InputError(
                str(directory / "summary.json"),
                f"has no count of {kind} ({error})",
                "run analyze again into this directory",
            ) from error
        row[f"{kind}_count"], row[f"{kind}_hours"] = count, hours
    return row


def _evening(directory: Path, facts: Mapping[str, Any]) -> date | None:
    clock = facts["clock"]
    start = clock.get("start_utc_ns")
    if start is None:
        match = _DATE.search(directory.name)
        try:
            return date.fromisoformat(match[1]) if match else None
        except ValueError:
            return None
    first = [c["start_s"] for c in clock["channels"].values() if c.get("start_s") is not None]
    moment = start / NS + (min(first) if first else 0.0)
    zone: tzinfo = UTC
    with contextlib.suppress(KeyError, ValueError, OSError):
        zone = ZoneInfo(str(clock["zone"])) if clock.get("zone") else UTC
    local = datetime.fromtimestamp(moment, zone)
    return (local.replace(tzinfo=None) - _NOON).date()


def _join(rows: list[dict[str, Any]]) -> pd.DataFrame:
    joined: dict[Any, dict[str, Any]] = {}
    for i, row in enumerate(rows):
        key = row["evening"] or f"unknown {i}"
        if key not in joined:
            joined[key] = dict(row)
            continue
        mine = joined[key]
        mine["source"] += f" + {row['source']}"
        for kind in OUTCOMES:
            for part in ("count", "hours"):
                mine[f"{kind}_{part}"] += row[f"{kind}_{part}"]
    table = list(joined.values())
    table.sort(key=lambda r: (r["evening"] is None, r["evening"] or date.min))
    return add_rates(pd.DataFrame(table))


def add_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Add the rate of each outcome with its interval to a table of counts and hours."""
    out = table.copy()
    for kind in OUTCOMES:
        cells = [
            rate(int(n), float(h))
            for n, h in zip(out[f"{kind}_count"], out[f"{kind}_hours"], strict=True)
        ]
        values = np.array(cells, dtype=np.float64).reshape(-1, 3)
        for k, part in enumerate(("rate", "low", "high")):
            out[f"{kind}_{part}"] = values[:, k]
    return out
