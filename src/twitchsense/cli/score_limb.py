"""``twitchsense score-limb``: apply the leg-movement rules to an event list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twitchsense.cli.options import USER_PATH, night_file_options, verbosity
from twitchsense.cli.text_output import print_table, print_text

if TYPE_CHECKING:
    from twitchsense.scoring.leg_movements.score_event_list import IndexValue, LegMovementScore

#: Names of `RULES`, repeated here so that ``--help`` does not import the rules.
RULE_NAMES = ("wasm2016", "wasm2016-strict", "aasm")


@click.command("score-limb", short_help="Score leg movements from a list of events.")
@click.argument("movements", metavar="MOVEMENTS.csv", type=USER_PATH)
@night_file_options
@click.option(
    "--rules",
    type=click.Choice(RULE_NAMES),
    default=RULE_NAMES[0],
    show_default=True,
    help="Rule set; strict: no series begins after an interval below 10 s.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every movement.")
@verbosity
def score_limb(
    movements: Path,
    hypnogram: Path | None,
    stages: str | None,
    respiratory: Path | None,
    start: str | None,
    zone: str | None,
    kind_pairs: tuple[str, ...],
    rules: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score leg movements from a list with onset (s), duration (s) and leg.

    MOVEMENTS.csv may be the events.csv of analyze, or annotations such as EDF+ and Luna .annot:
    their leg movements are scored. Without a leg, all are movements of one leg.
    Indices that depend on --hypnogram or --respiratory are undefined without them.
    """
    from twitchsense.results.save import to_json
    from twitchsense.scoring.event_lists.mark_kinds import parse_kinds
    from twitchsense.scoring.leg_movements.score_event_list import score_leg_movements

    kinds = parse_kinds(kind_pairs)
    result = score_leg_movements(
        movements, hypnogram, respiratory, rules,
        stages=stages or None, start=start, zone=zone, kinds=kinds,
    )  # fmt: skip
    if as_json:
        click.echo(to_json(result.to_dict()), nl=False)
    else:
        _print_score(result, {"--hypnogram": hypnogram, "--respiratory": respiratory})


def _print_score(result: LegMovementScore, files: dict[str, Path | None]) -> None:
    from twitchsense.scoring.leg_movements.rules import RULES
    from twitchsense.scoring.leg_movements.score_event_list import INDEX_DESCRIPTIONS

    print_text(f"Rules: {RULES[result.rules].title}")
    known = {name: value for name, value in result.indices.items() if value is not None}
    rows = [[name, format_index(v), INDEX_DESCRIPTIONS[name]] for name, v in known.items()]
    print_table(["index", "value", "meaning"], rows, left=(0, 2))
    undefined = [name for name in result.indices if name not in known]
    if undefined:
        missing = " or ".join(name for name, path in files.items() if path is None)
        without = f" without {missing}" if missing else ""
        print_text(f"Undefined{without}: {', '.join(undefined)}", dim=True, indent="  ")
    print_text("--json lists every movement.", dim=True)
    for note in result.notes:
        print_text(f"Note: {note}", indent="  ")


def format_index(value: IndexValue) -> str:
    """Return a leg-movement index as text; ``–`` if it is undefined."""
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
