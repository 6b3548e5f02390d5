"""The table of clinical indices, each with the rule that defines it."""

from __future__ import annotations

from typing import Any, Final

from twitchsense.report.number_text import as_dict, format_interval, is_finite
from twitchsense.report.palette import label_name
from twitchsense.report.reference_ranges import leg_movement_score
from twitchsense.scoring.leg_movements.rules import RULES, S

#: Indices of a leg-movement score: key in ``summary.json`` and name in the table, with a
#: placeholder for the shortest interval of the rules.
_LEG_MOVEMENT_INDICES: Final = (
    ("plms_index", "PLMS index (periodic leg movements in sleep)"),
    ("plms_nr_index", "PLMS index without movements at breathing events"),
    ("plmw_index", "PLMW index (periodic leg movements awake)"),
    ("clms_index", "Candidate leg movements in sleep"),
    ("isolated_sleep_index", "of these, isolated leg movements"),
    ("short_imi_sleep_index", "of these, {short_interval} after the one before"),
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
        *_leg_movement_rows(as_dict(summary.get("leg_movements"))),
        *_fragmentary_myoclonus_rows(as_dict(summary.get("fragmentary_myoclonus"))),
        *_fasciculation_rows(as_dict(summary.get("fasciculations"))),
        *_train_rows(as_dict(summary.get("trains"))),
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
    score = leg_movement_score(as_dict(summary.get("leg_movements")))
    value = _format_number(score.get("pi_sleep"), 2)
    return f"{value} of 1" if value else ""


def _leg_movement_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    score = leg_movement_score(block)
    if not score:
        return []
    reasons = as_dict(score.get("not_computable"))
    rule = str(score.get("title", block.get("labels_by")))
    if not block.get("respiratory_events_given"):
        rule += "; not corrected for breathing"
    rules = RULES.get(str(block.get("labels_by")))  # a damaged summary may name others
    short_interval = f"under {rules.min_imi / S:g} s" if rules else "too soon"
    rows = [
        _row(
            name.format(short_interval=short_interval),
            _format_rate(score.get(key), "rate_per_h", reasons.get(key)),
            rule,
        )
        for key, name in _LEG_MOVEMENT_INDICES
        if key in score and (key != "plms_nr_index" or block.get("respiratory_events_given"))
    ]
    if "pi_sleep" in score:
        value = _format_number(score.get("pi_sleep"), 2) or _undefined(reasons.get("pi_sleep"))
        rows.append(_row("Periodicity, 0 to 1", value, str(score.get("pi_sleep_formula", rule))))
    return rows


def _fragmentary_myoclonus_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    if not block:
        return []
    reason = as_dict(block.get("not_computable")).get("fm_index")
    rule = str(block.get("rule", ""))
    index = as_dict(block.get("fm_index")).get("sleep")
    potentials = as_dict(block.get("potentials_per_min")).get("sleep")
    rows = [
        _row(
            "Fragmentary myoclonus index (mini-epochs of 3 s with a twitch, in sleep)",
            _format_rate(index, "rate_per_h", reason),
            rule,
        ),
        _row(
            "Twitch potentials in sleep",
            _format_rate(potentials, "rate_per_min", reason),
            "all twitches in valid sleep",
        ),
    ]
    pattern = as_dict(block.get("efm_pattern"))
    minutes = _format_number(pattern.get("minutes"), 0)
    if minutes:
        pattern_rule = str(pattern.get("rule", ""))
        rows.append(_row("Minutes with many twitches in sleep", f"{minutes} min", pattern_rule))
    return rows


def _fasciculation_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    reasons = as_dict(block.get("not_computable"))
    return [
        _row(
            f"Fasciculation-like twitches, awake at rest, {channel}",
            _format_rate(cell, "rate_per_min", reasons.get(channel)),
            str(block.get("rule", "")),
        )
        for channel, cell in as_dict(block.get("channels")).items()
    ]


def _train_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    return [
        _row(
            f"Series: {label_name(str(label))}",
            _format_rate(as_dict(cell).get("trains"), "rate_per_h", None),
            f"movements in them: {_format_number(as_dict(cell).get('events'), 0) or 'unknown'}",
        )
        for label, cell in block.items()
    ]


def _row(name: str, value: str, rule: str) -> dict[str, str]:
    return {"name": name, "value": value, "rule": rule}


def _format_rate(cell: Any, key: str, reason: Any) -> str:
    """Return a rate with its unit and interval, or that it is undefined and for which reason."""
    numbers = as_dict(cell)
    value, low, high = (numbers.get(k) for k in (key, "low", "high"))
    if not is_finite(value):
        return _undefined(reason)
    return format_interval(value, low, high, key.removeprefix("rate_").replace("per_", "per "))


def _undefined(reason: Any) -> str:
    return f"not defined: {reason}" if reason else "not defined"


def _format_number(value: Any, decimals: int) -> str:
    """Return a finite number with its decimals; an empty text for anything else."""
    return f"{value:,.{decimals}f}" if is_finite(value) else ""
