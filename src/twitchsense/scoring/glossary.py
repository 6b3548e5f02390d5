"""The texts of the event table with the limits in force: ``events.json`` and the glossaries.

Texts of `model.event_table` and `scoring.labels.label_rules` name each limit that they mention.
Here the names are replaced by the values of the settings and of the
constants of the code, so that a text cannot state another limit than the one applied.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from twitchsense.detect.candidates import burst_measures
from twitchsense.detect.rules import activity_rules, burst_limits, cluster_rules
from twitchsense.dsp import filters, mains
from twitchsense.model.event_table import EVENT_COLUMNS, REJECTED_COLUMNS, Column
from twitchsense.scoring.leg_movements.rules import MIN_SERIES, S, get_rules
from twitchsense.settings import Settings

#: Columns of both tables of events.
_ALL_COLUMNS: Final = (*EVENT_COLUMNS, REJECTED_COLUMNS[-1])
#: Factor and unit of each conversion that a placeholder may request.
_CONVERSIONS: Final = {"%": (100, " %"), "ms": (1000, "")}


class _LimitFormatter(string.Formatter):
    """Formats limits: numbers as short as possible, pairs as ranges."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format one limit."""
        if isinstance(value, _LimitName):
            return f"<{value.name}>"
        if isinstance(value, tuple):
            return (format_spec or "-").join(f"{part:g}" for part in value)
        if isinstance(value, str):
            return value
        factor, unit = _CONVERSIONS.get(format_spec, (1, ""))
        return f"{value * factor:g}{unit}"


class _LimitName:
    """Stands for a limit whose value differs between nights; its attributes extend the name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> _LimitName:
        return _LimitName(f"{self.name}.{name}")


def fill_limits(text: str, settings: Settings | None) -> str:
    """Replace the names of limits in a text by their values.

    Parameters
    ----------
    text : str
        ``{twitch.max_ms}`` is a setting, ``{fixed.rise_share}`` a constant of the detector,
        ``{limb_rules.min_interval_s}`` a limit of the chosen leg-movement rules. A pair is
        written as a range (``3.5-18``), or with another separator (``{fixed.mains_hz:/}``);
        ``:ms`` converts from seconds, ``:%`` from a fraction.
    settings : Settings or None
        The settings in force. If None, limits that depend on settings are named:
        ``<twitch.max_ms>``.

    Returns
    -------
    str
    """
    if "{" not in text:
        return text
    return _LimitFormatter().vformat(text, (), _limits(settings))


def fill_levels(levels: Mapping[str, str], settings: Settings | None) -> dict[str, str]:
    """Replace the names of limits in the meaning of each level of a column.

    Parameters
    ----------
    levels : mapping of str to str
        Such as `twitchsense.model.event_table.LABELS`.
    settings : Settings or None
        See `fill_limits`.

    Returns
    -------
    dict
        Level to meaning.
    """
    return {level: fill_limits(meaning, settings) for level, meaning in levels.items()}


def glossary(
    settings: Settings | None, columns: Sequence[Column] = _ALL_COLUMNS
) -> dict[str, dict[str, Any]]:
    """Return the meaning of columns as a BIDS-style JSON sidecar.

    Parameters
    ----------
    settings : Settings or None
        The settings that made the table; see `fill_limits`.
    columns : sequence of Column
        By default all columns of ``events.csv`` and ``rejected.csv``.

    Returns
    -------
    dict
        ``Description``, ``Units`` and ``Levels`` of each column name.
    """
    entries: dict[str, dict[str, Any]] = {}
    for column in columns:
        entry: dict[str, Any] = {"Description": fill_limits(column.description, settings)}
        if column.unit:
            entry["Units"] = column.unit
        if column.levels:
            entry["Levels"] = fill_levels(column.levels, settings)
        entries[column.name] = entry
    return entries


def _limits(settings: Settings | None) -> dict[str, Any]:
    """Return everything that a text may name."""
    fixed = SimpleNamespace(
        active_window_s=2 * activity_rules.ACTIVE_S,
        burst_band_hz=filters.BURST_BAND_HZ,
        dynamic_band_hz=filters.DYNAMIC_BAND_HZ,
        envelope_s=burst_measures.WINDOW_S,
        mains_hz=mains.LINES_HZ,
        mains_share=burst_limits.MAX_MAINS_SHARE,
        max_muscle_hz=cluster_rules.MAX_MUSCLE_HZ,
        quiet_uv=burst_limits.QUIET_UV,
        rise_share=burst_measures.RISEN_SHARE,
    )
    if settings is None:
        names = (*Settings.model_fields, "limb_rules")
        return {"fixed": fixed, **{name: _LimitName(name) for name in names}}
    rules = get_rules(settings.limb.rules)
    limb_rules = SimpleNamespace(
        title=rules.title,
        min_series=MIN_SERIES,
        min_interval_s=rules.min_imi / S,
        interval_s=(rules.min_imi / S, rules.max_imi / S),
    )
    groups = {name: getattr(settings, name) for name in Settings.model_fields}
    return {"fixed": fixed, "limb_rules": limb_rules, **groups}
