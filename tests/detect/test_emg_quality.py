"""Whether EMG can be judged: one answer, live and when the night is decided anew."""

from __future__ import annotations

import re
from itertools import count

import numpy as np
import pytest

import twitchsense as ts
from tests.signals import band_noise
from twitchsense.detect.candidates.emg_segment import EmgSegment
from twitchsense.detect.sensors.clock_alignment import AlignedHistory
from twitchsense.detect.sensors.sensor_queries import SensorQueries
from twitchsense.model.channels import NS, Channel
from twitchsense.model.detections import ClockOffset
from twitchsense.model.notes import main_notes
from twitchsense.settings import Settings

FS = 1000.0
CHANNEL = Channel("emg1", "emg", "uV", FS, ("emg1_uv",))


def quiet(seconds, noise_uv=3.0):
    return band_noise(round(seconds * FS), FS, noise_uv, np.random.default_rng(1))


def saturated():
    """A minute of quiet, then an amplifier that stands at its limit."""
    x = quiet(120)
    x[60_000:] = 3000.0
    return x


def active_over_noise():
    """Noise of 22 uV, in which only jerks would show, with loud activity from a minute on."""
    x = quiet(120, 22.0)
    x[60_000:] += quiet(60, 200.0)
    return x


def flat():
    x = quiet(120)
    x[60_000:] = x[60_000]
    return x


def stream(x):
    """Return the answers of a segment while the signal streams by, and the segment."""
    segment = EmgSegment(CHANNEL, 0, Settings(), count())
    live = {}
    for first in range(0, len(x), 500):
        segment.push(x[first : first + 500, None].astype(np.float32))
        segment.process()
        at = segment.newest_ns - 11 * NS  # the noise floor of the first 10 s is known after them
        live[at] = (segment.quality.usable(at), segment.quality.shows_jerks(at))
    segment.close()
    return live, segment


@pytest.mark.parametrize("signal", [quiet(120), saturated(), active_over_noise(), flat()])
def test_the_aligned_night_answers_as_the_stream_did(signal):
    live, segment = stream(signal)
    history = AlignedHistory([], [segment.quality], ClockOffset(0.5, 1e-5))
    aligned = SensorQueries(history)
    after = {at: (aligned.emg_usable(at), aligned.emg_shows_jerks(at)) for at in live}
    assert after == live


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (quiet(120), (True, True)),
        (saturated(), (False, False)),
        (flat(), (False, False)),
        (quiet(120, 22.0), (True, True)),
        (quiet(120, 60.0), (False, False)),
    ],
)
def test_noise_above_the_limit_hides_muscle_activity(signal, expected):
    _, segment = stream(signal)
    at = 110 * NS
    assert (segment.quality.usable(at), segment.quality.shows_jerks(at)) == expected


def test_outside_the_segment_nothing_is_known():
    _, segment = stream(quiet(20))
    for at in (-1, 20 * NS):
        assert not segment.quality.usable(at)
        assert not segment.quality.shows_jerks(at)


def test_discarded_seconds_do_not_change_later_answers():
    _, kept = stream(saturated())
    _, dropped = stream(saturated())
    dropped.quality.discard(90 * NS)
    times = [s * NS for s in range(92, 120)]
    assert [dropped.quality.usable(t) for t in times] == [kept.quality.usable(t) for t in times]


@pytest.mark.parametrize(
    ("noise_uv", "reason"),
    [(3.0, None), (300.0, r"the noise at rest is \d+ µV, and above"), (0.0, "it was flat")],
)
def test_emg_that_cannot_be_evaluated_is_noted(noise_uv, reason):
    samples = np.random.default_rng(1).normal(0, noise_uv, 45_000).astype(np.float32)
    night = ts.analyze({"emg1_uv": (samples, 1000.0)})
    found = [n for n in main_notes(night.notes) if "could not be evaluated" in n]
    assert len(found) == (reason is not None)
    if reason is not None:
        assert found[0].startswith("emg1: 100 % of the time could not be evaluated: ")
        assert re.search(reason, found[0])
        assert "check the" in found[0]
