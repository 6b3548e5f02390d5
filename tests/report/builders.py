"""Builders of small nights and tables for the tests of the report."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

import twitchsense as ts
from twitchsense.model.per_second import PerSecond


def make_per_second(time_s, valid):
    """Make the per-second table of an EMG channel with minimum -i and maximum i in row i."""
    n = len(time_s)
    ones = np.ones(n, np.float32)
    return PerSecond(
        (np.asarray(time_s) * 1e9).astype(np.int64),
        ones,
        np.asarray(valid, bool),
        -np.arange(n, dtype=np.float32),
        np.arange(n, dtype=np.float32),
        ones,
        ones,
        np.empty((n, 0), np.float32),
        "emg",
    )


def make_quiet_night(length_s, emg_s):
    """Analyse noise: acceleration of a length, and EMG at its start."""
    rng = np.random.default_rng(5)
    signals = {"emg1_uv": (rng.normal(0, 4, emg_s * 1000), 1000.0)} if emg_s else {}
    signals["acc_x_g"] = (rng.normal(1, 0.002, length_s * 100), 100.0)
    return ts.analyze(ts.Recording.from_arrays(signals))


def make_own_nights(n, rate):
    """Make the table of n other nights with rates from `rate` on, one apart."""
    columns = {}
    for kind in ("twitch", "jerk", "movement"):
        columns[f"{kind}_rate"] = [rate + k for k in range(n)]
        columns[f"{kind}_hours"] = [7.0] * n
    return pd.DataFrame(columns)


def make_bare_night(hours, *, valid_h=None, n_twitches=0, context="wake", sensors=("emg",)):
    """Make what comparisons read of a night of a length: no signal, no jerk, a few rates."""
    valid_h = hours if valid_h is None else valid_h
    kinds = ("twitch", "jerk", "movement")
    by_kind = {k: {"count": n_twitches if k == "twitch" else 0, "hours": valid_h} for k in kinds}
    return SimpleNamespace(
        recording=SimpleNamespace(
            start_ns=0,
            end_ns=round(hours * 3600e9),
            channels=[SimpleNamespace(name=f"{kind}1", kind=kind) for kind in sensors],
        ),
        valid_s={f"{kind}1": valid_h * 3600 for kind in sensors},
        events=pd.DataFrame({"trial_type": [], "label": []}),
        epochs=pd.DataFrame({"context": [context]}),
        summary_dict=lambda: {"by_kind": by_kind},
    )
