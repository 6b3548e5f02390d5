"""The table of clinical indices, each with the rule that defines it."""

from __future__ import annotations

import math
from typing import Any, Final

from twitchsense.report.palette import label_name
from twitchsense.scoring.leg_movements.rules import RULES, S

#: Indices of a leg-movement score: key in ``summary.json`` and name in the table, with a
#: placeholder for the shortest interval of the rules.
_LEG_MOVEMENT_INDICES: Final = (
    ("plms_index", "Periodic-leg-movement-like, per hour of sleep"),
    ("plmw_index", "Periodic-leg-movement-like, per hour awake"),
    ("clms_index", "Candidate leg movements, per hour of sleep"),
    ("isolated_sleep_index", "of these, isolated"),
    ("short_imi_sleep_index", "of these, {too_soon} after the one before"),
)


def clinical_rows(summary: dict[str, Any]) -> list[dict[str, str]]:
    """Return the table of clinical indices.

    Parameters
    ----------
    summary : dict
        The content of ``summary.json``.

    Returns
    -------
    list of dict
        ``name``, ``value`` and ``rule`` of each index; empty if the summary has none.
    """
    return [
        *_leg_movement_rows(_as_dict(summary.get("leg_movements"))),
        *_fragmentary_myoclonus_rows(_as_dict(summary.get("fragmentary_myoclonus"))),
        *_fasciculation_rows(_as_dict(summary.get("fasciculations"))),
        *_train_rows(_as_dict(summary.get("trains"))),
    ]


def format_periodicity(summary: dict[str, Any]) -> str:
    """Return the periodicity index of sleep, such as "0.90 of 1"; empty if undefined.

    Parameters
    ----------
    summary : dict
        The content of ``summary.json``.

    Returns
    -------
    str
    """
    score = _leg_movement_score(_as_dict(summary.get("leg_movements")))
    value = _format_number(score.get("pi_sleep"), 2)
    return f"{value} of 1" if value else ""


def _leg_movement_score(block: dict[str, Any]) -> dict[str, Any]:
    """Return the score by the rules that the labels follow; empty if there is none."""
    return _as_dict(_as_dict(block.get("rules")).get(str(block.get("labels_by"))))


def _leg_movement_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    score = _leg_movement_score(block)
    if not score:
        return []
    reasons = _as_dict(score.get("not_computable"))
    rule = str(score.get("title", block.get("labels_by")))
    if not block.get("respiratory_events_given"):
        rule += "; not corrected for breathing"
    rules = RULES.get(str(block.get("labels_by")))  # a damaged summary may name others
    too_soon = f"under {rules.min_imi / S:g} s" if rules else "too soon"
    rows = [
        _row(
            name.format(too_soon=too_soon),
            _format_rate(score.get(key), "rate_per_h", reasons.get(key)),
            rule,
        )
        for key, name in _LEG_MOVEMENT_INDICES
        if key in score
    ]
    if "pi_sleep" in score:
        value = _format_number(score.get("pi_sleep"), 2) or _undefined(reasons.get("pi_sleep"))
        rows.append(_row("Periodicity, 0 to 1", value, str(score.get("pi_sleep_formula", rule))))
    return rows


def _fragmentary_myoclonus_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    if not block:
        return []
    reason = _as_dict(block.get("not_computable")).get("fm_index")
    rule = str(block.get("rule", ""))
    index = _as_dict(block.get("fm_index")).get("sleep")
    potentials = _as_dict(block.get("potentials_per_min")).get("sleep")
    rows = [
        _row(
            "Fragmentary-myoclonus-like, mini-epochs per hour of sleep",
            _format_rate(index, "rate_per_h", reason),
            rule,
        ),
        _row(
            "Twitch potentials per minute of sleep",
            _format_rate(potentials, "rate_per_min", reason),
            "all twitches in valid sleep",
        ),
    ]
    pattern = _as_dict(block.get("efm_pattern"))
    minutes = _format_number(pattern.get("minutes"), 0)
    if minutes:
        pattern_rule = str(pattern.get("rule", ""))
        rows.append(_row("Minutes with many twitches in sleep", f"{minutes} min", pattern_rule))
    return rows


def _fasciculation_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    reasons = _as_dict(block.get("not_computable"))
    return [
        _row(
            f"Fasciculation-like twitches per minute at rest awake, {channel}",
            _format_rate(cell, "rate_per_min", reasons.get(channel)),
            str(block.get("rule", "")),
        )
        for channel, cell in _as_dict(block.get("channels")).items()
    ]


def _train_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    return [
        _row(
            f"Trains per hour: {label_name(str(label))}",
            _format_rate(_as_dict(cell).get("trains"), "rate_per_h", None),
            f"movements in them: {_format_number(_as_dict(cell).get('events'), 0) or 'unknown'}",
        )
        for label, cell in block.items()
    ]


def _row(name: str, value: str, rule: str) -> dict[str, str]:
    return {"name": name, "value": value, "rule": rule}


def _format_rate(cell: Any, key: str, reason: Any) -> str:
    """Return a rate with its interval, or that it is undefined and for which reason."""
    numbers = _as_dict(cell)
    value, low, high = (_format_number(numbers.get(k), 1) for k in (key, "low", "high"))
    if not value:
        return _undefined(reason)
    return f"{value} ({low}–{high})" if low and high else value


def _undefined(reason: Any) -> str:
    return f"not defined: {reason}" if reason else "not defined"


def _format_number(value: Any, decimals: int) -> str:
    """Return a finite number with its decimals; an empty text for anything else."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:,.{decimals}f}" if is_number and math.isfinite(value) else ""


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
