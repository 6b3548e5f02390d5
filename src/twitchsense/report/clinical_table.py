"""The numbers that clinics and studies count, each with the rule that made it."""

from __future__ import annotations

import math
from typing import Any, Final

from twitchsense.report.palette import label_name

#: Of the leg-movement scores: key, plain name.
_LEG: Final = (
    ("plms_index", "Periodic-leg-movement-like, per hour of sleep"),
    ("plmw_index", "Periodic-leg-movement-like, per hour awake"),
    ("clms_index", "Candidate leg movements, per hour of sleep"),
    ("isolated_sleep_index", "of these, isolated"),
    ("short_imi_sleep_index", "of these, under 10 s after the one before"),
)


def indices(facts: dict[str, Any]) -> list[dict[str, str]]:
    """Return rows of name, value and rule; none if the summary has no such numbers.

    Parameters
    ----------
    facts : dict
        The content of ``summary.json``.
    """
    return [
        *_leg_rows(_dict(facts.get("leg_movements"))),
        *_fragmentary_rows(_dict(facts.get("fragmentary_myoclonus"))),
        *_fasciculation_rows(_dict(facts.get("fasciculations"))),
        *_train_rows(_dict(facts.get("trains"))),
    ]


def periodicity(facts: dict[str, Any]) -> str:
    """Return the periodicity index of sleep, such as "0.90 of 1"; empty if undefined."""
    block = _dict(facts.get("leg_movements"))
    score = _dict(_dict(block.get("rules")).get(str(block.get("labels_by"))))
    value = _number(score.get("pi_sleep"), 2)
    return f"{value} of 1" if value else ""


def _leg_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    score = _dict(_dict(block.get("rules")).get(str(block.get("labels_by"))))
    if not score:
        return []
    why = _dict(score.get("not_computable"))
    rule = str(score.get("title", block.get("labels_by")))
    if not block.get("respiratory_events_given"):
        rule += "; not corrected for breathing"
    rows = [_row(name, _rate(score.get(key), "rate_per_h", why.get(key)), rule)
            for key, name in _LEG if key in score]  # fmt: skip
    if "pi_sleep" in score:
        value = _number(score.get("pi_sleep"), 2) or _undefined(why.get("pi_sleep"))
        rows.append(_row("Periodicity, 0 to 1", value, str(score.get("pi_sleep_formula", rule))))
    return rows


def _fragmentary_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    if not block:
        return []
    why = _dict(block.get("not_computable"))
    rule = str(block.get("rule", ""))
    rows = [
        _row(
            "Fragmentary-myoclonus-like, mini-epochs per hour of sleep",
            _rate(_dict(block.get("fm_index")).get("sleep"), "rate_per_h", why.get("fm_index")),
            rule,
        ),
        _row(
            "Twitch potentials per minute of sleep",
            _rate(
                _dict(block.get("potentials_per_min")).get("sleep"),
                "rate_per_min",
                why.get("fm_index"),
            ),
            "all twitches in valid sleep",
        ),
    ]
    efm = _dict(block.get("efm_pattern"))
    minutes = _number(efm.get("minutes"), 0)
    if minutes:
        rows.append(
            _row("Minutes with many twitches in sleep", f"{minutes} min", str(efm.get("rule", "")))
        )
    return rows


def _fasciculation_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    why = _dict(block.get("not_computable"))
    return [
        _row(
            f"Fasciculation-like twitches per minute at rest awake, {name}",
            _rate(cell, "rate_per_min", why.get(name)),
            str(block.get("rule", "")),
        )
        for name, cell in _dict(block.get("channels")).items()
    ]


def _train_rows(block: dict[str, Any]) -> list[dict[str, str]]:
    return [
        _row(
            f"Trains per hour: {label_name(str(label))}",
            _rate(_dict(cell).get("trains"), "rate_per_h", None),
            f"movements in them: {_number(_dict(cell).get('events'), 0) or 'unknown'}",
        )
        for label, cell in block.items()
    ]


def _row(name: str, value: str, rule: str) -> dict[str, str]:
    return {"name": name, "value": value, "rule": rule}


def _rate(cell: Any, key: str, why: Any) -> str:
    found = _dict(cell)
    value, low, high = (_number(found.get(k), 1) for k in (key, "low", "high"))
    if not value:
        return _undefined(why)
    return f"{value} ({low}–{high})" if low and high else value


def _undefined(why: Any) -> str:
    return f"not defined: {why}" if why else "not defined"


def _number(value: Any, decimals: int) -> str:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return f"{value:,.{decimals}f}" if good else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
