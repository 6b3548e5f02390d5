"""Writes the pages settings, glossary and labels from the code, so that they can't go stale.

python docs/make_tables.py
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from twitchsense.cohort.dataset_tables import TABLES as COHORT_TABLES
from twitchsense.model.event_table import EVENT_COLUMNS, REJECT_REASONS
from twitchsense.scoring.labels import RULES
from twitchsense.settings import Settings
from twitchsense.trend.association import COLUMNS as ASSOCIATION_COLUMNS
from twitchsense.trend.diary import COLUMNS as DIARY

DOCS = Path(__file__).parent


def settings_page() -> str:
    """Return every setting with its default and source."""
    lines = [
        "# Settings",
        "",
        "Give a TOML file with `--settings`; a key that does not exist is refused. [E] marks an",
        "engineering default without a clinical standard behind it, [C] one from a simulation.",
        "",
        "```toml",
        "[twitch]",
        "min_uv = 40.0",
        "",
        "[legs]",
        'emg2 = "right"',
        "```",
    ]
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            doc = (kind.__doc__ or "").strip()
            lines += [
                "",
                f"## `[{name}]`",
                "",
                doc,
                "",
                "| key | default | meaning |",
                "|---|---|---|",
            ]
            lines += [
                f"| `{key}` | {f.default} | {f.description or ''} |"
                for key, f in kind.model_fields.items()
            ]
    lines += ["", "## Others", "", "| key | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            lines.append(f"| `{name}` | empty | {field.description} |")
    return "\n".join(lines) + "\n"


def glossary_page() -> str:
    """Return every column of the event table, its levels, and the reasons for rejection."""
    lines = [
        "# Glossary",
        "",
        "Columns of `events.csv`; `rejected.csv` has the same up to `grade`, and `reason`. A",
        "missing value is an empty field.",
        "",
        "| column | unit | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{c.name}` | {c.unit} | {c.description} |" for c in EVENT_COLUMNS]
    for column in EVENT_COLUMNS:
        if column.levels:
            lines += ["", f"## `{column.name}`", ""]
            lines += [f"- `{word}`: {meaning}" for word, meaning in column.levels.items()]
    lines += ["", "## `reason` (rejected candidates)", ""]
    lines += [f"- `{word}`: {meaning}" for word, meaning in REJECT_REASONS.items()]
    lines += [
        "",
        "## `epochs.csv`",
        "",
        "One row per 30 s: `onset`, `duration` (s), `context`, `stage`, `activity` (mean dynamic",
        "acceleration in g, events of the leg masked out), `valid` (share of the epoch that holds",
        "valid signal).",
        "",
        "## The diary of `trend`",
        "",
        "One row per evening; every column but the date may be left out, and any may be added.",
        "",
        "| column | meaning |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in DIARY.items()]
    lines += [
        "",
        "## `associations.csv` of `trend`",
        "",
        "| column | meaning |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in ASSOCIATION_COLUMNS.items()]
    lines += [
        "",
        "## The dataset of `cohort`",
        "",
        "Every table has the name of the night, `night`; `events`, `rejected` and `epochs` have",
        "the columns above besides. A missing value is null.",
    ]
    for table in ("nights", "rates", "failed"):
        lines += ["", f"### `{table}`", "", "| column | unit | meaning |", "|---|---|---|"]
        for column in COHORT_TABLES[table]:
            levels = "; ".join(f"`{w}`: {m}" for w, m in (column.levels or {}).items())
            meaning = f"{column.description}: {levels}" if levels else column.description
            lines.append(f"| `{column.name}` | {column.unit} | {meaning} |")
    return "\n".join(lines) + "\n"


LABELS_HEAD = """# Labels

A label is what an event looks like in its company and its sleep context: the first rule of the
table that holds. It never says what a person has. "-like" is meant.

Each row has besides: `confidence` (0 to 1: margin of the rule, sensors, certainty of the context),
`series` (the train that gave the label, such as `plm-2`), `evidence` (the number of the rule and
what else was found) and `alternatives` (other rules that hold, and within the range of an estimated
sleep onset what the label would be in the other state, with its probability: a fasciculation and a
potential of fragmentary myoclonus differ by state alone).

How often the label is the one that was meant, on simulated nights: [figures](labels-figures.md).

## The table

Tried from top to bottom. Numbers are those of the [definitions](definitions.md); trains (3) stand
before large movements (2), because a large movement that is a rhythm all through is better named by
it. E: an engineering default without a clinical standard.
"""
TRAINS = """
## Trains

Searched before labelling, in bursts: short events, the bursts inside a long one (read off the
samples again), and candidates the detector gave up because they stood in a dense row. Thresholds:
[settings](settings.md), `[trains]`, each with its source.

* A train must keep its rhythm: the spread of its intervals is limited. Of eight intervals and more
  a quarter may be out of step: one burst missed or one too many neither makes nor breaks it.
* A hiccup-like train is made of jolts, short accelerations where the leg's muscle is silent. One is
  a knock at the bed and stays in `rejected.csv`; five at a steady rhythm become events of the kind
  `jolt`. Seen from a leg this is weak evidence, and its confidence is low.
* Jerks that come every 10-90 s are too short for leg movements. They keep their label, and
  `alternatives` has `periodic_leg_movement_like` as well.
* Jerks in succession: one volley does not give its name to single jerks an hour away,
  and what both legs do within 0.5 s counts once.
* In active wake twitches are `voluntary_or_unclassified`; jerks are not.

## Profiles

A profile is frozen: a change of its numbers gets a new name.

| profile | what differs |
|---|---|
| `default-2026` | leg movements by WASM 2016 |
| `aasm-2026` | leg movements by the AASM: series from 5 s on, legs within 5 s are one |
| `wide-onset-2026` | drowsy from 10 min before sleep onset, falling asleep to 25 min after it |
"""


def labels_page() -> str:
    """Return the first-match table, with the source of each row."""
    lines = [LABELS_HEAD, "| # | label | condition | source |", "|---|---|---|---|"]
    lines += [f"| {r.number} | `{r.label}` | {r.says} | {r.source} |" for r in RULES]
    return "\n".join(lines) + "\n" + TRAINS


BROKEN_HEAD = """# Each broken field is caught

The simulated wearable can break one field of [the protocol](protocol.md) at a time (`python -m
firmware_sim serve --mutate NAME`). For each, `tests/wearable/test_mutations.py` spends an evening
with it in virtual time: a stranger asks the control point odd questions, then the recorder takes
over and records a night over a small MTU, with a hang-up, skipped samples, the button, and an
outage longer than the ring. Eleven checks hold the night file to what was true inside the firmware;
all are green when nothing is broken, and each broken field must turn the one named here red first,
with these words. Another test holds the fields of this table to the tables of the protocol's page:
none is left out.

| check | what it sees |
|---|---|
"""


def broken_page() -> str:
    """Return every mutation of the protocol, with the check that catches it."""
    import sys

    sys.path.insert(0, str(DOCS.parent))
    from firmware_sim.wearable.mutate import CHECKS, MUTATIONS

    rows = [f"| {name} | {sees} |" for name, sees in CHECKS.items()]
    rows += [
        "",
        "| name | field | what the firmware does | red | what the check says |",
        "|---|---|---|---|---|",
    ]
    for name, m in MUTATIONS.items():
        rows.append(f"| `{name}` | {m.field} | {m.wrong} | {m.check} | `{m.says}` |")
    return BROKEN_HEAD + "\n".join(rows) + "\n"


def main() -> None:
    """Write the pages."""
    (DOCS / "broken.md").write_text(broken_page())
    (DOCS / "settings.md").write_text(settings_page())
    (DOCS / "glossary.md").write_text(glossary_page())
    (DOCS / "labels.md").write_text(labels_page())


if __name__ == "__main__":
    main()
