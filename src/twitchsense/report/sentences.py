"""The night in plain words: the sentences at the top of the report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.model.channels import NS
from twitchsense.report.artifact_minutes import disturbed
from twitchsense.report.onset_text import is_known, lay_still_from_start, likely_range
from twitchsense.report.palette import KIND_NAMES, context_name, kind_name
from twitchsense.report.protocols import NightLike
from twitchsense.report.time_labels import Clock, spoken
from twitchsense.trend.nights import LEAST_HOURS

#: From this confidence on an event is called clear [E].
CLEAR = 0.7
#: Above this share it was "nearly all the time" [E].
_NEARLY = 0.98
_SENSORS = {"emg": "muscle signal (EMG)", "acc": "acceleration"}


def answers(night: NightLike) -> list[tuple[str, str]]:
    """Return what a person asks in the morning, each with its answer in plain words."""
    return [
        ("Was the recording good?", f"{good_word(night)}. {valid_phrase(night)}"),
        ("When did I fall asleep?", onset_phrase(night)),
        ("Did anything stand out?", found_phrase(night)),
        ("How sure is that?", sure_phrase(night)),
    ]


def good_word(night: NightLike) -> str:
    """Return in a word how much of the night both sensors saw, undisturbed [E]."""
    if is_short(night) and any(seconds > 0 for seconds in night.valid_s.values()):
        return "Too short to judge a night"
    shares = _shares(night)
    worst, best = (pick(shares.get(kind, 0.0) for kind in _SENSORS) for pick in (min, max))
    worst = min(worst, 1 - _disturbed_s(night) / max(_length(night), 1e-9))
    if worst > _NEARLY:
        return "Yes"
    if worst >= 0.8:
        return "Mostly"
    return "In part" if best >= 0.1 else "No"


def valid_phrase(night: NightLike) -> str:
    """Say how long the recording was and how much of it could be judged."""
    length, shares = _length(night), _shares(night)
    whole = _saw_all(shares)
    told = {_extent(shares.get(kind), length) for kind in _SENSORS}
    if len(told) == 1 and len(shares) == len(_SENSORS):
        judged = f"{' and '.join(_SENSORS.values())} could both be judged {told.pop()}"
    else:
        judged = " and ".join(_judged(kind, shares.get(kind), length) for kind in _SENSORS)
    text = f"The recording lasted {spoken(length)}: {judged}."
    if not whole and any(share <= _NEARLY for share in shares.values()):
        text += " About the rest nothing is known."
    rough = _disturbed_s(night)
    if rough > 0:
        text += (
            f" In {spoken(rough)} of it disturbances were many (such as a loose electrode): "
            "there, small twitches can be missed, and some events may not be real."
        )
    if is_short(night):
        text += f" A night takes at least {LEAST_HOURS:g} h, better all of the sleep."
    return text


def is_short(night: NightLike) -> bool:
    """Return whether the recording is too short for a night, as the weeks count nights."""
    return _length(night) < LEAST_HOURS * 3600


def _length(night: NightLike) -> float:
    return (night.recording.end_ns - night.recording.start_ns) / NS


def _disturbed_s(night: NightLike) -> float:
    return sum(length for _, length in disturbed(night))


def _saw_all(shares: Mapping[str, float]) -> bool:
    return all(shares.get(kind, 0.0) > _NEARLY for kind in _SENSORS)


def _shares(night: NightLike) -> dict[str, float]:
    """Return the valid share of the recording for each kind of sensor that was there."""
    shares: dict[str, float] = {}
    for channel in night.recording.channels:
        share = night.valid_s.get(channel.name, 0.0) / max(_length(night), 1e-9)
        shares[channel.kind] = max(shares.get(channel.kind, 0.0), share)
    return shares


def _judged(kind: str, share: float | None, length: float) -> str:
    name = _SENSORS[kind]
    if share is None:
        return f"no {name} was recorded"
    if share <= 0:
        return f"none of the {name} could be judged"
    return f"{name} could be judged {_extent(share, length)}"


def _extent(share: float | None, length: float) -> str:
    if share is None or share <= 0:
        return "at no time"
    return "nearly all the time" if share > _NEARLY else f"for {spoken(share * length)} of it"


def onset_phrase(night: NightLike) -> str:
    """Say when sleep came, and how sure that is."""
    onset, clock = night.onset, Clock.of(night.recording)
    if onset.time_s is None or not is_known(night):
        return (
            "When sleep came could not be told from this recording, "
            "so events stand without their place before or after it."
        )
    when = clock.short(onset.time_s)
    if "hypnogram" in onset.source:
        return f"By the hypnogram given, sleep began at {when}."
    if lay_still_from_start(night) and onset.high_s is not None:
        return (
            f"The leg lay still from the start, so sleep may have come at any time until "
            f"{clock.short(onset.high_s)}: lying awake without moving looks the same."
        )
    between = ""
    if (likely := likely_range(night)) is not None:
        between = f", between {clock.short(likely[0])} and {clock.short(likely[1])},"
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
    others = [k for k in (*KIND_NAMES, *sorted(counts.index)) if k in counts and k not in small]
    rest = [f"{counts[k]:,} {kind_name(k, int(counts[k]))}" for k in dict.fromkeys(others)]
    if not small:
        tail = f"; there were {listed(rest)}" if rest else ""
        none = "twitch, jerk" if has_emg else "jerk"
        return f"No {none} or leg movement was found in the valid signal{tail}.{blind}"
    found = [f"{counts[k]:,} {kind_name(k, int(counts[k]))}" for k in small]
    were = "was" if counts[small].sum() == 1 else "were"
    text = f"{listed(found)} {were} found"
    text += f" besides {listed(rest)}" if rest else ""
    text += _legs(table[table["trial_type"].isin(small)])
    most = _where_most(table[table["trial_type"] == small[0]])
    if most:
        text += f", most of the {kind_name(small[0], 2)} while {most}"
    text += _series(table)
    jerks = table[table["trial_type"] == "jerk"]
    if len(jerks) and jerks["peak_g"].notna().any():
        top = jerks.iloc[int(jerks["peak_g"].fillna(-1.0).to_numpy().argmax())]
        when = Clock.of(night.recording).short(float(top["onset"]))
        at = f"at {when}" if Clock.of(night.recording).known else when
        text += (
            f"; the strongest jerk came {at} with {float(top['peak_g']):.2f}\u00a0g "
            "(1\u00a0g is the pull of the earth)"
        )
    return f"{text}.{blind}"


def sure_phrase(night: NightLike) -> str:
    """Say how clearly the events met their rules, and what their names are worth."""
    table = night.events
    n = len(table)
    if not n:
        if not any(seconds > 0 for seconds in night.valid_s.values()):
            return "Nothing is known of this night."
        unseen = (
            "the sensors saw nearly all of it"
            if _saw_all(_shares(night))
            else "of what the sensors could not judge nothing is known"
        )
        return (
            f"No event was found, and {unseen}. They notice only the muscle below them and "
            "what moves this leg."
        )
    text = "Names that end in “-like” say what a pattern resembles, not what causes it."
    confidence = table["confidence"].to_numpy(float)
    clear = confidence.round(3) >= CLEAR  # as the table has it
    if clear.all():
        return f"Every event met its rule clearly (confidence {CLEAR:g} or more of 1). {text}"
    share = f"{int(clear.sum()):,}" if clear.any() else "None"
    events = "events" if n != 1 else "event"
    out = f"{share} of the {n:,} {events} met the rule clearly (confidence {CLEAR:g} or more of 1)"
    named = int((~clear & (confidence / _own_share(table) >= CLEAR)).sum())
    if named:
        rest = n - int(clear.sum()) - named
        word = "other" if named == 1 else "others"
        only = f"{named:,} {word}" if rest else "all others"
        out += f"; of {only} just the name is unsure, for it hangs on when sleep came"
        out += "; the rest are less sure" if rest else ""
    else:
        out += "; the others are less sure"
    return f"{out}. {text}"


def _own_share(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return how probable each label is, beside the ones that sleep could make of it."""
    if "alternatives" not in table:
        return np.ones(len(table))
    found = table["alternatives"].astype(str).str.extractall(r":([0-9.]+)")[0]
    others = pd.to_numeric(found, errors="coerce").groupby(level=0).sum()
    return np.asarray(1 - others.reindex(table.index, fill_value=0.0).clip(0, 0.95), np.float64)


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
    return (
        f"; {len(rows)} of the leg movements came one after the other at a steady pace "
        f"({n} periodic-like series)"
    )


def _legs(rows: pd.DataFrame) -> str:
    counts = rows["leg"].value_counts()
    if not {"left", "right"} <= set(counts.index):
        return ""
    return f" ({counts['left']:,} on the left leg, {counts['right']:,} on the right)"


def _where_most(rows: pd.DataFrame) -> str:
    counts = rows["context"].value_counts()
    if len(rows) < 5 or not len(counts) or counts.index[0] in ("unknown", ""):
        return ""
    return context_name(str(counts.index[0])) if counts.iloc[0] > 0.5 * len(rows) else ""
