"""Clock times for a recording without a clock: both cures that the message names work."""

from __future__ import annotations

import re

import numpy as np
import pytest

import twitchsense as ts
from tests.io.makers import opensignals
from tests.sleep.builders import APPLE_NIGHT, apple_file, refusal
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.read import read_hypnogram


def _seconds_of_a_table():
    return "time_s,emg1_uv\n" + "".join(f"{k / 250:.3f},{k % 7}\n" for k in range(900))


@pytest.mark.parametrize(
    ("text", "option"),
    [
        (opensignals(100 * np.sin(np.arange(3000.0))), "zone"),
        (_seconds_of_a_table(), "start"),
    ],
)
def test_a_recording_without_a_clock_gets_one_by_either_option(tmp_path, text, option):
    path = tmp_path / "emg.txt"
    path.write_text(text)
    stages = apple_file(tmp_path, *APPLE_NIGHT)
    said = refusal(stages, NightClock.from_recording(ts.read(path)))
    example = re.search(rf"--{option} (\S+[\w/])", said)
    assert example is not None, said
    placed = NightClock.from_recording(ts.read(path, **{option: example[1]}))
    assert placed.zero_us is not None
    # in its night
    at_night = NightClock.from_recording(ts.read(path, start="2026-03-01T23:00:00+01:00"))
    assert read_hypnogram(stages, at_night).onset_s[0] == 0
