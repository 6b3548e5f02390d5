"""Composes the recordings of a kit and scores events in them.

A kit is a module with `FAMILIES` (name: description) and `compose(family, seed)`, which returns
`signals` (column: samples and rate), `truth` (rows) and `meta`.  Matching and verdicts are those of
`benchmarks.accuracy.score`; this module translates the rows.

- `unclear` rows count neither way.
- A twitch below 50 µV is optional, and so is one within voluntary activity (`in_activity`), which
  the page shows apart.
- An activity that is one event to the examiner may be several to the detector: movements within a
  `gross_movement` or `posture_change` are tolerated.
"""

from __future__ import annotations

import hashlib
import pickle
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.accuracy.nights import Arrays
from benchmarks.accuracy.score import Score, score

KITS = ("kit_a", "kit_b", "kit_c", "kit_d", "kit_e", "kit_f", "kit_g", "kit_h", "kit_i")
#: Kinds that a row of the truth tolerates beside its own.
TOLERATED = {
    "unclear": "twitch jerk movement gross_movement posture_change brief_contraction",
    "gross_movement": "movement gross_movement posture_change brief_contraction",
    "posture_change": "movement gross_movement posture_change",
    "movement": "gross_movement brief_contraction",
    "jerk": "posture_change gross_movement",
    "brief_contraction": "brief_contraction twitch movement",
}


def kit(name: str) -> Any:
    """Return a kit."""
    return import_module(f"benchmarks.blind.{name}")


def truth_table(composed: Any) -> pd.DataFrame:
    """Return the truth of a recording as `benchmarks.accuracy.score` reads it."""
    rows = [
        {
            "onset": row.onset,
            "duration": row.duration,
            "trial_type": "artifact" if row.kind in ("artefact", "unclear") else row.kind,
            "kind": row.waveform if row.kind != "unclear" else "unclear",
            "amplitude_uv": row.amplitude_uv,
            "snr": row.snr,
            "peak_g": row.peak_g,
            "n_bursts": len(row.bursts),
            "in_activity": row.in_activity,
            "tolerated": TOLERATED.get(row.kind, ""),
            "channel": "",
        }
        for row in sorted(composed.truth, key=lambda row: row.onset)
    ]
    columns = ["onset", "duration", "trial_type", "kind", "amplitude_uv", "snr", "peak_g",
               "n_bursts", "in_activity", "tolerated", "channel"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    table["trial_type"] = table.trial_type.astype(str)
    seconds = max(len(x) / fs for x, fs in composed.signals.values())
    table.attrs = {"seconds": seconds, "sleep_onset_s": None}
    return table


class Job(NamedTuple):
    """A recording of a kit, and the folder that keeps what was composed."""

    kit: str
    family: str
    seed: int
    cache: Path | None = None

    def compose(self) -> tuple[Arrays, pd.DataFrame]:
        """Return signals and truth; a kept recording is read only if the kit is unchanged."""
        if self.cache is None:
            return self._compose()
        source = hashlib.sha256()
        for path in sorted(Path(__file__).with_name(self.kit).glob("*.py")):
            source.update(path.read_bytes())
        name = f"{self.kit}-{self.family}-{self.seed}-{source.hexdigest()[:12]}.pickle"
        kept = self.cache / name
        if not kept.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            part = kept.with_suffix(".part")
            part.write_bytes(pickle.dumps(self._compose()))
            part.replace(kept)
        found: tuple[Arrays, pd.DataFrame] = pickle.loads(kept.read_bytes())
        return found

    def _compose(self) -> tuple[Arrays, pd.DataFrame]:
        composed = kit(self.kit).compose(self.family, self.seed)
        signals = composed.signals.items()
        return {n: (np.asarray(x), float(fs)) for n, (x, fs) in signals}, truth_table(composed)

    def score(self, events: pd.DataFrame, arrays: Arrays, truth: pd.DataFrame,
              rejected: pd.DataFrame | None = None) -> Score:  # fmt: skip
        """Score events, and name the recording in each row; activity hides no needed target."""
        emg = [fs for column, (_, fs) in arrays.items() if column.startswith("emg")]
        acc = [fs for column, (_, fs) in arrays.items() if column.startswith("acc")]
        found = score(events, truth, rejected)
        found.targets["needed"] &= ~found.targets.in_activity.astype(bool)
        return found.named(
            kit=self.kit, family=self.family, seed=self.seed,
            fs=max(emg, default=0.0), acc_fs=max(acc, default=0.0),
        )  # fmt: skip
