"""A jerk between longer contractions that move the leg is a step."""

from __future__ import annotations

import numpy as np
import pytest

from tests.detect.builders import BURST, MS, night_context, per_second
from twitchsense.detect.rules.classify import Classifier
from twitchsense.detect.rules.sequence_rules import NightInputs, reject_active_wake
from twitchsense.model.candidates import ScoredCandidate
from twitchsense.settings import Settings

AT = 50_000 * MS


def seen(kind, at_s, length_ms, *, size=300.0, g=0.5, leg="", emg=True, reason=""):
    onset = AT + round(at_s * 1000) * MS
    shape = BURST.waveform if emg else None
    return ScoredCandidate(
        onset, onset + length_ms * MS, kind, leg, "emg1" if emg else "acc", amplitude_uv=size,
        peak_g=g, reason=reason, peak_ns=onset, waveform=shape,
        features=BURST.waveform_features if emg else None,
    )  # fmt: skip


JERK = seen("jerk", 0, 80)
BEFORE, BEHIND = seen("brief_contraction", -1.1, 350), seen("brief_contraction", 0.9, 350)


def steps(*candidates):
    """Return the kinds of the candidates that are rejected as active wake."""
    ordered = sorted(candidates, key=lambda c: c.onset_ns)
    seconds = {name: per_second() for name in ("emg1", "acc")}
    inputs = NightInputs(night_context(seconds), Settings(), Classifier())
    after = reject_active_wake(ordered, inputs)
    return [c.kind for c in after if c.reason == "active_wake"]


def test_jerk_between_moving_contractions_is_a_step():
    assert steps(BEFORE, JERK, BEHIND) == ["jerk"]


@pytest.mark.parametrize("reason", ["", "electrode_pop", "saturation"])
def test_steps_count_contractions_rejected_for_any_reason(reason):
    other = seen("brief_contraction", 0.9, 350, reason=reason)
    assert steps(seen("movement", -1.9, 600, reason=reason), JERK, other) == ["jerk"]


@pytest.mark.parametrize(
    "others",
    [
        [BEFORE],
        [BEHIND],
        [BEFORE, seen("brief_contraction", 2.1, 350)],
        [BEFORE, seen("brief_contraction", 0.9, 350, g=0.05)],
        [BEFORE, seen("brief_contraction", 0.9, 350, size=149.0)],
        [BEFORE, seen("movement", 0.9, 900, emg=False)],
        [seen("jerk", -1.0, 80), seen("jerk", 1.0, 80)],
        [seen("twitch", -1.0, 80), seen("twitch", 1.0, 80)],
    ],
)
def test_jerk_beside_rest_or_other_jerks_is_no_step(others):
    assert steps(JERK, *others) == []


def test_contractions_of_the_other_leg_make_no_step():
    others = [seen("brief_contraction", at, 350, leg="right") for at in (-1.0, 1.0)]
    assert steps(JERK, *others) == []


def test_jerk_without_emg_is_no_step():
    alone = seen("jerk", 0, 80, emg=False, size=np.nan)
    assert steps(BEFORE, alone, BEHIND) == []
