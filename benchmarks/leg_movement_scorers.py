"""Leg-movement indices beside those of other open scorers on the same marks.

The results of PLMScoRe and SOMAS, which are written in R and MATLAB, are stored in
``data/leg_movement_scorers.json`` with their versions and licences. psgscoring, which scores
EMG and not marks, is run here if it is installed (``pip install psgscoring``), on an EMG of
noise bursts at the marks. `scorer_agreement` puts the tables into docs/scorers.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import twitchsense as ts
from benchmarks.leg_movement_marks import CLAUSES, LEFT, RIGHT, MarkedNight, night

RESULTS: Final = Path(__file__).with_name("data") / "leg_movement_scorers.json"
RULES: Final = ("wasm2016", "wasm2016-strict", "aasm")
NIGHTS: Final = {"night 1": 1, "night 2": 2}
#: Indices that every program reports, for the table of the nights.
SHOWN: Final = ("n_lm", "n_clm", "n_plm", "n_plms", "n_plmw", "n_series", "n_plms_nr")
#: Sampling rate (Hz), noise and bursts (µV RMS) of the EMG for psgscoring.
_FS, _NOISE_UV, _BURST_UV = 256.0, 0.5, 60.0
#: Keys of psgscoring's summary.
_PSGSCORING: Final = {"n_lm": "n_lm_total", "n_plm": "n_plm", "n_series": "n_plm_series"}


def stored_results() -> dict[str, dict[str, dict[str, int]]]:
    """Return the stored indices by case and program."""
    results: dict[str, dict[str, dict[str, int]]] = json.loads(RESULTS.read_text("utf-8"))[
        "results"
    ]
    return results


def our_results(marked: MarkedNight) -> dict[str, dict[str, Any]]:
    """Return our indices by rules."""
    marks, stages, respiratory = marked.tables()
    return {
        rules: ts.score_leg_movements(marks, stages, respiratory, rules).indices for rules in RULES
    }


def psgscoring_results(marked: MarkedNight) -> dict[str, int] | None:
    """Return the indices of psgscoring, or None if it is not installed."""
    try:
        from psgscoring.plm import analyze_plm
    except ImportError:
        return None
    end = max(onset + length for onset, length, _ in marked.stages)
    stages = [word for _, length, word in marked.stages for _ in range(round(length / 30))]
    found = analyze_plm(
        _emg(marked, LEFT, end), _emg(marked, RIGHT, end), _FS, stages,
        [{"onset_s": onset, "duration_s": length} for onset, length in marked.respiratory],
        leg_unit="uV",
    )["summary"]  # fmt: skip
    return {ours: int(found[theirs]) for ours, theirs in _PSGSCORING.items()}


def _emg(marked: MarkedNight, leg: str, seconds: float) -> NDArray[np.float64]:
    """Return noise with a burst at each mark of a leg, µV."""
    rng = np.random.default_rng(0)
    emg = rng.normal(0, _NOISE_UV, round(seconds * _FS))
    for onset, duration, name in marked.marks:
        if name == leg:
            part = slice(round(onset * _FS), round((onset + duration) * _FS))
            emg[part] += rng.normal(0, _BURST_UV, len(emg[part]))
    return emg


def clause_table() -> str:
    """Return the periodic movements (PLM) of each clause, by program, as a Markdown table."""
    stored = stored_results()
    lines = [
        "| marks | `wasm2016` | `wasm2016-strict` | `aasm` | PLMScoRe | SOMAS | psgscoring |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, marked in CLAUSES.items():
        index = "n_plm_nr" if marked.respiratory else "n_plm"
        ours = [our_results(marked)[rules][index] for rules in RULES]
        theirs = [stored[name].get(p, {}).get(index) for p in ("PLMScoRe", "SOMAS")]
        other = psgscoring_results(marked)
        cells = [*ours, *theirs, None if other is None else other["n_plm"]]
        lines.append(f"| {name} | " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def night_table(nights: dict[str, MarkedNight]) -> str:
    """Return the indices of whole nights, by program, as a Markdown table."""
    stored = stored_results()
    head = "| marks | program | " + " | ".join(f"`{name}`" for name in SHOWN) + " |"
    lines = [head, "|---" * (2 + len(SHOWN)) + "|"]
    for name, marked in nights.items():
        rows = {f"`{rules}`": found for rules, found in our_results(marked).items()}
        rows |= stored[name]
        for program, found in rows.items():
            cells = " | ".join(_cell(found.get(index)) for index in SHOWN)
            lines.append(f"| {name} | {program} | {cells} |")
    return "\n".join(lines) + "\n"


def simulated_nights() -> dict[str, MarkedNight]:
    """Return the two nights of the stored results."""
    return {name: night(seed) for name, seed in NIGHTS.items()}


def _cell(value: Any) -> str:
    return "–" if value is None else str(value)
