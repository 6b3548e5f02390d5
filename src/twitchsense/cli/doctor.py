"""``twitchsense doctor``: installed versions and extras, for bug reports."""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from typing import Any

import click

_CORE_PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "pydantic",
    "click",
    "rich",
    "jinja2",
    "matplotlib",
    "tzdata",
    "bleak",
)
_EXTRAS = {"parquet": ("pyarrow",), "edf": ("edfio",), "sim": ("bumble",)}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Print installed versions, extras and platform, for bug reports."""
    facts = collect_facts()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"twitchsense {facts['twitchsense']}")
    click.echo(f"python      {facts['python']} ({facts['platform']})")
    for name, version in facts["packages"].items():
        click.echo(f"{name:<11} {version or 'MISSING'}")
    for extra, present in facts["extras"].items():
        command = "" if present else f"   pip install 'twitchsense[{extra}]'"
        click.echo(f"extra {extra:<10} {'yes' if present else 'no'}{command}")


def collect_facts() -> dict[str, Any]:
    """Collect versions, extras and platform, without user names or paths of the machine."""
    return {
        "twitchsense": _version("twitchsense"),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "byteorder": sys.byteorder,
        "packages": {name: _version(name) for name in _CORE_PACKAGES},
        "extras": {
            extra: all(_version(name) is not None for name in needs)
            for extra, needs in _EXTRAS.items()
        },
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
