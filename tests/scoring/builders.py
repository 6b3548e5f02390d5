"""Event rows, analysed nights, and marks of leg movements for the scoring tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.sleep.builders import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    drop,
    emg_seconds,
    events,
    hypnogram,
    recording,
)
from twitchsense.model.event_table import REJECTED_COLUMNS, make_table
from twitchsense.scoring.labels.label_events import label_detections
from twitchsense.scoring.leg_movements.score_event_list import score_leg_movements
from twitchsense.scoring.summary import build_summary
from twitchsense.settings import Settings
from twitchsense.sleep.context import find_context

SETTINGS = Settings()
#: Two hours: 20 min of wake, 40 min of N2, 60 min of REM.
STAGES = hypnogram(("W", 20), ("N2", 40), ("R", 60))

LEGS = {"L": "left", "R": "right"}


def marks(*rows):
    """Make an event list of ``"L 100.2 1.5"`` (leg, onset, duration)."""
    fields = [row.split() for row in rows]
    return pd.DataFrame(
        {
            "onset": [float(f[1]) for f in fields],
            "duration": [float(f[2]) for f in fields],
            "leg": [LEGS[f[0]] for f in fields],
        }
    )


def train(*gaps, start=100.2, duration=1.0, leg="L"):
    """Return marks on one leg with these intervals, as rows for `marks`.

    Onsets are written with six decimals, as a file would hold them.
    """
    onsets = start + np.concatenate([[0.0], np.cumsum(gaps)])
    return [f"{leg} {onset:.6f} {duration}" for onset in onsets]


def stages(letters, epoch=30.0, start=0.0):
    """Make a hypnogram of a string of stages: W 1 2 3 R and ? for unscored."""
    names = {"1": "N1", "2": "N2", "3": "N3"}
    return pd.DataFrame(
        {
            "onset": start + epoch * np.arange(len(letters)),
            "duration": epoch,
            "stage": [names.get(letter, letter) for letter in letters],
        }
    )


def breaths(*rows):
    """Make respiratory events of (onset, duration)."""
    return pd.DataFrame(rows, columns=["onset", "duration"], dtype=float)


def check(rows, rules="wasm2016", hypnogram=None, respiratory=None, **expected):
    """Check some of the indices of a night."""
    found = score_leg_movements(marks(*rows), hypnogram, respiratory, rules).indices
    assert {name: found[name] for name in expected} == expected


def random_night(rng, n=60, span=900.0):
    """Return marks, a hypnogram and respiratory events, crowded near every limit.

    Steps and durations often fall exactly on a limit of the rules or a
    microsecond beside it.
    """
    limits = np.array([0.5, 1.0, 5.0, 10.0, 15.0, 30.0, 90.0])
    nudge = np.array([-1e-6, 0.0, 1e-6])
    onset = np.sort(rng.uniform(0, span, n).round(int(rng.integers(0, 7))))
    exact = rng.random(n) < 0.5
    for i in np.flatnonzero(exact[1:]) + 1:
        onset[i] = onset[i - 1] + rng.choice(limits) + rng.choice(nudge)
    duration = rng.choice([0.0, 0.2, 0.3, 0.5, 0.6, 1.0, 2.5, 9.7, 10.0, 15.0], n)
    duration = np.maximum(duration + rng.choice(nudge, n), 0.0)
    weights = rng.dirichlet(np.ones(10))
    loose = rng.random(n) < rng.random()
    duration[loose] = rng.choice(
        [0.2, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 8.0, 10.0, 12.0], n, p=weights
    )[loose]
    legs = np.where(rng.random(n) < rng.random(), "left", "right")
    moves = pd.DataFrame({"onset": onset.round(6), "duration": duration.round(6), "leg": legs})
    letters = "".join(rng.choice(list("WW123R?"), int(span // 30)))
    events = pd.DataFrame(
        {"onset": rng.uniform(0, span, 4).round(2), "duration": rng.choice([0.0, 10.0, 40.5], 4)}
    )
    return moves.sample(frac=1.0, random_state=int(rng.integers(1 << 30))), stages(letters), events


def row(onset, kind, duration=0.1, **more):
    """Return one event as a dict."""
    return {"onset": float(onset), "trial_type": kind, "duration": duration, "peak_g": 0.05, **more}


def burst_row(onset, kind="brief_contraction", duration=0.3, leg="", **more):
    """Return one burst of a train as an event."""
    return row(onset, kind, duration, leg=leg, **more)


def lm(onset, duration=2.0, kind="movement", **more):
    """Return one leg movement as an event."""
    return row(onset, kind, duration, **more)


def rejected(*rows):
    """Return a table of rejected candidates."""
    return make_table(rows, REJECTED_COLUMNS)


def onsets(rate, n, start=100.0):
    """Return `n` onsets at a rate (Hz)."""
    return [start + k / rate for k in range(n)]


def summary(*rows, stages=STAGES, respiratory=None, settings=SETTINGS, **seconds):
    """Return the summary of a two-hour night with these events."""
    seconds = seconds or {"emg1": emg_seconds(7200)}
    channels = tuple(EMG if n.startswith("emg") else ACC for n in seconds)
    rec = recording(*channels, seconds=7200)
    found = detections(events(*rows), **seconds)
    context = find_context(rec, found, settings, stages)
    found = label_detections(found, context, settings)
    return build_summary(rec, found, context, settings, stages is not None, respiratory)


def two_hour_night():
    """Two hours: 20 min wake, then sleep; 10 min of EMG lost, 30 min of ACC invalid."""
    emg = drop(emg_seconds(7200), 600, 1200)
    acc = acc_seconds(7200)
    acc.valid[5400:] = False
    table = events(
        {"onset": 100.0, "trial_type": "twitch"},
        {"onset": 200.0, "trial_type": "twitch"},
        {"onset": 1300.0, "trial_type": "jerk", "peak_g": 0.5},
        {"onset": 4000.0, "trial_type": "twitch"},
        {"onset": 4100.0, "trial_type": "movement", "duration": 2.0},
        {"onset": 4200.0, "trial_type": "gross_movement", "duration": 12.0},
    )
    rec = recording(EMG, ACC, seconds=7200)
    found = detections(table, emg1=emg, acc=acc)
    context = find_context(rec, found, SETTINGS, STAGES)
    return rec, label_detections(found, context, SETTINGS), context
