"""Is it what it seems to be? Probabilities of twitches and of movements.

Rules say what kind a candidate would be if it were muscle at rest that moved. The
verdict says how likely that is, from its shape and from its company: a bad
contact, a unit that fires all the time, noise that swells. Models of trees answer
(`trees`), learned on the tuning side of the accuracy benchmark: one for movements,
one for short bursts, and one that looks at those again among all of the night
(`kin`). The probability is the event's confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.boosted_trees import LEAST, learned
from twitchsense.detect.burst_grouping import TEXTURE
from twitchsense.detect.burst_measures import LOOK
from twitchsense.detect.ecg_rejection import over_beats
from twitchsense.detect.local_features import ALONE, Company
from twitchsense.detect.night_context import Surroundings
from twitchsense.detect.recurrence import knocked_twitches, look_again
from twitchsense.model.candidates import SHORT_KINDS, ScoredCandidate
from twitchsense.model.channels import NS

Floats = NDArray[np.float64]

MOVEMENT_KINDS = ("movement", "gross_movement")
#: Reasons that the verdict may overrule: they know less than it does.
OPEN = ("", "electrode_pop")
#: Features of a twitch: of its company, of its size, and of its shape.
TWITCH_FEATURES = (
    "again", "soon", "tall", "tall_soon", "rhythm", "most", "lift", "crowd", "neighbours",
    "log_over_beat", "log_knock", "log_length", "snr_db", *LOOK,
)  # fmt: skip
#: Features of a movement; `TEXTURE` tells what it is made of.
MOVEMENT_FEATURES = ("again", "most", "log_length", "snr_db", "log_g", *TEXTURE)
#: Bursts this near count as a crowd, and as neighbours (a crackling electrode).
CROWD_S, NEIGHBOURS_S = 2.5, 0.6
#: And if they are at least this part of its size: what is small beside it is no company.
COMPARABLE = 0.5
#: Beside a burst this many times as large nothing else counts; the upper quartile of
#: noise's windows is 1.4 times their tenth part.
LEAST_QUIET = 0.01
#: A jerk's waveform is not seen again so often within seconds: of 1724 jerks of the tuning
#: side none was, not even in rows of jerks [E].
TRAIN = 5
#: Larger than this is large: what is learned from holds twitches of up to 300 µV, and one
#: of 1 mV must not be taken for a click because of that.
LARGE_DB = 30.0
#: Less acceleration than this is noise.
LEAST_G = 0.003
#: What speaks against a candidate, by the features that say so; the first is the
#: reason where several weigh alike.
TWITCH_REASONS = {
    "rhythmic_train": (
        "again",
        "soon",
        "tall",
        "tall_soon",
        "rhythm",
        "most",
        "lift",
        "crowd",
        "neighbours",
    ),
    "ecg": ("log_over_beat",),
    "electrode_pop": ("log_knock", "log_length", "snr_db", *LOOK),
}
MOVEMENT_REASONS = {
    "rhythmic_train": ("again", "pieces", "filled", "longest"),
    "electrode_pop": ("contact", "log_kurtosis"),
    "weak_contraction": ("snr_db", "most", "log_length", "log_g"),
}


def judge_movements(findings: list[ScoredCandidate], around: Surroundings) -> list[ScoredCandidate]:
    """Return the findings, movements with their probability or turned down.

    Parameters
    ----------
    findings : list of Finding
    around : Surroundings
    """
    members, table = describe_movements(findings, around)
    sure, why = _judge(table, "movement", MOVEMENT_REASONS)
    sure = np.maximum(sure, _moved_parts([findings[i] for i in members], around))
    return _told(findings, members, sure, why)


def judge_twitches(findings: list[ScoredCandidate], around: Surroundings) -> list[ScoredCandidate]:
    """Return the findings, short bursts with their probability or turned down.

    Parameters
    ----------
    findings : list of Finding
        Heart beats are marked already.
    around : Surroundings
    """
    members, table = describe_twitches(findings, around)
    first, why = _judge(table, "twitch", TWITCH_REASONS)
    sure = look_again([findings[i] for i in members], first)
    # what only its company speaks against is another bad contact among bad contacts
    why = ["electrode_pop" if p >= LEAST else said for p, said in zip(first, why, strict=True)]
    return _told(findings, members, sure, why)


def turn_down_trains(
    findings: list[ScoredCandidate], around: Surroundings
) -> list[ScoredCandidate]:
    """Return the findings, jerks turned down whose EMG is one of a train's potentials.

    A knock beside a unit that fires all the time is no jerk, however large the unit.

    Parameters
    ----------
    findings : list of Finding
    around : Surroundings
    """
    return [
        f.rejected("rhythmic_train")
        if f.kind == "jerk" and not f.reason and _company(f, around).again >= TRAIN
        else f
        for f in findings
    ]


def turn_knocks_to_twitches(findings: list[ScoredCandidate]) -> list[ScoredCandidate]:
    """Return the findings, jerks as twitches whose EMG is that of a unit that twitches tonight."""
    judged = list(findings)
    for i in knocked_twitches(findings, OPEN):
        judged[i] = replace(findings[i], kind="twitch", grade="")
    return judged


def _judge(
    table: Floats, kind: str, reasons: Mapping[str, Sequence[str]]
) -> tuple[Floats, list[str]]:
    """Return the probability of each row, and the reason that weighs most against it."""
    model = learned(kind)
    parts = model.parts(table)
    against = np.stack(
        [
            parts[:, [model.features.index(n) for n in group]].sum(axis=1)
            for group in reasons.values()
        ]
    )
    names = list(reasons)
    return model.probability(parts), [names[k] for k in against.argmin(axis=0)]


def _told(
    findings: list[ScoredCandidate], members: list[int], sure: Floats, why: list[str]
) -> list[ScoredCandidate]:
    """Return the findings, members with their probability or turned down."""
    judged = list(findings)
    for i, p, reason in zip(members, sure.tolist(), why, strict=True):
        kept = p >= LEAST
        judged[i] = (
            replace(findings[i], reason="", confidence=p) if kept else findings[i].rejected(reason)
        )
    return judged


def describe_movements(
    findings: list[ScoredCandidate], around: Surroundings
) -> tuple[list[int], Floats]:
    """Return which findings are judged as movements, and `MOVEMENT_FEATURES` of each."""
    members = [
        i
        for i, f in enumerate(findings)
        if f.kind in MOVEMENT_KINDS and f.reason in OPEN and f.features is not None
    ]
    table = np.empty((len(members), len(MOVEMENT_FEATURES)))
    for row, i in zip(table, members, strict=True):
        f = findings[i]
        near = _company(f, around)
        row[: -len(TEXTURE)] = near.again, near.most, np.log(_length_s(f)), f.snr_db, _log_g(f)
        row[-len(TEXTURE) :] = f.features
    return members, table


def describe_twitches(
    findings: list[ScoredCandidate], around: Surroundings
) -> tuple[list[int], Floats]:
    """Return which findings are judged as twitches, and `TWITCH_FEATURES` of each."""
    members = [
        i
        for i, f in enumerate(findings)
        if f.kind in SHORT_KINDS and f.reason in OPEN and f.features is not None
    ]
    over = np.log(over_beats(findings, around.beats))
    crowds = _crowds(findings)
    table = np.empty((len(members), len(TWITCH_FEATURES)))
    for row, i in zip(table, members, strict=True):
        f = findings[i]
        near = _company(f, around)
        crowd, neighbours = crowds[f.channel].around(f)
        lift = np.log(max(near.most, 1.4 * LEAST_QUIET) / max(near.quiet, LEAST_QUIET))
        row[: -len(LOOK)] = (
            near.again, near.soon, near.tall, near.tall_soon, near.rhythm, near.most, lift,
            crowd, neighbours, over[i], _log_g(f), np.log(_length_s(f) + 0.003),
            min(f.snr_db, LARGE_DB),
        )  # fmt: skip
        row[-len(LOOK) :] = f.features
    return members, table


@dataclass(frozen=True, slots=True)
class _Crowd:
    """The bursts of a channel, beats apart: onsets in s, rising, and sizes in µV."""

    onsets: Floats
    sizes: Floats

    def around(self, f: ScoredCandidate) -> tuple[int, int]:
        """Count the bursts around one, itself included, that are at least half as large."""
        at = f.onset_ns / NS
        counts = []
        for reach in (CROWD_S, NEIGHBOURS_S):
            first, last = np.searchsorted(self.onsets, [at - reach, at + reach])
            counts.append(int((self.sizes[first:last] >= COMPARABLE * f.amplitude_uv).sum()))
        return counts[0], counts[1]


def _crowds(findings: list[ScoredCandidate]) -> dict[str, _Crowd]:
    bursts: dict[str, list[ScoredCandidate]] = {}
    for f in findings:
        if f.waveform is not None and f.reason != "ecg":
            bursts.setdefault(f.channel, []).append(f)
    found = {}
    for name, those in bursts.items():
        onsets = np.array([f.onset_ns for f in those]) / NS
        order = np.argsort(onsets, kind="stable")
        found[name] = _Crowd(onsets[order], np.array([f.amplitude_uv for f in those])[order])
    return found


def _moved_parts(findings: list[ScoredCandidate], around: Surroundings) -> Floats:
    """Return for which part of each gross movement the leg moved, 0 for what is shorter.

    Steps look alike, as a unit's potentials do; but what the accelerometer shows too, for
    that long, is a movement, whatever the muscle looks like.
    """
    parts = np.zeros(len(findings))
    gross = [k for k, f in enumerate(findings) if f.kind == "gross_movement"]
    for table in around.seconds.values():
        if not gross or table.kind != "acc":
            continue
        middle = table.middle_s
        for k in gross:
            ends = findings[k].onset_ns / NS, findings[k].offset_ns / NS
            busy = table.active_fraction[slice(*np.searchsorted(middle, ends))]
            if len(busy):
                parts[k] = max(parts[k], busy.mean())
    return parts


def _company(f: ScoredCandidate, around: Surroundings) -> Company:
    return around.company.get(f.channel, {}).get(f.peak_ns, ALONE)


def _length_s(f: ScoredCandidate) -> float:
    return max((f.offset_ns - f.onset_ns) / NS, 1e-3)


def _log_g(f: ScoredCandidate) -> float:
    """Return the log of the acceleration, NaN without an accelerometer."""
    return float(np.log(np.maximum(f.peak_g, LEAST_G)))
