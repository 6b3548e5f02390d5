"""Scored rows of a whole run, by who found them and in which recording; kept as plain tables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.accuracy.score import Score

OURS = "twitchsense"
MATCHED = "matched filter"
TEXT = {
    "trial_type": str, "kind": str, "context": str, "source": str, "leg": str, "channel": str,
    "tolerated": str, "under": str, "called": str, "reason": str, "verdict": str, "cause": str,
    "truth_kind": str, "label": str, "stage": str, "series": str, "grade": str,
    "noise": str, "amplifier": str,
}  # fmt: skip


class Place(NamedTuple):
    """Whose score of which recording; `minutes` is 0 for the scenario's usual length."""

    who: str
    scenario: str
    seed: int
    minutes: float


@dataclass
class Results:
    """Scores by place, and what the run was (`split`, `seeds`, versions)."""

    about: dict = field(default_factory=dict)
    scores: dict[Place, Score] = field(default_factory=dict)

    def pool(
        self, who: str = OURS, scenarios: Iterable[str] | None = None, minutes: float = 0.0
    ) -> Score:
        """Return the sum over recordings."""
        chosen = None if scenarios is None else set(scenarios)
        parts = [
            s for p, s in self.scores.items()
            if p.who == who and p.minutes == minutes and (chosen is None or p.scenario in chosen)
        ]  # fmt: skip
        return sum(parts, Score())

    def save(self, folder: Path) -> None:
        """Write `targets.csv`, `events.csv`, `hours.csv` and `about.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        named = {p: s.named(**p._asdict()) for p, s in self.scores.items()}
        for name in ("targets", "events"):
            tables = [getattr(s, name) for s in named.values()]
            full = [t for t in tables if len(t)] or tables[:1]
            pd.concat(full, ignore_index=True).to_csv(folder / f"{name}.csv", index=False)
        hours = [
            {**p._asdict(), "context": c, "hours": h}
            for p, s in self.scores.items() for c, h in s.hours.items()
        ]  # fmt: skip
        pd.DataFrame(hours).to_csv(folder / "hours.csv", index=False)
        (folder / "about.json").write_text(json.dumps(self.about, indent=1))

    @classmethod
    def load(cls, folder: Path) -> Results:
        """Read what `save` wrote."""

        def read(name: str) -> pd.DataFrame:
            table = pd.read_csv(folder / f"{name}.csv", dtype=TEXT, low_memory=False)
            for column in table.columns.intersection(list(TEXT)):
                table[column] = table[column].fillna("")
            return table

        targets, events, hours = read("targets"), read("events"), read("hours")
        out = cls(json.loads((folder / "about.json").read_text()))
        keys = list(Place._fields)
        parts = {n: dict(list(t.groupby(keys))) for n, t in (("t", targets), ("e", events))}
        for key, rows in hours.groupby(keys):
            out.scores[Place(*key)] = Score(
                parts["t"].get(key, targets.iloc[:0]).reset_index(drop=True),
                parts["e"].get(key, events.iloc[:0]).reset_index(drop=True),
                dict(zip(rows.context, rows.hours, strict=True)),
            )
        return out
