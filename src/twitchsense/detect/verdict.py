"""Is it what it seems to be? Probabilities of twitches and of movements.

Rules say what kind a candidate would be if it were muscle at rest that moved. The
verdict says how likely that is, from its shape and from its company: a bad
contact, a unit that fires all the time, noise that swells. Two additive models
answer (`additive`), learned on the tuning side of the accuracy benchmark; the
probability is the event's confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.additive import Additive
from twitchsense.detect.company import ALONE, Company
from twitchsense.detect.finding import SHORT_KINDS, Finding
from twitchsense.detect.muscle import TEXTURE
from twitchsense.detect.shape import LOOK
from twitchsense.detect.verdict_weights import MOVEMENT, TWITCH
from twitchsense.recording import NS

Floats = NDArray[np.float64]
CompanyOf = Mapping[str, dict[int, Company]]

MOVEMENT_KINDS = ("movement", "gross_movement")
#: Reasons that the verdict may overrule: they know less than it does.
OPEN = ("", "electrode_pop")
#: What is more likely something else is turned down.
LEAST = 0.5
#: Features of a twitch: of its company, of its size, and of its shape.
TWITCH_FEATURES = (
    "again", "most", "lift", "crowd", "neighbours", "log_knock", "log_length", "snr_db", *LOOK,
)  # fmt: skip
#: Features of a movement; `TEXTURE` tells what it is made of.
MOVEMENT_FEATURES = ("again", "most", "log_length", "snr_db", "log_g", *TEXTURE)
#: Bursts this near count as a crowd, and as neighbours (a crackling electrode).
CROWD_S, NEIGHBOURS_S = 2.5, 0.6
#: Beside a burst this many times as large nothing else counts; the upper quartile of
#: noise's windows is 1.4 times their tenth part.
LEAST_QUIET = 0.01
#: Less acceleration than this is noise.
LEAST_G = 0.003
#: What speaks against a candidate, by the features that say so; the first is the
#: reason where several weigh alike.
TWITCH_REASONS = {
    "rhythmic_train": ("again", "most", "lift", "crowd", "neighbours"),
    "electrode_pop": ("log_knock", "log_length", "snr_db", *LOOK),
}
MOVEMENT_REASONS = {
    "rhythmic_train": ("again", "pieces", "filled", "longest"),
    "electrode_pop": ("contact", "log_kurtosis"),
    "weak_contraction": ("snr_db", "most", "log_length", "log_g"),
}


def judge_movements(findings: list[Finding], company: CompanyOf) -> list[Finding]:
    """Return the findings, movements with their probability or turned down.

    Parameters
    ----------
    findings : list of Finding
    company : mapping of channel to mapping of ns to Company
        By the time of a burst's peak.
    """
    return _judge(findings, *describe_movements(findings, company), MOVEMENT, MOVEMENT_REASONS)


def judge_twitches(findings: list[Finding], company: CompanyOf) -> list[Finding]:
    """Return the findings, short bursts with their probability or turned down.

    Parameters
    ----------
    findings : list of Finding
        Heart beats are marked already.
    company : mapping of channel to mapping of ns to Company
        By the time of a burst's peak.
    """
    return _judge(findings, *describe_twitches(findings, company), TWITCH, TWITCH_REASONS)


def _judge(
    findings: list[Finding],
    members: list[int],
    table: Floats,
    model: Additive,
    reasons: Mapping[str, Sequence[str]],
) -> list[Finding]:
    if not members:
        return findings
    parts = model.parts(table)
    names = list(model.ramps)
    against = np.stack(
        [parts[:, [names.index(n) for n in group]].sum(axis=1) for group in reasons.values()]
    )
    worst = against.argmin(axis=0)
    judged = list(findings)
    for i, p, why in zip(members, model.probability(parts), worst, strict=True):
        if p >= LEAST:
            judged[i] = replace(findings[i], reason="", confidence=float(p))
        else:
            reason = list(reasons)[why]
            judged[i] = findings[i].turned_down(reason)
    return judged


def describe_movements(findings: list[Finding], company: CompanyOf) -> tuple[list[int], Floats]:
    """Return which findings are judged as movements, and `MOVEMENT_FEATURES` of each."""
    members = [
        i
        for i, f in enumerate(findings)
        if f.kind in MOVEMENT_KINDS and f.reason in OPEN and f.look is not None
    ]
    rows = []
    for f in (findings[i] for i in members):
        near = _company(f, company)
        own = [near.before + near.after, near.most, np.log(_length_s(f)), f.snr_db, _log_g(f)]
        rows.append([*map(float, own), *_look(f)])
    return members, np.array(rows).reshape(len(rows), len(MOVEMENT_FEATURES))


def describe_twitches(findings: list[Finding], company: CompanyOf) -> tuple[list[int], Floats]:
    """Return which findings are judged as twitches, and `TWITCH_FEATURES` of each."""
    times: dict[str, list[int]] = {}
    for f in findings:
        if f.shape is not None and f.reason != "ecg":
            times.setdefault(f.channel, []).append(f.onset_ns)
    onsets = {name: np.sort(found) / NS for name, found in times.items()}
    members = [
        i
        for i, f in enumerate(findings)
        if f.kind in SHORT_KINDS and f.reason in OPEN and f.look is not None
    ]
    rows = []
    for f in (findings[i] for i in members):
        near = _company(f, company)
        at = f.onset_ns / NS
        crowd, neighbours = (
            np.ptp(np.searchsorted(onsets[f.channel], [at - s, at + s]))
            for s in (CROWD_S, NEIGHBOURS_S)
        )
        lift = np.log(max(near.most, 1.4 * LEAST_QUIET) / max(near.quiet, LEAST_QUIET))
        own = [near.before + near.after, near.most, lift, crowd, neighbours]
        own += [_log_g(f), np.log(_length_s(f) + 0.003), f.snr_db]
        rows.append([*map(float, own), *_look(f)])
    return members, np.array(rows).reshape(len(rows), len(TWITCH_FEATURES))


def _company(f: Finding, company: CompanyOf) -> Company:
    return company.get(f.channel, {}).get(f.peak_ns, ALONE)


def _length_s(f: Finding) -> float:
    return max((f.offset_ns - f.onset_ns) / NS, 1e-3)


def _log_g(f: Finding) -> float:
    """Return the log of the acceleration, NaN without an accelerometer."""
    return float(np.log(np.maximum(f.peak_g, LEAST_G)))


def _look(f: Finding) -> list[float]:
    return [] if f.look is None else [float(v) for v in f.look]
