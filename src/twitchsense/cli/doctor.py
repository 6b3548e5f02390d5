"""``twitchsense doctor``: installed versions and extras, for bug reports."""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from typing import Any, Final

import click

from twitchsense.errors import InputError

_CORE_PACKAGES: Final = (
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
#: Extras of the package: the distributions that each installs, and its purpose.
EXTRAS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "h5": (("h5py",), "OpenSignals HDF5 captures"),
    "parquet": (("pyarrow",), "Parquet captures, and the tables of cohort"),
    "edf": (("edfio",), "hypnograms in EDF+ annotations"),
    "sim": (("bumble",), "the simulated wearable over Bluetooth"),
    "mne": (("mne",), "events as MNE annotations"),
    "yaml": (("pyyaml",), "a diary in YAML"),
    "lsl": (("pylsl",), "streams of the Lab Streaming Layer"),
    "live": (("textual",), "the live view in the terminal"),
    "cluster": (("dask", "distributed", "threadpoolctl", "pyarrow"), "cohort on a Dask cluster"),
    "docs": (
        ("sphinx", "pydata-sphinx-theme", "numpydoc", "myst-nb", "sphinx-design", "sphinx-click"),
        "building the docs site",
    ),
}


@click.command(short_help="Show versions, extras and what this computer lacks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Print installed versions, extras and platform, for bug reports."""
    facts = collect_facts()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"twitchsense {facts['twitchsense']}")
    click.echo(f"python      {facts['python']} ({facts['platform']})")
    click.echo(f"engine      {facts['engine']}")
    for name, version in facts["packages"].items():
        click.echo(f"{name:<11} {version or 'MISSING'}")
    for extra, present in facts["extras"].items():
        command = "" if present else f" (pip install 'twitchsense[{extra}]')"
        click.echo(f"extra {extra:<8} {'yes' if present else 'no':<3}  {EXTRAS[extra][1]}{command}")


def collect_facts() -> dict[str, Any]:
    """Collect versions, extras and platform, without user names or paths of the machine."""
    return {
        "twitchsense": _version("twitchsense"),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "byteorder": sys.byteorder,
        "engine": _engine(),
        "packages": {name: _version(name) for name in _CORE_PACKAGES},
        "extras": {
            extra: all(_version(name) is not None for name in needs)
            for extra, (needs, _) in EXTRAS.items()
        },
    }


def _engine() -> str:
    """Return the engine of the signal processing, with the reason if it is not the compiled one."""
    try:
        from twitchsense.dsp.engine import engine_name, why_not_native

        name, reason = engine_name(), why_not_native()
    except ImportError as error:  # numpy is missing
        return f"none ({error.name} is missing)"
    except InputError as error:  # the environment variable
        return str(error)
    return f"{name} ({reason})" if reason else name


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
