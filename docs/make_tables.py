"""Writes the generated pages (settings, glossary, labels, broken) from the code.

Parts of ``detection.md`` and ``architecture.md`` are generated too, between markers.

python docs/make_tables.py
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from twitchsense.cohort.dataset import TABLES as COHORT_TABLES
from twitchsense.detect.features import FEATURES
from twitchsense.detect.models import boosted_trees
from twitchsense.detect.rules.acc_jerk import MAX_CONFIDENCE_ALONE
from twitchsense.detect.rules.burst_grouping import MIN_FILLED
from twitchsense.detect.rules.burst_limits import (
    MIN_PEAK_TO_FLOOR,
    max_duration_ms,
    min_duration_ms,
)
from twitchsense.detect.rules.jerk_rule import MIN_PROBABILITY
from twitchsense.detect.rules.rule_order import CLUSTER_RULES, NIGHT_RULES
from twitchsense.model.event_table import EVENT_COLUMNS, REJECT_REASONS
from twitchsense.scoring.glossary import fill_levels, fill_limits
from twitchsense.scoring.labels.label_rules import RULES
from twitchsense.settings import Settings, get_profile
from twitchsense.trend.association import ASSOCIATION_COLUMNS
from twitchsense.trend.diary import DIARY_COLUMNS

DOCS = Path(__file__).parent
#: The profile whose limits the pages state.
PROFILE = "default-2026"
DEFAULTS = get_profile(PROFILE)


def settings_page() -> str:
    """Return the page of all settings, with defaults and sources."""
    lines = [
        "# Settings",
        "",
        "Pass a TOML file with `--settings`; an unknown key is an error. [E] marks an engineering",
        "default without a clinical standard behind it, [C] a value from a simulation. The sources",
        "are listed in [the definitions](definitions.md).",
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
    page = "\n".join(lines) + "\n"
    return re.sub(r"docs/([\w-]+)\.md", r"[\1](\1.md)", page)


#: Terms of the pages; the site links the first use of each.
TERMS = {
    "accelerometer": "A sensor of acceleration in three axes. At rest it shows gravity, 1 g, and "
    "thereby the orientation of the leg.",
    "capture": "An input file, or several files of one recording: CSV, EDF, a night file and "
    "others.",
    "candidate": "A part of the signal that stands out and may be an event. The rules accept it "
    "as an event or reject it with a reason.",
    "CLM": "Candidate leg movement (WASM): a leg movement of a length that can belong to a "
    "periodic series.",
    "context": "State of the sleeper at an event: `wake`, `drowsy`, `sleep_onset`, `asleep` or "
    "`unknown`.",
    "driver": "The code that turns the bytes of one kind of device into samples.",
    "EMG": "Electromyogram: the electric signal of a muscle, in µV, from electrodes on the skin.",
    "envelope": "The strength of the EMG over time: its RMS in windows of 10 ms.",
    "epoch": "A 30-s interval with one sleep stage.",
    "fasciculation": "A spontaneous contraction of one motor unit, seen as a twitch at rest.",
    "fragmentary myoclonus": "Frequent twitches during NREM sleep.",
    "gap": "Time without samples. A gap is never filled, and no event or rate is computed in it.",
    "hypnogram": "The sleep stage of each epoch of a night: W, N1, N2, N3 or R.",
    "jerk": "A brief muscle burst that moves the leg abruptly.",
    "label": "The name of the pattern that an event resembles, such as `sleep_start`. It is not "
    "a diagnosis.",
    "night file": "The file that `record` writes: everything the devices sent, with their "
    "clocks and losses.",
    "noise floor": "The level of the EMG at rest, estimated causally over the preceding seconds.",
    "PLM": "Periodic leg movement: one of four or more leg movements whose onsets are 10 to 90 s "
    "apart (WASM 2016).",
    "PLMS": "Periodic leg movement in sleep.",
    "sleep onset": "The time at which sleep begins: from a hypnogram, or estimated from the "
    "movement of the leg.",
    "sleep start": "A jerk around sleep onset, also called hypnic jerk.",
    "twitch": "A brief muscle burst that does not move the leg abruptly.",
    "valid time": "Time with a usable signal: neither a gap nor flat, saturated or too noisy. "
    "Rates are per hour of valid time.",
    "WASM": "World Association of Sleep Medicine, whose rules of 2016 define periodic leg "
    "movements.",
}


def glossary_page() -> str:
    """Return the page of terms, table columns, their levels, and the reasons for rejection."""
    lines = [
        "# Glossary",
        "",
        "## Terms",
        "",
        "```{glossary}",
        *(line for term, text in TERMS.items() for line in (term, f"  {text}", "")),
        "```",
        "",
        "## Columns of `events.csv`",
        "",
        "`rejected.csv` has the same columns up to `grade`, and `reason`.",
        "A missing value is an empty field.",
        "",
        f"The limits on this page are those of the profile `{PROFILE}`. The `events.json` of a",
        "result and the glossary of its report state the limits of the settings in force.",
        "",
        "| column | unit | meaning |",
        "|---|---|---|",
    ]
    for column in EVENT_COLUMNS:
        meaning = fill_limits(column.description, DEFAULTS)
        lines.append(f"| `{column.name}` | {column.unit} | {meaning} |")
    for column in EVENT_COLUMNS:
        if column.levels:
            lines += ["", f"## `{column.name}`", ""]
            levels = fill_levels(column.levels, DEFAULTS)
            lines += [f"- `{word}`: {meaning}" for word, meaning in levels.items()]
    lines += ["", "## `reason` (rejected candidates)", ""]
    reasons = fill_levels(REJECT_REASONS, DEFAULTS)
    lines += [f"- `{word}`: {meaning}" for word, meaning in reasons.items()]
    lines += [
        "",
        "## `epochs.csv`",
        "",
        "One row per 30 s: `onset`, `duration` (s), `context`, `stage`, `activity` (mean dynamic",
        "acceleration in g, with the events of the leg masked), `valid` (share of the epoch with",
        "valid signal).",
        "",
        "## The diary of `trend`",
        "",
        "One row per evening. Every column except the date is optional, and further columns may be",
        "added.",
        "",
        "| column | meaning |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in DIARY_COLUMNS.items()]
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
        "Every table has a column `night`, the name of the night; `events`, `rejected` and",
        "`epochs` also have the columns above. A missing value is null.",
    ]
    for table in ("nights", "rates", "failed"):
        lines += ["", f"### `{table}`", "", "| column | unit | meaning |", "|---|---|---|"]
        for column in COHORT_TABLES[table]:
            meanings = fill_levels(column.levels or {}, DEFAULTS)
            levels = "; ".join(f"`{w}`: {m}" for w, m in meanings.items())
            meaning = f"{column.description}: {levels}" if levels else column.description
            lines.append(f"| `{column.name}` | {column.unit} | {meaning} |")
    return "\n".join(lines) + "\n"


LABELS_HEAD = """# Labels

A label names the pattern that an event resembles, given the events around it and its sleep
context. The first rule of the table that holds decides. A label never states a diagnosis: "-like"
is meant literally.

Each row also has these columns:

* `confidence`, 0 to 1, from the margin of the rule, the sensors, and the certainty of the context
* `series`, the train that gave the label, such as `plm-2`
* `evidence`, the number of the rule and other findings
* `alternatives`, other rules that hold; within the range of an estimated sleep onset, also the
  label in the other state (awake or asleep) with its probability

A fasciculation and a potential of fragmentary myoclonus differ only by that state.

How often labels are correct on simulated nights: [figures](labels-figures.md).

## The table

The rules are tested from top to bottom. The numbers are those of the profile `default-2026`; the
[definitions](definitions.md) give their sources.
Trains (3) come before large movements (2), because a large movement that is rhythmic throughout is
better described as a train. E: an engineering default without a clinical standard.
"""
TRAINS = """
## Trains

Trains are searched before labelling, in bursts. Bursts are short events, the parts of a long event
(measured again in the samples), and candidates that were rejected because they belong to a dense
sequence. The [settings](settings.md) list the thresholds and their sources under `[trains]`.

* A train keeps its rhythm: the spread of its intervals is limited. Of eight or more intervals, a
  quarter may deviate, so one missing or one additional burst does not change
  the result.
* A hiccup-like train consists of jolts: short accelerations while the muscles of the leg are
  silent. A single one is a knock at the bed and stays in `rejected.csv`; {trains.hiccup_least} at a
  steady rhythm become events of the kind `jolt`. Measured at a leg this is weak evidence, so its
  confidence is low.
* Jerks that recur every {limb_rules.interval_s} s are too short for leg movements. They keep their
  label, and `alternatives` also names `periodic_leg_movement_like`.
* Around sleep onset, three violent jerks within a minute match both rule 7 and rule 8. Rule 7
  comes first, because strength and repetition are measured and sleep onset is often an estimate.
  The context stays in its column. `alternatives` names `sleep_start` for each jerk that would be
  one alone.
* Repetitive jerks: one volley does not relabel single jerks an hour away, and jerks of both legs
  within 0.5 s count once.
* In active wake, twitches are `voluntary_or_unclassified`; jerks are not.

## Profiles

A profile is frozen: when its numbers change, it gets a new name.

| profile | differences |
|---|---|
"""
#: What is special about each profile, with its limits.
PROFILE_TEXTS = {
    "default-2026": "leg movements by WASM 2016",
    "aasm-2026": "leg movements by the AASM: intervals from {limb_rules.min_interval_s} s, both "
    "legs within 5 s are one",
    "wide-onset-2026": "`drowsy` from {context.drowsy_min} min before sleep onset, `sleep_onset` "
    "to {context.onset_min} min after it",
}


def labels_page() -> str:
    """Return the page of the label rules, with the source of each."""
    lines = [LABELS_HEAD, "| # | label | condition | source |", "|---|---|---|---|"]
    lines += [
        f"| {r.number} | `{r.label}` | {fill_limits(r.condition, DEFAULTS)} | {r.source} |"
        for r in RULES
    ]
    profiles = [
        f"| `{name}` | {fill_limits(text, get_profile(name))} |\n"
        for name, text in PROFILE_TEXTS.items()
    ]
    return "\n".join(lines) + "\n" + fill_limits(TRAINS, DEFAULTS) + "".join(profiles)


BROKEN_HEAD = """# Protocol errors that the tests detect

The simulated wearable can break one field of [the protocol](protocol.md) at a time (`python -m
firmware_sim serve --mutate NAME`). For every field, `tests/wearable/test_mutations.py` runs an
evening in virtual time. First a client sends unusual requests to the control point. Then the
recorder connects and records a night with a small MTU, a disconnection, skipped samples, a button
press, and an outage longer than the ring buffer. Eleven checks compare the night file with the
state inside
the firmware. All pass when nothing is broken; for every field, the check named here must be
the first to fail, with these words. Another test compares the fields of this table with the tables
of the protocol page: none is missing.

| check | what it verifies |
|---|---|
"""


def broken_page() -> str:
    """Return the page of all protocol mutations, with the check that detects each."""
    import sys

    sys.path.insert(0, str(DOCS.parent))
    from firmware_sim.wearable.mutations import CHECKS, MUTATIONS

    rows = [f"| {name} | {what} |" for name, what in CHECKS.items()]
    rows += [
        "",
        "| name | field | what the firmware does | check that fails | its message |",
        "|---|---|---|---|---|",
    ]
    for name, m in MUTATIONS.items():
        rows.append(f"| `{name}` | {m.field} | {m.wrong} | {m.check} | `{m.says}` |")
    return BROKEN_HEAD + "\n".join(rows) + "\n"


def kinds_table() -> list[str]:
    """Return the table of the kinds of events, with their limits."""
    s = Settings()
    twitch, jerk, movement, emg = s.twitch, s.jerk, s.movement, s.emg
    rows = [
        (
            "posture_change",
            f"the leg turned by at least {movement.turn_deg:g}° during a contraction; it lasts "
            "from the first to the last episode that turned it, including the contractions between",
            f"an episode that turns the leg by at least {movement.turn_deg:g}°",
        ),
        (
            "gross_movement",
            f"a contraction, or the movement with it, of more than {movement.max_s:g} s; rejected "
            f"as `sustained_activity` if the contraction alone is that long and the leg moves for "
            f"less than {movement.acc_gross_s:g} s",
            f"an episode of more than {movement.max_s:g} s, or of at least "
            f"{movement.acc_gross_s:g} s with a silent muscle or a turn of "
            f"{twitch.max_turn_deg:g}° [E]",
        ),
        (
            "movement",
            f"+{movement.rise_uv:g}/+{movement.fall_uv:g} µV rule for {movement.min_s:g}–"
            f"{movement.max_s:g} s; bursts fill at least {100 * MIN_FILLED:g} % of it, and its "
            f"median is at least {movement.fall_uv:g} µV above rest",
            f"an episode of at least {movement.min_s:g} s where no EMG is usable",
        ),
        (
            "jerk",
            f"one or several bursts of {jerk.min_ms:g}–{jerk.max_ms:g} ms with pauses of less than "
            f"half a second; the first rises to half of its peak within "
            f"{jerk.max_rise_ms:g} ms; an impulse of at least {jerk.min_impulse_uvs:g} µV·s; "
            f"the leg moves with at least {jerk.min_g:g} g and {jerk.min_jerk_g_s:g} g/s, "
            f"beginning {jerk.lead_ms:g} ms before to {jerk.lag_ms:g} ms after the onset, for at "
            f"most {jerk.max_episode_s:g} s (longer if it turns by {jerk.max_turn_deg:g}°) [E]; "
            f"jerk model at least {MIN_PROBABILITY[0]:g}; at least {MIN_PROBABILITY[1]:g} for a "
            "leg that rests, with a movement that begins after the burst, and one of two: a burst "
            "of muscle rather than an electrode artefact, a movement of at least "
            f"{jerk.violent_g:g} g; at least {MIN_PROBABILITY[2]:g} with both",
            f"where there is no EMG, or its noise exceeds {jerk.masked_uv:g} µV [E]: at least "
            f"{jerk.min_g_alone:g} g and {jerk.min_jerk_g_s:g} g/s, half of the peak within "
            f"{jerk.lag_ms:g} ms, above a fifth of it for at most {jerk.max_episode_s:g} s; "
            f"confidence at most {MAX_CONFIDENCE_ALONE:g} [E]",
        ),
        (
            "twitch",
            f"burst of {twitch.min_ms:g}–{twitch.max_ms:g} ms (measured: "
            f"{min_duration_ms(twitch):g}–{max_duration_ms(twitch):g} ms), at least "
            f"{twitch.min_uv:g} µV peak to peak "
            f"(measured: {twitch.min_uv - twitch.slack_uv:g} µV, but at least "
            f"{MIN_PEAK_TO_FLOOR:g} times the noise floor); the leg turns by less than "
            f"{twitch.max_turn_deg:g}°",
            "",
        ),
        (
            "brief_contraction",
            f"longer burst, of less than {movement.min_s:g} s",
            "",
        ),
        (
            "rejected",
            f"noise floor above {emg.max_floor_uv:g} µV, and the other rules of the table below",
            "`bump` where EMG would show muscle activity; otherwise `acc_micro_event`",
        ),
    ]
    return [
        "| kind | with EMG | by acceleration alone |",
        "|---|---|---|",
        *(f"| {f'`{k}`' if k != 'rejected' else k} | {a} | {b or '–'} |" for k, a, b in rows),
    ]


def rules_table() -> list[str]:
    """Return the table of all rules of detection, in order."""
    lines = [
        "| # | rule | applies to | what decides | rejects as | may overrule |",
        "|---|---|---|---|---|---|",
    ]

    def words(reasons: tuple[str, ...]) -> str:
        return ", ".join(f"`{r}`" for r in reasons) or "–"

    number = 0
    for title, rules in (("first stage, each cluster", CLUSTER_RULES),
                         ("second stage, the whole night", NIGHT_RULES)):  # fmt: skip
        lines.append(f"| | **{title}** | | | | |")
        for rule in rules:
            number += 1
            name = f"`{rule.name}`" if rules is NIGHT_RULES else rule.name
            lines.append(
                f"| {number} | {name} | {rule.applies_to} | {rule.does} "
                f"| {words(rule.reasons)} | {words(rule.overrules)} |"
            )
    return lines


TREE_MODELS = ("jerk", "movement", "burst", "recurrence")


def _model_card(name: str) -> dict:
    return json.loads(Path(boosted_trees.__file__).with_name(
        f"{name}.json").read_text("utf-8"))  # fmt: skip


def models_table() -> list[str]:
    """Return the table of the models, from their cards."""
    lines = [
        "| model | estimates the probability of | method | features |",
        "|---|---|---|---|",
    ]
    for name in TREE_MODELS:
        card = _model_card(name)
        lines.append(
            f"| `{name}` | {card['estimates']} | {card['trees']} boosted trees of depth "
            f"{card['parameters']['max_depth']} or less | {len(card['features'])} |"
        )
    card = _model_card("electrode")
    lines.append(
        f"| `electrode` | {card['estimates']} | {len(card['regressions'])} logistic regressions: "
        f"{', '.join(f'`{r}`' for r in card['regressions'])} | {len(card['features'])} |"
    )
    return lines


def features_table() -> list[str]:
    """Return the table of all features, with the models that read them."""
    used: dict[str, list[str]] = {}
    for name in (*TREE_MODELS, "electrode"):
        for feature in _model_card(name)["features"]:
            used.setdefault(feature["name"], []).append(name)
    return [
        "| feature | unit | meaning | models |",
        "|---|---|---|---|",
        *(
            f"| `{name}` | {f.unit} | {f.meaning} | {', '.join(used.get(name, []))} |"
            for name, f in FEATURES.items()
        ),
    ]


def layers_table() -> list[str]:
    """Return the layers of the import contract, from top to bottom."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    names = (re.findall(r"twitchsense\.(\w+)", layer) for layer in contract["layers"])
    return [" → ".join(", ".join(f"`{name}`" for name in layer) for layer in names)]


#: Generated parts of pages that are written by hand, by page and marker.
MARKED: dict[str, dict[str, Callable[[], list[str]]]] = {
    "detection": {
        "kinds": kinds_table,
        "rules": rules_table,
        "models": models_table,
        "features": features_table,
    },
    "architecture": {"layers": layers_table},
}


def _marked_page(page_name: str) -> str:
    """Return a page with the parts between its markers replaced."""
    page = (DOCS / f"{page_name}.md").read_text()
    for name, table in MARKED[page_name].items():
        start, end = f"<!-- generated: {name} -->", "<!-- end -->"
        before, rest = page.split(start)
        _, after = rest.split(end, 1)
        page = f"{before}{start}\n\n" + "\n".join(table()) + f"\n\n{end}{after}"
    return page


def detection_page() -> str:
    """Return the page about detection."""
    return _marked_page("detection")


def architecture_page() -> str:
    """Return the page about the architecture."""
    return _marked_page("architecture")


def main() -> None:
    """Write the pages."""
    (DOCS / "detection.md").write_text(detection_page())
    (DOCS / "architecture.md").write_text(architecture_page())
    (DOCS / "broken.md").write_text(broken_page())
    (DOCS / "settings.md").write_text(settings_page())
    (DOCS / "glossary.md").write_text(glossary_page())
    (DOCS / "labels.md").write_text(labels_page())


if __name__ == "__main__":
    main()
