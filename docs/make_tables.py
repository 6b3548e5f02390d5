"""Writes docs/settings.md and docs/glossary.md from the code, so that they can't go stale.

python docs/make_tables.py
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from twitchsense.events import EVENT_COLUMNS, REJECT_REASONS
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
        "Columns of `events.csv`; `rejected.csv` has the same and `reason`. A missing value is an",
        "empty field.",
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
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write both pages."""
    (DOCS / "settings.md").write_text(settings_page())
    (DOCS / "glossary.md").write_text(glossary_page())


if __name__ == "__main__":
    main()
