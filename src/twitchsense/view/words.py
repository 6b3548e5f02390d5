"""The night in plain words: the sentences at the top of the report."""

from __future__ import annotations

import math

import pandas as pd

from twitchsense.recording import NS
from twitchsense.view.clock import Clock, spoken
from twitchsense.view.nightlike import NightLike
from twitchsense.view.palette import KIND_NAMES, context_name, kind_name

#: From this confidence on an event is called clear [E].
CLEAR = 0.7
_SENSORS = {"emg": "muscle signal (EMG)", "acc": "acceleration"}


def answers(night: NightLike) -> list[tuple[str, str]]:
    """Return the night in a few plain sentences, each under what it answers."""
    return [
        ("The recording", valid_phrase(night)),
        ("Falling asleep", onset_phrase(night)),
        ("What stood out", found_phrase(night)),
        ("How sure", sure_phrase(night)),
    ]


def valid_phrase(night: NightLike) -> str:
    """Say how long the recording was and how much of it could be judged."""
    recording = night.recording
    length = (recording.end_ns - recording.start_ns) / NS
    valid: dict[str, float] = {}
    for channel in recording.channels:
        seconds = night.valid_s.get(channel.name, 0.0)
        valid[channel.kind] = max(valid.get(channel.kind, 0.0), seconds)
    if len(valid) == 2 and all(s > 0.98 * length for s in valid.values()):
        judged = "muscle signal (EMG) and acceleration could be judged nearly all the time"
    else:
        judged = " and ".join(_judged(kind, valid.get(kind), length) for kind in _SENSORS)
    return f"The recording lasted {spoken(length)}: {judged}."


def _judged(kind: str, seconds: float | None, length: float) -> str:
    name = _SENSORS[kind]
    if seconds is None:
        return f"no {name} was recorded"
    if seconds <= 0:
        return f"none of the {name} could be judged"
    if seconds > 0.98 * length:
        return f"nearly all of the {name} could be judged"
    return f"{spoken(seconds)} of {name} could be judged"


def onset_phrase(night: NightLike) -> str:
    """Say when sleep came, and how sure that is."""
    onset, clock = night.onset, Clock.of(night.recording)
    if onset.time_s is None or not math.isfinite(onset.time_s):
        return (
            "When sleep came could not be told from this recording, "
            "so events stand without their place before or after it."
        )
    when = clock.short(onset.time_s)
    if "hypnogram" in onset.source:
        return f"By the hypnogram given, sleep began at {when}."
    low, high = onset.low_s, onset.high_s
    between = ""
    if low is not None and high is not None and high - low >= 60:
        between = f", between {clock.short(low)} and {clock.short(high)},"
    if not clock.known:
        between = between.replace(" into the recording", "")
    return (
        f"Sleep probably came around {when}{between or ','} estimated from how still the leg lay: "
        "lying awake without moving looks the same."
    )


def found_phrase(night: NightLike) -> str:
    """Say what was found: how many of each kind, where most were, the strongest jerk."""
    table = night.events
    if not any(seconds > 0 for seconds in night.valid_s.values()):
        return "Nothing can be said about twitches or jerks: there was no valid signal."
    counts = table["trial_type"].value_counts()
    has_emg = any(
        night.valid_s.get(c.name, 0) > 0 for c in night.recording.channels if c.kind == "emg"
    )
    blind = "" if has_emg else " Twitches can't be seen without muscle signal."
    small = [k for k in ("twitch", "jerk", "movement") if counts.get(k, 0)]
    if not small:
        rest = [f"{counts[k]} {kind_name(k, int(counts[k]))}" for k in KIND_NAMES if k in counts]
        tail = f"; there were {listed(rest)}" if rest else ""
        none = "twitch, jerk" if has_emg else "jerk"
        return f"No {none} or leg movement was found in the valid signal{tail}.{blind}"
    found = [f"{counts[k]:,} {kind_name(k, int(counts[k]))}" for k in small]
    were = "was" if counts[small].sum() == 1 else "were"
    text = f"{listed(found)} {were} found"
    most = _where_most(table[table["trial_type"] == small[0]])
    if most:
        text += f", most of the {kind_name(small[0], 2)} while {most}"
    text += _series(table)
    jerks = table[table["trial_type"] == "jerk"]
    if len(jerks) and jerks["peak_g"].notna().any():
        top = jerks.iloc[int(jerks["peak_g"].fillna(-1.0).to_numpy().argmax())]
        when = Clock.of(night.recording).short(float(top["onset"]))
        at = f"at {when}" if Clock.of(night.recording).known else when
        text += f"; the strongest jerk came {at} with {float(top['peak_g']):.2f} g"
    return f"{text}.{blind}"


def sure_phrase(night: NightLike) -> str:
    """Say how clearly the events met their rules, and what their names are worth."""
    confidence = night.events["confidence"].to_numpy(float)
    n = len(confidence)
    text = "Names that end in “-like” say what a pattern resembles, not what causes it."
    if not n:
        return f"No event was found, but what the sensor could not see is not known. {text}"
    clear = int((confidence.round(3) >= CLEAR).sum())  # as the table has it
    share = "All" if clear == n else "None" if clear == 0 else f"{clear:,}"
    events = "events" if n != 1 else "event"
    return (
        f"{share} of the {n:,} {events} met the rule clearly (confidence {CLEAR:g} or more of 1); "
        f"the others are less sure. {text}"
        if clear < n
        else f"Every event met its rule clearly (confidence {CLEAR:g} or more of 1). {text}"
    )


def listed(parts: list[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _series(table: pd.DataFrame) -> str:
    rows = table[(table["label"] == "periodic_leg_movement_like") & (table["series"] != "")]
    if not len(rows):
        return ""
    n = rows["series"].nunique()
    return f"; {len(rows)} leg movements came in {n} periodic-like series"


def _where_most(rows: pd.DataFrame) -> str:
    counts = rows["context"].value_counts()
    if len(rows) < 5 or not len(counts) or counts.index[0] in ("unknown", ""):
        return ""
    return context_name(str(counts.index[0])) if counts.iloc[0] > 0.5 * len(rows) else ""
