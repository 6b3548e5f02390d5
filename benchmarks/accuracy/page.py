"""Writes docs/accuracy.md and its figures from saved rows.

    python -m benchmarks.accuracy.page ROWS docs/accuracy.md --data FOLDER --openhdemg FOLDER
        [--cache FOLDER]

ROWS is what `python -m benchmarks.accuracy --rows` saved; the recordings are needed for the
pictures alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.accuracy import figures, worst_first
from benchmarks.accuracy.cache import Source, add_options
from benchmarks.accuracy.results import Results
from benchmarks.accuracy.sections import (
    HEAD,
    OTHERS,
    POOLED,
    TIMED,
    best_of_each,
    by_class,
    caused,
    comparison,
    confused,
    errors,
    goals,
    hidden,
    lines_of,
    share,
)
from benchmarks.accuracy.tally import by_confidence

LIMITS = """\
- Twelve motor units of five people, three of these people on the side tested; one heart, one \
walker. The intervals count events, not people: another leg may be further off than they say.
- Sizes, rates and the lag of the jolt are drawn from ranges, not measured in sleepers. EMG and \
acceleration of one event were never recorded together. No public recording holds a hypnic jerk, \
fragmentary myoclonus, or a fasciculation of the leg with acceleration.
- Pops, hum, wander and loose straps are simulated. Real ones have shapes nobody thought of.
- A target counts as found if an event of its kind overlaps it or begins within its tolerance \
(0.1 s for twitches and jerks, 0.5 s for movements). A second event for one target is a false \
alarm; so is a twitch within a voluntary contraction.
- Twitches below 50 µV are optional: found or not, they change no count.
- Tonic and rhythmic firing of single units counts as an artefact, although it is muscle."""


def write(results: Results, page: Path, source: Source) -> None:
    """Write page and figures."""
    folder = page.parent / "figures"
    figures.curves(
        results.pool(scenarios=TIMED), best_of_each(results), folder / "accuracy-snr.png"
    )
    figures.reliability(results.pool(scenarios=TIMED), folder / "accuracy-reliability.png")
    for table, name in (("targets", "misses"), ("events", "false-alarms")):
        rows = figures.worst(results, table)
        figures.gallery(
            rows,
            lambda row: source.compose(row.scenario, row.seed),
            folder / f"accuracy-{name}.png",
        )
    page.write_text(tables(results, pictures=True))


def tables(results: Results, pictures: bool = False) -> str:
    """Return the page; without pictures for the terminal."""
    about, every = results.about, results.pool(scenarios=POOLED)

    def picture(name: str, alt: str) -> list[str]:
        return ["", f"![{alt}](figures/accuracy-{name}.png)"] if pictures else []

    hours = sum(every.hours.values())
    out = [
        "# Accuracy on recordings composed from real parts",
        "",
        f"Made by `python -m benchmarks.accuracy`; side `{about['split']}` of the split, seeds "
        f"{', '.join(map(str, about['seeds']))}. What is real in them and what is simulated: "
        "[the benchmark's page](../benchmarks/accuracy/README.md). Weights and limits of the "
        "detector were chosen on the side `tune` and on blind kits. Intervals are exact, "
        "95 %. A clear twitch "
        'has a peak to peak of at least 15 times the noise\'s RMS; "twitch" is every one from '
        "50 µV.",
        "",
        *worst_first.section(results),
        "## Goals",
        "",
        *goals(results),
        "",
        "## Pooled",
        "",
        f"{hours:.1f} h of {', '.join(POOLED)}.",
        "",
        HEAD,
        *lines_of("all", every),
        *[row for c in ("wake", "asleep") for row in lines_of(c, every, c)],
        "",
        errors(every),
        "",
        "## By kind of target and size",
        "",
        *by_class(results),
        *picture("snr", "Sensitivity over signal to noise"),
        "",
        *comparison(results),
        "## One by one",
        "",
        HEAD,
        *[
            row for s in (*POOLED, *OTHERS) for row in lines_of(s, results.pool(scenarios=(s,)))
        ],
        "",
        "## What is taken for what",
        "",
        *confused(every),
        "",
        "## What raises false alarms",
        "",
        *caused(results),
        "",
        "## What hides targets",
        "",
        *hidden(results),
        "",
        "## Is the confidence right?",
        "",
        "The same recordings.",
        *picture("reliability", "Share of events that are right, by confidence"),
        "",
        "| confidence | events | right |",
        "|---|---|---|",
        *[f"| {c:.2f} | {n} | {share(right, n)} |"
          for c, right, n in by_confidence(results.pool(scenarios=TIMED))],
        "",
    ]  # fmt: skip
    if pictures:
        out += ["## The worst of each cause", "",
                "Missed targets, by what rejected them: the largest of each cause, the commonest "
                "cause first. EMG above, acceleration below; the target is shaded.",
                *picture("misses", "Missed targets"), "",
                "False alarms, by kind and by the artefacts within 0.3 s: that of the highest "
                "confidence of each cause.",
                *picture("false-alarms", "False alarms"),
                "", "## Limits", "", LIMITS, ""]  # fmt: skip
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("page", type=Path)
    add_options(parser)
    args = parser.parse_args()
    results = Results.load(args.rows)
    source = Source(results.about["split"], args.data, args.openhdemg, args.cache)
    write(results, args.page, source)


if __name__ == "__main__":
    main()
