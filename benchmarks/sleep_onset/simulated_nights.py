"""Nights of the simulator (`firmware_sim`) that follow real hypnograms.

The simulated leg differs from the other composers in what matters here: it turns and moves until
seconds before sleep onset, and its muscle tone and its heart do not follow the stages.
"""

from __future__ import annotations

import numpy as np

from benchmarks.sleep_onset.composed_night import ComposedNight
from firmware_sim.capture import CaptureSettings, SimulatedCapture
from firmware_sim.hypnogram import EPOCH_S, StageSequence
from firmware_sim.scenarios import make_schedule
from firmware_sim.schedule import EventKind

#: Scenarios that follow any hypnogram.
SCENARIOS = ("night", "restless_onset", "labels", "sleep_onset")
#: Movements of the whole leg; after the last of them before sleep onset the leg is still.
MOVEMENTS = (EventKind.GROSS_MOVEMENT, EventKind.POSTURE, EventKind.WALK)


def compose(name: str, stages: tuple[str, ...], seed: int) -> ComposedNight:
    """Simulate a night that follows the given stages."""
    minutes, scenario = len(stages) * EPOCH_S / 60, SCENARIOS[seed % len(SCENARIOS)]
    hypnogram = StageSequence(stages)
    plan = make_schedule(scenario, minutes, seed, 1, hypnogram)
    settings = CaptureSettings(minutes, seed, scenario, channels=1)
    capture = SimulatedCapture(settings, schedule=plan)
    blocks, sensor = list(capture.blocks()), capture.sensor
    emg = np.concatenate([b.emg[:, 0] for b in blocks]) * np.float32(sensor.emg_lsb_uv)
    acc = np.concatenate([b.acc for b in blocks]) * np.float32(sensor.acc_lsb_g)
    onset_s = hypnogram.sleep_onset_s
    assert onset_s is not None
    ends = [e.onset + e.duration for e in plan.events if e.kind in MOVEMENTS and e.onset < onset_s]
    still_min = max(0.0, onset_s - max(ends, default=0.0)) / 60
    return ComposedNight(name, stages, emg.astype(np.float32), acc.astype(np.float32),
                         settings.fs_emg, settings.fs_acc, True, still_min)  # fmt: skip
