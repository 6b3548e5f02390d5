"""Is a short burst a twitch? The probability, from its shape and its company.

Fourteen features each add their part: ramps between a few knots, level beyond the
outermost, so that no value can weigh more than those that were seen in learning.
Where only one direction makes sense (a waveform seen again more often is never
less like tonic firing) the ramps may only fall. The weights were learned by
benchmarks/verdict.py on the tuning side of the accuracy benchmark and are text,
in verdict_weights.py; the sum is a log-odds, and the probability is the event's
confidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.company import ALONE, Company
from twitchsense.detect.contact import FEATURES as LOOK
from twitchsense.detect.finding import NAN, Finding
from twitchsense.detect.verdict_weights import BIAS, RAMPS
from twitchsense.recording import NS

Floats = NDArray[np.float64]

KINDS = ("twitch", "brief_contraction")
#: Reasons that the verdict may overrule: they know less than it does.
OPEN = ("", "electrode_pop")
#: A burst more likely something else than a twitch is turned down.
LEAST = 0.5
#: Features of a burst's surroundings; those of its shape are `contact.FEATURES`.
COMPANY = ("again", "most", "lift", "crowd", "neighbours")
OTHERS = ("log_length", "snr_db")
FEATURES = (*COMPANY, *OTHERS, *LOOK)
#: Bursts this near count as a crowd, and as neighbours (a crackling electrode).
CROWD_S, NEIGHBOURS_S = 2.5, 0.6


def judge(findings: list[Finding], company: Mapping[str, dict[int, Company]]) -> list[Finding]:
    """Return the findings, short bursts with their probability or turned down.

    Parameters
    ----------
    findings : list of Finding
        Sorted by onset; heart beats are marked already.
    company : mapping of channel to mapping of ns to Company
        By the time of a burst's peak.
    """
    members, table = describe(findings, company)
    if not members:
        return findings
    parts = contributions(table)
    odds = BIAS + parts.sum(axis=1)
    sure = 1 / (1 + np.exp(-odds))
    by_company = parts[:, : len(COMPANY)].sum(axis=1)
    by_look = parts[:, len(COMPANY) :].sum(axis=1)
    judged = list(findings)
    for i, p, first, second in zip(members, sure, by_company, by_look, strict=True):
        if p >= LEAST:
            judged[i] = replace(findings[i], reason="", confidence=float(p))
        else:
            reason = "rhythmic_train" if first < second else "electrode_pop"
            judged[i] = replace(findings[i], reason=reason, confidence=NAN, grade="")
    return judged


def describe(
    findings: list[Finding], company: Mapping[str, dict[int, Company]]
) -> tuple[list[int], Floats]:
    """Return which findings are judged, and their features, shape ``(n, 17)``."""
    times: dict[str, list[int]] = {}
    for f in findings:
        if f.shape is not None and f.reason != "ecg":
            times.setdefault(f.channel, []).append(f.onset_ns)
    onsets = {name: np.array(found) / NS for name, found in times.items()}
    members = [
        i
        for i, f in enumerate(findings)
        if f.kind in KINDS and f.reason in OPEN and f.look is not None
    ]
    rows = [_features(findings[i], company, onsets) for i in members]
    return members, np.array(rows).reshape(len(rows), len(FEATURES))


def _features(
    f: Finding, company: Mapping[str, dict[int, Company]], onsets: Mapping[str, Floats]
) -> list[float]:
    near = company.get(f.channel, {}).get(f.peak_ns, ALONE)
    at, others = f.onset_ns / NS, onsets[f.channel]
    most = max(near.most, 0.02)
    look = [] if f.look is None else f.look.tolist()
    return [
        float(near.before + near.after),
        near.most,
        float(np.log(most / max(near.quiet, 0.01))),
        *(
            float(np.ptp(np.searchsorted(others, [at - s, at + s])))
            for s in (CROWD_S, NEIGHBOURS_S)
        ),
        float(np.log((f.offset_ns - f.onset_ns) / NS + 0.003)),
        f.snr_db,
        *look,
    ]


def contributions(table: Floats) -> Floats:
    """Return what each feature adds to the log-odds, shape ``(n, 17)``."""
    return np.stack(
        [ramps(table[:, k], RAMPS[name][0]) @ np.array(RAMPS[name][1])
         for k, name in enumerate(FEATURES)],
        axis=1,
    )  # fmt: skip


def ramps(x: Floats, knots: tuple[float, ...]) -> Floats:
    """Return how far a value has come between each two knots, 0 to 1."""
    low, high = np.array(knots[:-1]), np.array(knots[1:])
    return np.asarray((np.clip(x[:, None], low, high) - low) / (high - low), np.float64)
