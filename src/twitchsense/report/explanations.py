"""Why an event has its name: the rule in words, how sure, and what else it could be."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from twitchsense.model.event_table import LABELS
from twitchsense.report.palette import kind_name, label_name
from twitchsense.report.protocols import NightLike
from twitchsense.scoring.label_rules import LABELS_BY_STATE
from twitchsense.settings import Settings


def kind_rule(kind: str, settings: Settings) -> str:
    """Return the rule that makes a kind, with the numbers used."""
    s = settings
    rules = {
        "twitch": f"a muscle burst of {s.twitch.min_ms:g}–{s.twitch.max_ms:g} ms with at least "
        f"{s.twitch.min_uv:g} µV peak to peak (give or take {s.twitch.slack_uv:g}) that did not "
        "throw the leg",
        "jerk": f"a burst of {s.jerk.min_ms:g}–{s.jerk.max_ms:g} ms that threw the leg with at "
        f"least {s.jerk.min_g:g} g and {s.jerk.min_jerk_g_s:g} g/s",
        "brief_contraction": f"a muscle burst of {s.twitch.max_ms:g}–{s.movement.min_s * 1000:g} "
        "ms that is no jerk",
        "movement": f"muscle activity {s.movement.rise_uv:g} µV over rest for "
        f"{s.movement.min_s:g}–{s.movement.max_s:g} s, or acceleration as long",
        "gross_movement": f"activity of more than {s.movement.max_s:g} s, or the whole leg moving",
        "posture_change": "the leg came to rest turned by 30 degrees or more",
    }
    return rules.get(kind, f"the rule for {kind_name(kind)}")


def label_meaning(label: str) -> str:
    """Return what a label stands for."""
    return LABELS.get(label, label_name(label)).removeprefix(f"{label_name(label)}: ")


def _alternative(text: str) -> str:
    """Read ``sleep_start:0.30``: the label, and its probability where there is one."""
    label, _, share = text.strip().partition(":")
    try:
        return f"{_quoted(label)} (about {float(share):.0%})" if share else _quoted(label)
    except ValueError:
        return _quoted(label)


def _quoted(label: str) -> str:
    return f"“{label_name(label)}”"


def alternatives(night: NightLike, event: pd.Series[Any]) -> str:
    """Return what else an event could be, in one sentence; empty if nothing is known.

    A table that names its own ``alternatives`` is believed. Otherwise: within the
    range of the sleep onset, the labels that differ only by sleep; for an event
    seen by one sensor, what the other would have told.
    """
    parts: list[str] = []
    given = event.get("alternatives", "")
    if isinstance(given, str) and given:
        parts.append("it could also be " + " or ".join(map(_alternative, given.split(";"))))
    kind, mine = str(event["trial_type"]), str(event["label"])
    low, high = night.onset.low_s, night.onset.high_s
    unsure = low is not None and high is not None and low <= float(event["onset"]) <= high
    if (
        not parts
        and kind in LABELS_BY_STATE
        and (unsure or str(event["context"]) in ("unknown", ""))
    ):
        others = [_quoted(w) for w in LABELS_BY_STATE[kind] if w != mine]
        when = "sleep may have come earlier or later" if unsure else "sleep is unknown here"
        parts.append(f"{when}, so it could also be {' or '.join(others)}")
    if kind == "jerk" and not math.isfinite(float(event["amplitude_uv"])):
        parts.append(
            "seen by the accelerometer alone: a knock on the bed or the strap can look the same"
        )
    if kind == "twitch" and str(event["context"]) in ("asleep", "wake"):
        parts.append(
            "on one leg, twitches awake and asleep have the same shape; only sleep sets them apart"
        )
    return "; ".join(parts)
