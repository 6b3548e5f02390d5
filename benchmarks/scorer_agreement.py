"""Agreement of two human scorers of one night, by ``twitchsense agree``.

    python benchmarks/scorer_agreement.py FOLDER --out docs/scorers.md

FOLDER holds ``scorer1.csv`` and ``scorer2.csv`` (columns ``onset_s``, ``duration_s``, ``label``).
Their marks of leg activity (phasic, tonic, any) become event lists, which are compared one to
one and by any overlap.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

HEAD = """# Two human scorers of one hour

Made by `python benchmarks/scorer_agreement.py DIR`. Two people scored leg activity in the same hour
of a patient's sleep (test data of RBDtector, MIT licence): {n1} and {n2} marks. The legs are compared
separately by `twitchsense agree`. Scorer 1 serves as the reference; neither scorer is the truth.

*One to one*: a mark of one scorer matches at most one mark of the other. *Overlapped*: a mark counts
as agreed if it overlaps any mark of the other scorer, because people divide one activity into
different pieces. Intervals are exact, 95 %. The agreement of two people is the most that can be
asked of a program.

| marks | leg | scorer 1 | scorer 2 | F1 one to one | scorer 1's marks overlapped | scorer 2's marks overlapped |
|---|---|---|---|---|---|---|
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
    if args.out:
        args.out.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
