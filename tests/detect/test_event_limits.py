"""Every event obeys the limits of its kind, whatever the input and whatever the models say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detect.builders import S, candidate, night_context, night_rules, per_second
from tests.signals import band_noise
from twitchsense.detect.detector import Detector
from twitchsense.detect.rules.classify import Classifier
from twitchsense.model.event_table import GRADES, TRIAL_TYPES
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings, TwitchSettings

FS = 1000.0
#: Times are kept in ns and durations rounded to samples.
TOLERANCE_S = 1e-6


def violations(events, rules: Settings):
    """Return what is wrong with the rows of an event table, by the definitions."""
    twitch, jerk, movement = rules.twitch, rules.jerk, rules.movement
    found = []
    for row in events.itertuples():
        ms = row.duration * 1000
        has_emg = not np.isnan(row.amplitude_uv)
        limits = {
            "twitch": (twitch.min_ms - twitch.min_slack_ms, twitch.max_ms + twitch.slack_ms),
            "brief_contraction": (twitch.min_ms - twitch.min_slack_ms, movement.min_s * 1000),
            # a jerk may have several bursts, each no longer than `max_ms`
            "jerk": (jerk.min_ms, np.inf) if has_emg else (0.0, jerk.max_episode_s * 1000),
            "movement": (movement.min_s * 1000, np.inf),
        }
        low, high = limits.get(row.trial_type, (0.0, np.inf))
        if not low - TOLERANCE_S * 1000 <= ms <= high + TOLERANCE_S * 1000:
            found.append(f"{row.trial_type} of {ms:.3f} ms")
        if row.trial_type not in TRIAL_TYPES:
            found.append(f"kind {row.trial_type}")
        if row.trial_type in ("twitch", "brief_contraction") and not (
            row.amplitude_uv >= twitch.min_uv - twitch.slack_uv
        ):
            found.append(f"{row.trial_type} of {row.amplitude_uv:.1f} uV")
        if row.trial_type == "jerk":
            least = jerk.min_g if has_emg else jerk.min_g_alone
            if not (row.peak_g >= least and row.jerk_g_s >= jerk.min_jerk_g_s):
                found.append(f"jerk of {row.peak_g} g and {row.jerk_g_s} g/s")
        if (row.grade != "") != (row.trial_type == "jerk") or row.grade not in {"", *GRADES}:
            found.append(f"{row.trial_type} of grade {row.grade!r}")
        if not 0 <= row.confidence <= 1:
            found.append(f"{row.trial_type} of confidence {row.confidence}")
    return found


class AcceptAll(Classifier):
    """Models that believe everything: only the definitions are left."""

    def jerk(self, burst, response):
        return 1.0

    def movements(self, candidates, rows, context):
        return np.ones(len(rows)), [""] * len(rows)

    def bursts(self, candidates, rows, context):
        return np.ones(len(rows)), [""] * len(rows)


class CredulousDetector(Detector):
    """A detector with models that believe everything."""

    classifier_class = AcceptAll


def detect_with(arrays, rules, detector_class=Detector):
    recording = Recording.from_arrays(arrays)
    detector = detector_class(rules, recording.channels)
    for chunk in recording.chunks():
        detector.push(chunk)
    return detector.close()


ACTIVITY = st.lists(
    st.tuples(
        st.sampled_from(["noise", "steps", "spike", "tone"]),
        st.floats(0.002, 1.4),  # duration, s
        st.floats(20.0, 3000.0),  # amplitude, uV
        st.floats(0.0, 2.0),  # acceleration beside it, g
    ),
    min_size=1,
    max_size=6,
)


def recording_of(activity, seed):
    """Return 40 s of quiet EMG and acceleration with bursts of activity every 5 s."""
    rng = np.random.default_rng(seed)
    seconds = 15 + 5 * len(activity)
    emg = band_noise(round(seconds * FS), FS, 3.0, rng)
    acc = np.zeros((round(seconds * 100), 3)) + [0.0, 0.0, 1.0]
    acc += rng.normal(0, 0.001, acc.shape)
    for k, (kind, duration, amplitude, g) in enumerate(activity):
        first, n = round((12 + 5 * k) * FS), max(1, round(duration * FS))
        t = np.arange(n) / FS
        wave = {
            "noise": rng.normal(0, 0.3, n),
            "steps": np.sign(rng.normal(size=n)),
            "spike": np.exp(-t / 0.002),
            "tone": np.sin(2 * np.pi * 120 * t),
        }[kind]
        emg[first : first + n] += amplitude * wave
        at = first // 10 + 4
        acc[at : at + 25, 0] += g * np.sin(np.arange(25) * 0.5) * np.exp(-np.arange(25) / 8)
    return {
        "emg1_uv": (emg, FS),
        **{f"acc_{axis}_g": (acc[:, i], 100.0) for i, axis in enumerate("xyz")},
    }


RULES = {
    "default": Settings(),
    "long twitches only": Settings(twitch=TwitchSettings(min_ms=30.0)),
    "no slack": Settings(twitch=TwitchSettings(min_slack_ms=0.0, slack_ms=0.0, slack_uv=0.0)),
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@given(activity=ACTIVITY, seed=st.integers(0, 999), believe=st.booleans())
@settings(max_examples=20, deadline=None)
def test_every_event_obeys_the_limits_of_its_kind(rules, activity, seed, believe):
    arrays = recording_of(activity, seed)
    found = detect_with(arrays, rules, CredulousDetector if believe else Detector)
    assert violations(found.events, rules) == []


def test_noise_of_half_a_second_is_no_brief_contraction():
    """A model once accepted 530 ms of noise, where the definition ends at 500 ms."""
    activity = [("noise", d, 130.0, 0.0) for d in (0.45, 0.51, 0.53, 0.55, 0.6, 0.7, 0.8, 0.9)]
    for seed in range(3):
        found = detect_with(recording_of(activity, seed), Settings(), CredulousDetector)
        assert violations(found.events, Settings()) == []
        reasons = found.rejected.loc[found.rejected.duration >= 0.5, "reason"]
        assert len(reasons)


@pytest.mark.parametrize(
    ("own", "after"),
    [
        ({"kind": "twitch", "length_s": 0.0029}, ("twitch", "too_short")),
        ({"kind": "twitch", "length_s": 0.003}, ("twitch", "")),
        ({"kind": "twitch", "length_s": 0.165}, ("twitch", "")),
        ({"kind": "twitch", "length_s": 0.1651}, ("brief_contraction", "")),
        ({"kind": "brief_contraction", "length_s": 0.4999}, ("brief_contraction", "")),
        ({"kind": "brief_contraction", "length_s": 0.5}, ("brief_contraction", "weak_contraction")),
        ({"kind": "movement", "length_s": 0.4999}, ("movement", "weak_contraction")),
        ({"kind": "jerk", "length_s": 0.2}, ("jerk", "")),
    ],
)
def test_the_limits_come_last(own, after):
    context = night_context({"emg1": per_second()})
    (found,) = night_rules([candidate(100, **own)], context)
    assert (found.kind, found.reason) == after


def test_a_long_jerk_whose_waveform_leaves_the_leg_still_is_a_brief_contraction():
    found = [replace(candidate(100, length_s=0.25), kind="jerk", grade="mild")]
    found += [candidate(50.0 * k + 20) for k in range(3)]
    found = [replace(c, peak_ns=c.onset_ns) for c in found]
    context = night_context({"emg1": per_second()})
    kinds = {c.onset_ns // S: (c.kind, c.reason) for c in night_rules(found, context)}
    assert kinds[100] == ("brief_contraction", "")
