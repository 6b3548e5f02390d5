"""Agreement of two human scorers of one night, and of programs that score the same marks.

    python -m benchmarks.scorer_agreement FOLDER --out docs/scorers.md

FOLDER holds ``scorer1.csv`` and ``scorer2.csv`` (columns ``onset_s``, ``duration_s``, ``label``),
``sleep_profile.csv`` and ``flow_events.csv``. The scorers' marks of leg activity (phasic, tonic,
any) become event lists, which are compared one to one and by any overlap. The second part of the
page is made by `benchmarks.leg_movement_scorers`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.leg_movement_marks import MarkedNight
from benchmarks.leg_movement_scorers import clause_table, night_table, simulated_nights

HEAD = """# Agreement of human scorers, and of scoring programs

Made by `python -m benchmarks.scorer_agreement DIR`.

## Two human scorers of one hour

Two people scored leg activity in the same hour
of a patient's sleep (test data of RBDtector, MIT licence): {n1} and {n2} marks. The legs are compared
separately by `twitchsense agree`. Scorer 1 serves as the reference; neither scorer is the truth.

*One to one*: a mark of one scorer matches at most one mark of the other. *Overlapped*: a mark counts
as agreed if it overlaps any mark of the other scorer, because people divide one activity into
different pieces. Intervals are exact, 95 %. The agreement of two people is the upper limit of what can be
asked of a program.

| marks | leg | scorer 1 | scorer 2 | F1 one to one | scorer 1's marks overlapped | scorer 2's marks overlapped |
|---|---|---|---|---|---|---|
"""  # noqa: E501

SCORERS = """
## Other open scorers on the same marks

Which leg movements are periodic depends on how a program reads the rules. The tables compare the indices of `score-limb` with
those of other open programs: on marks made for single clauses, on two simulated nights, and on the
marks of the two people above. The other programs are PLMScoRe 0.1.3 (R, MIT licence, by an author
of the WASM rules), SOMAS (MATLAB, MIT licence) and psgscoring 0.37 (Python, BSD licence). The
results of the first two are [stored](../benchmarks/data/leg_movement_scorers.json) with what was
run. Of SOMAS only the section with the rules was run, in GNU Octave. psgscoring scores EMG and not
marks, so it received noise bursts at the marks. "–" is an
error of the program, or an index that it does not report.

Periodic leg movements (where there is a respiratory event: without movements at respiratory events):

{clauses}
Whole nights:

{nights}
**`wasm2016` and PLMScoRe 0.1.3 agree in every index of every list that PLMScoRe scores.** The
indices count movements, candidates, periodic movements asleep and awake, series, short intervals
and respiratory movements, and all of these without respiratory movements. The others differ in these clauses, as read in their code and seen above:

| clause | `wasm2016`, PLMScoRe | `wasm2016-strict` | `aasm` | SOMAS | psgscoring |
|---|---|---|---|---|---|
| marks on one leg are one movement | gap < 0.5 s, in chains | same | same | only if they overlap | the envelope of the EMG decides |
| too short (< 0.5 s) | after joining | same | same | without joining | after detection |
| longest of one leg | 10 s, longer ones end a series | same | 10 s, longer marks are left out | as `wasm2016` | 10 s, longer ones are left out |
| two legs are one | gap < 0.5 s or overlap, in chains | same | onsets < 5 s apart | as `wasm2016`, in pairs of left and right | onsets ≤ 0.5 s apart |
| candidate of two legs | ≤ 4 parts, ≤ 15 s, none > 10 s | same | every movement | as `wasm2016` | every movement |
| interval in a series | 10–90 s with both ends | same | 5–90 s with both ends | 10 s to below 90 s | 5–90 s with both ends |
| movement after a shorter interval may begin a series | yes | no | yes | no | yes |
| last movement of the night | may end a series | same | same | belongs to no series | may end a series |
| short interval | between candidates | same | same | between any movements; the first of the night counts | not reported |
| respiratory window | 2.0 s before to 10.25 s after the end | same | 0.5 s before the event to 0.5 s after | as `wasm2016` | as `aasm` |
| respiratory movement that is no candidate | stays and ends a series | same | is removed | is removed; the flags of candidates then belong to shifted rows | is removed |
| wake within a series | neither ends nor shortens it | same | same | same | movements in wake are removed before |

The same comparison for two lists of your own, also [EDF+ annotations, Luna `.annot` and tables with clock times](check-yourself.md): `twitchsense agree EVENTS TRUTH --leg-movements`, with `--kinds "LM=movement"` for the words of your scorer, `--hypnogram`, `--respiratory` and, for the figures of another program, `--indices` ([leg movements](leg-movements.md#two-lists-beside-each-other)).
"""  # noqa: E501


def leg_marks(path: Path, suffixes: tuple[str, ...]) -> pd.DataFrame:
    """Return the leg marks of one scorer as an event list."""
    table = pd.read_csv(path)
    rows = []
    for side in ("Left", "Right"):
        names = [f"{side}Leg{s}" for s in suffixes]
        mine = table[table["label"].isin(names)]
        rows.append(mine.assign(leg=side.lower()))
    out = pd.concat(rows).rename(columns={"onset_s": "onset", "duration_s": "duration"})
    return out.sort_values("onset")[["onset", "duration", "leg"]]


def marked_hour(path: Path) -> MarkedNight:
    """Return the leg marks of one scorer, with the stages and hypopneas of the hour."""
    marks = leg_marks(path, ("Phasic", "Tonic", "Any"))
    profile = pd.read_csv(path.with_name("sleep_profile.csv"))
    flow = pd.read_csv(path.with_name("flow_events.csv"))
    stages = profile[["onset_s", "duration_s", "stage"]].replace({"REM": "R", "Wake": "W"})
    hypopneas = flow.loc[flow["label"] == "Hypopnea", ["onset_s", "duration_s"]]
    return MarkedNight(
        [*marks.itertuples(index=False, name=None)],
        [*stages.itertuples(index=False, name=None)],
        [*hypopneas.itertuples(index=False, name=None)],
    )


def agree(first: pd.DataFrame, second: pd.DataFrame, folder: Path) -> dict[str, float]:
    """Run the command on two event lists and return its row for all kinds."""
    paths = [folder / "second.csv", folder / "first.csv"]
    for table, path in zip((second, first), paths, strict=True):
        table.to_csv(path, index=False)
    call = [sys.executable, "-m", "twitchsense.cli", "agree", *map(str, paths), "--json"]
    text = subprocess.run(call, check=True, capture_output=True, text=True).stdout
    return json.loads(text)["kinds"]["any"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()

    def share(row: dict[str, float], name: str) -> str:
        return f"{row[name]:.2f} ({row[f'{name}_low']:.2f}–{row[f'{name}_high']:.2f})"

    files = [args.data / f"scorer{k}.csv" for k in (1, 2)]
    groups = (("Phasic",), ("Phasic", "Tonic", "Any"))
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for suffixes in groups:
            first, second = (leg_marks(f, suffixes) for f in files)
            for leg in ("left", "right"):
                a, b = first[first["leg"] == leg], second[second["leg"] == leg]
                row = agree(a, b, Path(folder))
                name = "+".join(suffixes).lower()
                cells = [name, leg, len(a), len(b), share(row, "f1")]
                cells += [share(row, k) for k in ("overlap_sensitivity", "overlap_precision")]
                lines.append("| " + " | ".join(map(str, cells)) + " |")
    counts = [len(leg_marks(f, groups[-1])) for f in files]
    text = HEAD.format(n1=counts[0], n2=counts[1]) + "\n".join(lines) + "\n"
    nights = simulated_nights()
    nights |= {f"scorer {k}": marked_hour(file) for k, file in enumerate(files, 1)}
    text += SCORERS.format(clauses=clause_table(), nights=night_table(nights))
    if args.out:
        args.out.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
