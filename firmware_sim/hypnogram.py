"""Sleep stages of the simulated night, and the context they give to an event."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

EPOCH_S = 30.0
#: Contract: drowsy = 5 min before sleep onset, sleep_onset = first 10 min after it.
DROWSY_S = 300.0
SLEEP_ONSET_S = 600.0
#: Wake of this length makes falling asleep again an onset of its own (docs/definitions.md,
#: Hypnic jerks and sleep onset).
REENTRY_S = 300.0


@dataclass(frozen=True, slots=True)
class StageSequence:
    """One stage (W, N1, N2, N3, R) for each 30-s epoch."""

    stages: tuple[str, ...]

    def stage_at(self, time_s: float) -> str:
        """Return the stage of the epoch that holds the time."""
        index = min(max(int(time_s // EPOCH_S), 0), len(self.stages) - 1)
        return self.stages[index]

    @property
    def sleep_onset_s(self) -> float | None:
        """Start of the first epoch that is not wake (AASM), if there is one."""
        asleep = [index for index, stage in enumerate(self.stages) if stage != "W"]
        return asleep[0] * EPOCH_S if asleep else None

    def context_at(self, time_s: float) -> str:
        """Return wake, drowsy, sleep_onset or asleep, as the contract defines them."""
        onset = self.sleep_onset_s
        if onset is None or time_s < onset - DROWSY_S:
            return "wake"
        if time_s < onset:
            return "drowsy"
        entries = [onset]
        for start, end, stage in self.bouts():
            # lain awake for long: falling asleep again has windows of its own
            if stage == "W" and start >= onset and end - start >= REENTRY_S:
                if start <= time_s < end:
                    last = end >= len(self.stages) * EPOCH_S
                    return "wake" if last or time_s < end - DROWSY_S else "drowsy"
                entries.append(end)
        if any(entry <= time_s < entry + SLEEP_ONSET_S for entry in entries):
            return "sleep_onset"
        return "wake" if self.stage_at(time_s) == "W" else "asleep"

    def bouts(self) -> list[tuple[float, float, str]]:
        """Return (start, end, stage) of each run of equal epochs."""
        out: list[tuple[float, float, str]] = []
        at = 0.0
        for stage, run in itertools.groupby(self.stages):
            length = sum(1 for _ in run) * EPOCH_S
            out.append((at, at + length, stage))
            at += length
        return out


def fixed_stages(minutes: float, *parts: tuple[str, float]) -> StageSequence:
    """Return stages in the given order; each part is (stage, share of the recording)."""
    count = max(round(minutes * 60.0 / EPOCH_S + 0.499), 1)
    stages: list[str] = []
    for stage, share in parts:
        stages += [stage] * round(share * count)
    last = parts[-1][0]
    return StageSequence(tuple((stages + [last] * count)[:count]))


def falling_asleep(minutes: float) -> StageSequence:
    """Return wake, N1 and N2 with wake for 40 % of the time but never more than 10 min."""
    wake = min(0.4, 10.0 / minutes)
    light = min(0.25, 5.0 / minutes)
    return fixed_stages(minutes, ("W", wake), ("N1", light), ("N2", 1.0))


# Minutes of each stage in successive cycles of a healthy young sleeper: deep sleep leaves
# and REM sleep grows towards the morning.  [E] after textbook figures.
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
