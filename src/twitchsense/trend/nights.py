"""Read the result directories of many nights into one table, one row per evening."""

from __future__ import annotations

import contextlib
import logging
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
from twitchsense.scoring.indices.rates import rate
from twitchsense.scoring.summary import read_summary

log = logging.getLogger(__name__)

#: Kinds of event whose rates are followed.
OUTCOMES: Final = ("twitch", "jerk", "movement")
#: Minimum valid signal (h) of a night that is compared with others; an engineering choice.
MIN_VALID_HOURS: Final = 2.0
#: Columns of a table of nights that say how many events there were.
_COLUMNS: Final = [f"{kind}_{part}" for kind in OUTCOMES for part in ("count", "hours", "rate")]
#: A night from noon to noon belongs to the evening within it.
_NOON: Final = timedelta(hours=12)
#: Minimum number of nights for typical rates. A single night is not representative: periodic
#: leg movements over 15/h occurred on 34 % of single nights of people with restless legs, but
#: on at least one of five nights in 63 % of them (docs/definitions.md, Leg movements).
MIN_NIGHTS_FOR_TYPICAL: Final = 5
_DATE: Final = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


def find_result_directories(given: Sequence[Path]) -> list[Path]:
    """Return the result directories among some paths, and inside them.

    Parameters
    ----------
    given : sequence of Path
        Directories that `twitchsense analyze` wrote, or that hold such directories.

    Returns
    -------
    list of Path
        Without duplicates, in the order given.

    Raises
    ------
    InputError
        If a path is neither.
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
    """Return a table of nights, one row per evening, and notes about them.

    Recordings of the same evening are added. A recording given twice counts once.

    Parameters
    ----------
    directories : sequence of Path
        From `find_result_directories`.

    Returns
    -------
    nights : DataFrame
        ``evening`` (date; None if the clock is unknown), ``source``, and for each of
        `OUTCOMES` its ``_count``, ``_hours`` (valid), ``_rate``, ``_low`` and ``_high``
        (events per hour, exact 95 % interval; NaN without valid signal). Sorted by evening;
        nights without one come last, in the order given.
    notes : list of str
        Messages to the user.

    Raises
    ------
    InputError
        If a summary cannot be read.
    """
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    seen: set[str] = set()
    repeated: list[str] = []
    analyses: set[str] = set()
    for directory in directories:
        summary = read_summary(directory)
        provenance = summary["provenance"]
        sha256 = str(provenance.get("sha256") or "")
        if sha256 and sha256 in seen:
            repeated.append(directory.name)
            continue
        seen.add(sha256)
        versions = provenance.get("versions") or {}
        rules = provenance.get("rules") or provenance.get("settings")  # of earlier versions
        analyses.add(f"{versions.get('twitchsense')} {rules}")
        rows.append(_row(directory, summary))
    if repeated:
        notes.append(f"recordings that are here already, counted once: {', '.join(repeated)}")
    if len(analyses) > 1:
        notes.append(
            "the nights were analysed with different settings or versions: "
            "their rates may not compare; analyse them again to be sure"
        )
    if any(r["evening"] is None for r in rows):
        notes.append(
            "a night without clock time has no evening; it counts, but meets no diary. "
            "Name its directory by the date, as 2026-03-01"
        )
    return _merge_evenings(rows), notes


def read_other_nights(given: Sequence[Path], sha256: str, directory: Path) -> pd.DataFrame:
    """Return the table of nights with which one night is compared, without that night itself.

    Parameters
    ----------
    given : sequence of Path
        Result directories, or directories that hold such directories.
    sha256 : str
        Hash of the recording of the night; empty if unknown.
    directory : Path
        Result directory of the night.

    Returns
    -------
    DataFrame
        As from `read_nights`.

    Raises
    ------
    InputError
        If a path holds no results, or a summary cannot be read.
    """
    others = [
        path
        for path in find_result_directories(given)
        if path.resolve() != directory.resolve()
        and (not sha256 or read_summary(path)["provenance"].get("sha256") != sha256)
    ]
    table = read_nights(others)[0] if others else pd.DataFrame(columns=_COLUMNS, dtype=float)
    hours = table[[f"{kind}_hours" for kind in OUTCOMES]].max(axis=1)
    n = int((hours >= MIN_VALID_HOURS).sum())
    if n < MIN_NIGHTS_FOR_TYPICAL:
        log.warning(
            "not compared: %d other nights of %g valid hours or more are given, %d are needed",
            *(n, MIN_VALID_HOURS, MIN_NIGHTS_FOR_TYPICAL),
        )
    return table


def _row(directory: Path, summary: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"evening": _evening(directory, summary), "source": directory.name}
    for kind in OUTCOMES:
        cell = summary["by_kind"].get(kind) or {}
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


def _evening(directory: Path, summary: Mapping[str, Any]) -> date | None:
    """Return the evening of a night; without a clock, the date in its directory's name."""
    clock = summary["clock"]
    start = clock.get("start_utc_ns")
    if start is None:
        match = _DATE.search(directory.name)
        try:
            return date.fromisoformat(match[1]) if match else None
        except ValueError:
            return None
    starts = [c["start_s"] for c in clock["channels"].values() if c.get("start_s") is not None]
    start_utc_s = start / NS + (min(starts) if starts else 0.0)
    zone: tzinfo = UTC
    with contextlib.suppress(KeyError, ValueError, OSError):
        zone = ZoneInfo(str(clock["zone"])) if clock.get("zone") else UTC
    local = datetime.fromtimestamp(start_utc_s, zone)
    return (local.replace(tzinfo=None) - _NOON).date()


def _merge_evenings(rows: list[dict[str, Any]]) -> pd.DataFrame:
    merged: dict[Any, dict[str, Any]] = {}
    for i, row in enumerate(rows):
        key = row["evening"] or f"unknown {i}"
        if key not in merged:
            merged[key] = dict(row)
            continue
        night = merged[key]
        night["source"] += f" + {row['source']}"
        for kind in OUTCOMES:
            for part in ("count", "hours"):
                night[f"{kind}_{part}"] += row[f"{kind}_{part}"]
    nights = list(merged.values())
    nights.sort(key=lambda r: (r["evening"] is None, r["evening"] or date.min))
    return add_rates(pd.DataFrame(nights))


def add_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of counts and hours with the rate of each outcome and its interval.

    Parameters
    ----------
    table : DataFrame
        ``KIND_count`` and ``KIND_hours`` for each of `OUTCOMES`.

    Returns
    -------
    DataFrame
        With ``KIND_rate``, ``KIND_low`` and ``KIND_high`` (per hour, exact 95 % interval).
    """
    out = table.copy()
    for kind in OUTCOMES:
        rates = [
            rate(int(n), float(h))
            for n, h in zip(out[f"{kind}_count"], out[f"{kind}_hours"], strict=True)
        ]
        values = np.array(rates, dtype=np.float64).reshape(-1, 3)
        for k, part in enumerate(("rate", "low", "high")):
            out[f"{kind}_{part}"] = values[:, k]
    return out
