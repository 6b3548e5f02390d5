"""Scores one composed recording: what was found, missed, and raised by what.

Matching is that of ``twitchsense agree`` (`scoring.agreement.compare_events.match`): one to one,
the best choice, tolerances by kind.  On top of it, because the truth here knows more than a list of
events:

- optional, so neither missed nor false nor right: twitches below 50 µV (the definition's least
  amplitude), and targets that nobody could see (every EMG channel lost or at its rail; for a jerk
  also the accelerometer);
- tolerated, so neither right nor false: an event of which at least half lies within 0.3 s of a
  row that tolerates its kind (`canvas.COLUMNS`), as the movement that a voluntary contraction is;
- everything else without a partner of its kind is a false alarm, a second event for one target
  too; its cause is every artefact within 0.3 s.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

import twitchsense as ts
from twitchsense.scoring.agreement.compare_events import match
from twitchsense.scoring.labels.label_events import absorb_in_large_movements
from twitchsense.settings import Settings

KINDS = ("twitch", "jerk", "movement")
LEAST_UV = 50.0
NEAR_S = 0.3


@dataclass
class Score:
    """Rows of one or more recordings; add them to pool. `tally` counts them.

    Parameters
    ----------
    targets
        Rows of the truth that are no artefacts, with `needed` (not optional), `hit` (an event of
        its kind), `called` (kind of the event it got, or ""), `onset_error_s`,
        `duration_error_s`, and for misses `reason` (of candidates turned down there).
    events
        Events, with `verdict` (`hit`, `optional`, `tolerated`, `false`), `truth_kind` (of the
        target it got, or ""), `cause`, `context`, and `size` (its own peak to peak over the RMS
        that the noise of its channel was made with).
    hours
        Hours by context: `wake`, `asleep`, "" where the recording does not say.
    """

    targets: pd.DataFrame = field(default_factory=pd.DataFrame)
    events: pd.DataFrame = field(default_factory=pd.DataFrame)
    hours: dict[str, float] = field(default_factory=dict)

    def __add__(self, other: Score) -> Score:
        return Score(
            _joined(self.targets, other.targets),
            _joined(self.events, other.events),
            {k: self.hours.get(k, 0.0) + other.hours.get(k, 0.0)
             for k in {*self.hours, *other.hours}},
        )  # fmt: skip

    def named(self, **names: object) -> Score:
        """Return the same with columns that say where the rows come from."""
        return Score(self.targets.assign(**names), self.events.assign(**names), self.hours)


def _joined(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    full = [t for t in (a, b) if len(t)]
    return pd.concat(full, ignore_index=True) if full else (a if len(a.columns) else b)


def detect(arrays: dict[str, tuple[np.ndarray, float]]) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Return events, rejected candidates and hours of one recording."""
    recording = ts.Recording.from_arrays(arrays)
    detector = ts.Detector(Settings(), recording.channels)
    for chunk in recording.chunks():
        detector.push(chunk)
    found = detector.close()
    events, rejected = absorb_in_large_movements(found.events, found.rejected)  # as `analyze` does
    hours = max(len(x) / fs for x, fs in arrays.values()) / 3600
    return events, rejected, hours


def score(events: pd.DataFrame, truth: pd.DataFrame, rejected: pd.DataFrame | None = None) -> Score:
    """Score events (onset, duration, trial_type, maybe confidence) against a composed truth."""
    artefact = (truth.trial_type == "artifact").to_numpy()
    real = truth[~artefact].reset_index(drop=True)
    pairs = match(events, real).pairs
    needed = ~_optional(real, truth[artefact])
    targets = real.assign(
        needed=needed, hit=False, called="", onset_error_s=np.nan, duration_error_s=np.nan,
        reason="",
    )  # fmt: skip
    same = (pairs.truth_kind == pairs.found_kind).to_numpy()
    targets.loc[pairs.truth, "called"] = pairs.found_kind.to_numpy()
    targets.loc[pairs.truth[same], "hit"] = True
    for column in ("onset_error_s", "duration_error_s"):
        targets.loc[pairs.truth, column] = pairs[column].to_numpy()
    if rejected is not None:
        missed = targets.index[needed & ~targets.hit.to_numpy()]
        targets.loc[missed, "reason"] = [
            "+".join(sorted(set(rejected.reason[(rejected.onset - t).abs() < NEAR_S])))
            for t in targets.onset[missed]
        ]

    partner = np.full(len(events), -1)
    partner[pairs.found] = pairs.truth
    kind = real.trial_type.to_numpy(object)
    got = np.array([kind[k] if k >= 0 else "" for k in partner], object)
    right = (got == events.trial_type.to_numpy(object)) & (partner >= 0)
    verdict = np.where(right, "hit", "false").astype(object)
    unneeded = np.array([k >= 0 and not needed[k] for k in partner], bool)
    verdict[right & unneeded] = "optional"
    causes = np.full(len(events), "", object)
    for k in np.flatnonzero(~right):
        event = events.iloc[k]
        causes[k] = "+".join(sorted(set(_near(truth[artefact], event).kind)))
        if _tolerated(truth, event):
            verdict[k] = "tolerated"
    onset_s = truth.attrs.get("sleep_onset_s")
    found = events.assign(verdict=verdict, truth_kind=got, cause=causes)
    found["size"] = _sizes(events, truth.attrs.get("noise_uv", ()))
    found["context"] = _contexts(events.onset.to_numpy(float), onset_s)
    return Score(targets, found, _hours(truth.attrs["seconds"] / 3600, onset_s))


def _optional(real: pd.DataFrame, artefacts: pd.DataFrame) -> np.ndarray:
    """Tell which targets nobody need find."""
    out = ((real.trial_type == "twitch") & ~(real.amplitude_uv >= LEAST_UV)).to_numpy().copy()
    hiding = artefacts[artefacts.kind.isin(("dropout", "saturation"))]
    for h in hiding.itertuples():
        under = (real.onset < h.onset + h.duration) & (real.onset + real.duration > h.onset)
        mine = (real.channel == h.channel) | (h.channel == "all")
        if h.channel == "acc":
            mine = real.trial_type == "jerk"
        out |= (under & mine).to_numpy()
    return out


def _near(rows: pd.DataFrame, event: pd.Series) -> pd.DataFrame:
    ends = rows.onset + rows.duration
    end = event.onset + event.duration
    return rows[(rows.onset < end + NEAR_S) & (ends > event.onset - NEAR_S)]


def _tolerated(truth: pd.DataFrame, event: pd.Series) -> bool:
    """Tell whether rows that tolerate the event's kind hold half of it."""
    rows = _near(truth, event)
    rows = rows[np.array([event.trial_type in t.split() for t in rows.tolerated], bool)]
    first = np.maximum(rows.onset - NEAR_S, event.onset)
    last = np.minimum(rows.onset + rows.duration + NEAR_S, event.onset + event.duration)
    return bool(((last - first) >= 0.5 * event.duration).any())


def _sizes(events: pd.DataFrame, noise_uv: tuple[float, ...]) -> np.ndarray:
    if "amplitude_uv" not in events or "channel" not in events:
        return np.full(len(events), np.nan)
    noise = {f"emg{i + 1}": level for i, level in enumerate(noise_uv)}
    return events.amplitude_uv.to_numpy(float) / events.channel.map(noise).to_numpy(float)


def _contexts(times: np.ndarray, sleep_onset_s: float | None) -> np.ndarray:
    if sleep_onset_s is None:
        return np.full(len(times), "", object)
    return np.where(times >= sleep_onset_s, "asleep", "wake").astype(object)


def _hours(hours: float, sleep_onset_s: float | None) -> dict[str, float]:
    if sleep_onset_s is None:
        return {"": hours}
    return {"wake": sleep_onset_s / 3600, "asleep": hours - sleep_onset_s / 3600}
