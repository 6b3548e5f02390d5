"""Sleep stages of the simulated night, and the context they give to an event."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

#: Length of an epoch, s.
EPOCH_S = 30.0
#: Length (s) of the context `drowsy`, which ends at sleep onset.
DROWSY_S = 300.0
#: Length (s) of the context `sleep_onset`, which begins at sleep onset.
SLEEP_ONSET_S = 600.0
#: Minimum length (s) of wake after which falling asleep again counts as another sleep onset
#: (docs/definitions.md, Hypnic jerks and sleep onset).
REENTRY_S = 300.0


@dataclass(frozen=True, slots=True)
class StageSequence:
    """One stage (W, N1, N2, N3, R) for each 30-s epoch."""

    stages: tuple[str, ...]

    def stage_at(self, time_s: float) -> str:
        """Return the stage of the epoch that contains a time (s)."""
        index = min(max(int(time_s // EPOCH_S), 0), len(self.stages) - 1)
        return self.stages[index]

    @property
    def sleep_onset_s(self) -> float | None:
        """Start (s) of the first epoch that is not wake (AASM); None if there is none."""
        asleep = [index for index, stage in enumerate(self.stages) if stage != "W"]
        return asleep[0] * EPOCH_S if asleep else None

    def context_at(self, time_s: float) -> str:
        """Return the context of a time (s): `wake`, `drowsy`, `sleep_onset` or `asleep`."""
        onset = self.sleep_onset_s
        if onset is None or time_s < onset - DROWSY_S:
            return "wake"
        if time_s < onset:
            return "drowsy"
        entries = [onset]
        for start, end, stage in self.bouts():
            # a long wake is followed by another sleep onset, with contexts of its own
            if stage == "W" and start >= onset and end - start >= REENTRY_S:
                if start <= time_s < end:
                    last = end >= len(self.stages) * EPOCH_S
                    return "wake" if last or time_s < end - DROWSY_S else "drowsy"
                entries.append(end)
        if any(entry <= time_s < entry + SLEEP_ONSET_S for entry in entries):
            return "sleep_onset"
        return "wake" if self.stage_at(time_s) == "W" else "asleep"

    def bouts(self) -> list[tuple[float, float, str]]:
        """Return start (s), end (s) and stage of each run of equal epochs."""
        out: list[tuple[float, float, str]] = []
        at = 0.0
        for stage, run in itertools.groupby(self.stages):
            length = sum(1 for _ in run) * EPOCH_S
            out.append((at, at + length, stage))
            at += length
        return out


def fixed_stages(minutes: float, *parts: tuple[str, float]) -> StageSequence:
    """Return stages in the given order.

    Parameters
    ----------
    minutes : float
        Length of the recording.
    *parts : (str, float)
        Stage, and its share of the recording.

    Returns
    -------
    StageSequence
    """
    count = max(round(minutes * 60.0 / EPOCH_S + 0.499), 1)
    stages: list[str] = []
    for stage, share in parts:
        stages += [stage] * round(share * count)
    last = parts[-1][0]
    return StageSequence(tuple((stages + [last] * count)[:count]))


def falling_asleep(minutes: float) -> StageSequence:
    """Return wake, N1 and N2; wake lasts 40 % of the recording, and at most 10 min."""
    wake = min(0.4, 10.0 / minutes)
    light = min(0.25, 5.0 / minutes)
    return fixed_stages(minutes, ("W", wake), ("N1", light), ("N2", 1.0))


# Minutes of each stage in successive cycles of a healthy young sleeper: the share of N3
# falls and that of REM sleep grows towards the morning.  [E] after textbook figures.
_CYCLES = (
    (("N1", 4), ("N2", 16), ("N3", 30), ("N2", 12), ("R", 7)),
    (("N1", 1), ("N2", 24), ("N3", 22), ("N2", 18), ("R", 15)),
    (("N1", 1), ("N2", 36), ("N3", 9), ("N2", 18), ("R", 22)),
    (("N1", 1.5), ("N2", 48), ("N2", 8), ("R", 28)),
    (("N1", 1.5), ("N2", 45), ("R", 32)),
)


def whole_night(minutes: float, rng: np.random.Generator) -> StageSequence:
    """Return a plausible night of sleep cycles that starts awake.

    Sleep onset comes after a fifth of the recording, at most about 15 min, so that a
    60-min run still shows falling asleep and a 2-min run is not all wake.
    """
    count = max(int(np.ceil(minutes * 60.0 / EPOCH_S)), 1)
    latency = min(0.2 * minutes, float(rng.uniform(11.0, 18.0)))
    stages = ["W"] * max(round(latency * 2), 1)
    long_wake = False
    for cycle in range(100):
        if len(stages) >= count:
            break
        for stage, typical in _CYCLES[min(cycle, len(_CYCLES) - 1)]:
            length = max(round(typical * 2 * rng.uniform(0.75, 1.25)), 1)
            stages += [stage] * length
            if stage == "N2" and rng.random() < 0.5:
                stages[-1] = "N1"  # a short arousal into light sleep
        if minutes >= 240 and not long_wake and cycle == 2:
            stages += ["W"] * int(rng.integers(16, 28))  # up once in the night
            long_wake = True
        elif rng.random() < 0.7:
            stages += ["W"] * int(rng.integers(1, 6))
    stages = stages[:count]
    if minutes >= 240:
        stages[-10:] = ["W"] * 10
    return StageSequence(tuple(stages))
