"""Rules of the night against voluntary activity: short events in active wake, and steps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.rules.classify import DECISION_THRESHOLD
from twitchsense.detect.rules.feature_tables import NightContext
from twitchsense.model.candidates import LARGE_KINDS, SHORT_KINDS, ScoredCandidate
from twitchsense.model.channels import NS
from twitchsense.model.per_second import PerSecond
from twitchsense.settings import Settings

#: Reasons of large movements: accepted, or rejected only because the leg was still.
LARGE_REASONS: Final = ("", "sustained_activity")
#: Reasons of candidates that do not count as activity in active wake: artefacts, and tonic firing,
#: which is not movement.
FOREIGN_REASONS: Final = ("ecg", "electrode_pop", "mains", "saturation", "rhythmic_train")
#: Time to either side of an event in which active wake is measured, s; the maximum fraction is
#: `LabelSettings.active_share` (docs/definitions.md, Labels and words).
ACTIVE_S: Final = 30.0
#: Time to either side of an event that must be active too, s [E]: a clear twitch in a pause of a
#: walk, or beside a contraction, is kept, and so is a jerk by acceleration alone between the
#: movements of a restless sleeper.
NEAR_ACTIVE_S: Final = 2.5
#: Mean dynamic acceleration of a second above which the leg moves, g: the still limit of
#: MotionWatch.
MOVING_G: Final = 0.1
#: Maximum distance from a step to the contractions before and after it, s.
STEP_S: Final = 2.0
#: Time for which the leg swings after a jerk, s [E].
SWING_S: Final = 2.0
#: Time by which the window of the envelope lengthens a candidate in the per-second table, s.
FLANKS_S: Final = 0.02


def find_active_wake(
    candidates: Sequence[ScoredCandidate], context: NightContext, settings: Settings
) -> set[int]:
    """Return the indices of short events in active wake, and of jerks that are steps.

    Parameters
    ----------
    candidates : sequence of ScoredCandidate
        All candidates of a leg, in order of onset.
    context : NightContext
    settings : Settings

    Returns
    -------
    set of int
    """
    share = settings.labels.active_share
    active = _find_active(candidates, context, settings)
    return active | _find_steps(candidates, settings) | _find_amid(candidates, context, share)


def _find_active(
    candidates: Sequence[ScoredCandidate], context: NightContext, settings: Settings
) -> set[int]:
    """Find the candidates in a minute, and in a few seconds, full of activity of their sensor.

    Acceleration alone shows less: for a mild jerk, and while the leg is on the move, the minute
    decides.
    """
    members: dict[str, list[int]] = {}
    for i, c in enumerate(candidates):
        # a clear jerk that both sensors show is kept; any other may be a step
        doubtful = not c.has_emg or c.confidence < DECISION_THRESHOLD
        if c.kind in SHORT_KINDS or (c.kind == "jerk" and doubtful):
            members.setdefault(c.channel, []).append(i)
    found: set[int] = set()
    for name, rows in members.items():
        times = np.array([candidates[i].onset_ns for i in rows]) / NS
        own = np.array([candidates[i].duration_s for i in rows])
        table = context.seconds[name]
        is_emg = table.kind == "emg"
        of_minute, of_seconds = (
            np.maximum(
                _active_share(candidates, table, times, own, reach_s),
                _moving_share(candidates, context, times, reach_s if is_emg else ACTIVE_S),
            )
            for reach_s in (ACTIVE_S, NEAR_ACTIVE_S)
        )
        pause = is_emg | (
            np.array([candidates[i].peak_g for i in rows]) >= settings.jerk.moderate_g
        )
        share = np.where(pause, np.minimum(of_minute, of_seconds), of_minute)
        for i, value in zip(rows, share.tolist(), strict=True):
            if value > settings.labels.active_share and not candidates[i].reason:
                found.add(i)
    return found


def _active_share(
    candidates: Sequence[ScoredCandidate],
    table: PerSecond,
    times: NDArray[np.float64],
    own: NDArray[np.float64],
    reach_s: float,
) -> NDArray[np.float64]:
    """Return the fraction of the time around each event that is other activity of its sensor."""
    middle = table.middle_s
    weight = table.length_s.copy()
    if table.kind == "emg":  # an accelerometer counts the large movements themselves
        weight *= ~_inside_large_movement(middle, candidates)
        own = own + _foreign_s(candidates, times, reach_s)
    else:  # the time of the jerks, that of the event included, does not count at all
        weight *= ~_around_jerks(middle, candidates)
        own = np.zeros_like(own)
    active = np.concatenate([[0.0], np.cumsum(table.active_fraction * weight, dtype=np.float64)])
    length = np.concatenate([[0.0], np.cumsum(weight, dtype=np.float64)])
    first = np.searchsorted(middle, times - reach_s)
    last = np.searchsorted(middle, times + reach_s)
    share = (active[last] - active[first] - own) / np.maximum(length[last] - length[first], 1.0)
    return np.asarray(share, np.float64)


def _moving_share(
    candidates: Sequence[ScoredCandidate],
    context: NightContext,
    times: NDArray[np.float64],
    reach_s: float,
) -> NDArray[np.float64]:
    """Return the fraction of the time around each event in which the leg was on the move."""
    share = np.zeros(len(times))
    for table in context.seconds.values():
        if table.kind == "acc":
            middle = table.middle_s
            moves = (table.level > MOVING_G) & ~_around_jerks(middle, candidates)
            moved = np.concatenate([[0.0], np.cumsum(moves, dtype=np.float64)])
            first = np.searchsorted(middle, times - reach_s)
            last = np.searchsorted(middle, times + reach_s)
            seconds = np.maximum(last - first, reach_s)
            share = np.maximum(share, (moved[last] - moved[first]) / seconds)
    return share


def _find_amid(
    candidates: Sequence[ScoredCandidate], context: NightContext, max_share: float
) -> set[int]:
    """Find the jerks with EMG amid activity: muscle and leg are busy just before and just after.

    A jerk that begins or ends a movement has rest on one side.
    """
    rows = [i for i, c in enumerate(candidates) if c.kind == "jerk" and c.has_emg and not c.reason]
    onsets = [candidates[i].onset_ns for i in rows]
    reach = round(NEAR_ACTIVE_S * NS)
    moving = [
        (table, (table.level > MOVING_G).astype(np.float64))
        for table in context.seconds.values()
        if table.kind == "acc"
    ]
    found: set[int] = set()
    for i in rows:
        c = candidates[i]
        muscle = context.seconds.get(c.channel)
        if muscle is None:
            continue
        near = rows[
            bisect_right(onsets, c.onset_ns - reach) : bisect_left(onsets, c.onset_ns + reach)
        ]
        jerks_s = sum(candidates[k].duration_s for k in near if k != i)
        sides = (
            (c.onset_ns / NS - NEAR_ACTIVE_S, c.onset_ns / NS),
            (c.offset_ns / NS, c.offset_ns / NS + NEAR_ACTIVE_S),
        )
        busy = [
            min(
                _side_share(muscle, muscle.active_fraction, *side) - jerks_s / NEAR_ACTIVE_S,
                max((_side_share(table, moves, *side) for table, moves in moving), default=0.0),
            )
            for side in sides
        ]
        if min(busy) > max_share:
            found.add(i)
    return found


def _side_share(
    table: PerSecond, value: NDArray[np.floating], first_s: float, last_s: float
) -> float:
    """Return the mean of a per-second value between two times; 0 where nothing is known."""
    here = slice(*np.searchsorted(table.middle_s, (first_s, last_s)).tolist())
    return float(value[here].mean()) if here.stop > here.start else 0.0


def _find_steps(candidates: Sequence[ScoredCandidate], settings: Settings) -> set[int]:
    """Find the jerks that are steps: longer contractions move the leg just before and after.

    Walking and fidgeting contain short bursts; a jerk of a resting leg has rest or other jerks
    beside it. A contraction less than half as large as the jerk is not a step.
    """
    longer: dict[str, list[ScoredCandidate]] = {}
    for c in candidates:
        moved = c.has_emg and c.peak_g >= settings.jerk.min_g
        if moved and c.kind in ("brief_contraction", "movement"):
            longer.setdefault(c.leg, []).append(c)
    reach = round(STEP_S * NS)
    found: set[int] = set()
    for i, c in enumerate(candidates):
        if c.kind != "jerk" or c.reason or not c.has_emg:
            continue
        others = longer.get(c.leg, [])
        first = bisect_left(others, c.onset_ns - reach, key=_onset_ns)
        last = bisect_right(others, c.onset_ns + reach, key=_onset_ns)
        onsets = [g.onset_ns for g in others[first:last] if 2 * g.amplitude_uv >= c.amplitude_uv]
        if onsets and onsets[0] < c.onset_ns < onsets[-1]:
            found.add(i)
    return found


def _onset_ns(c: ScoredCandidate) -> int:
    return c.onset_ns


def _foreign_s(
    candidates: Sequence[ScoredCandidate], times: NDArray[np.float64], reach_s: float
) -> NDArray[np.float64]:
    """Return the seconds with `FOREIGN_REASONS` around each time."""
    foreign = [c for c in candidates if c.reason in FOREIGN_REASONS and c.has_emg]
    at = np.array([c.onset_ns for c in foreign]) / NS
    length = np.array([c.duration_s + FLANKS_S for c in foreign])
    total = np.concatenate([[0.0], np.cumsum(length)])
    first = np.searchsorted(at, times - reach_s)
    last = np.searchsorted(at, times + reach_s)
    return np.asarray(total[last] - total[first], np.float64)


def _around_jerks(
    times: NDArray[np.float64], candidates: Sequence[ScoredCandidate]
) -> NDArray[np.bool_]:
    """Whether seconds, given by their middle, hold a jerk without EMG or the swing after it."""
    onset_s = np.array([c.onset_ns for c in candidates if c.kind == "jerk" and not c.has_emg]) / NS
    return np.searchsorted(onset_s, times + 0.5, "right") > np.searchsorted(
        onset_s, times - SWING_S, "left"
    )


def _inside_large_movement(
    times: NDArray[np.float64], candidates: Sequence[ScoredCandidate]
) -> NDArray[np.bool_]:
    """Whether times lie within a second of a large movement, or of noise that has grown."""
    large = [c for c in candidates if c.kind in LARGE_KINDS and c.reason in LARGE_REASONS]
    begun = np.sort([c.onset_ns / NS - 1 for c in large])
    over = np.sort([c.offset_ns / NS + 1 for c in large])
    return np.searchsorted(begun, times, "left") > np.searchsorted(over, times, "right")
