"""``twitchsense doctor``: installed versions and extras, for bug reports."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import click

from twitchsense.cli.text_output import table_lines, terminal_width
from twitchsense.errors import InputError

#: Free space (GB) below which a night with its results may not fit.
_LOW_DISK_GB: Final = 2.0

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
    """Print versions, extras, Bluetooth, free disk space and time zone, for bug reports.

    User names and paths are left out.
    """
    facts = collect_facts()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    rows = [["twitchsense", str(facts["twitchsense"])]]
    rows.append(["python", f"{facts['python']} ({facts['platform']})"])
    rows.append(["engine", facts["engine"]])
    rows += [[name, version or "MISSING"] for name, version in facts["packages"].items()]
    for extra, present in facts["extras"].items():
        command = "" if present else f' (pip install ".[{extra}]" in the clone)'
        rows.append(
            [f"extra {extra}", f"{'yes' if present else 'no '} {EXTRAS[extra][1]}{command}"]
        )
    rows.append(["Bluetooth", facts["bluetooth"]])
    rows.append(["time zone", facts["time_zone"]])
    for name, place in (("disk_free_gb", "this folder"), ("temp_free_gb", "temporary files")):
        free = facts[name]
        shown = "unknown" if free is None else f"{free:g} GB free for {place}"
        low = free is not None and free < _LOW_DISK_GB
        rows.append(["disk", shown + (": too little for a night, free some space" if low else "")])
    for line in table_lines(["", ""], rows, terminal_width(), left=(0, 1)):
        if line:
            click.echo(line)


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
        "bluetooth": describe_bluetooth(),
        "time_zone": describe_time_zone(),
        "disk_free_gb": _free_gb(Path()),
        "temp_free_gb": _free_gb(Path(tempfile.gettempdir())),
    }


def describe_bluetooth(root: Path = Path("/")) -> str:
    """Return in words whether this computer has Bluetooth.

    Parameters
    ----------
    root : Path
        Root of the file system, on Linux.

    Returns
    -------
    str
    """
    if platform.system() != "Linux":
        return "not checked here; `twitchsense devices` scans"
    folder = root / "sys/class/bluetooth"
    # hci0:11 is a connection of hci0
    found = [p.name for p in folder.iterdir() if ":" not in p.name] if folder.is_dir() else []
    if not found:
        return "no adapter found"
    service = (root / "run/dbus/system_bus_socket").exists()
    without = "" if service else "; no D-Bus, so BlueZ cannot be reached"
    return f"{', '.join(sorted(found))}{without}"


def describe_time_zone() -> str:
    """Return the time zone of this computer and its offset from UTC."""
    now = datetime.now().astimezone()
    offset = now.strftime("%z")
    name = os.environ.get("TZ", "").lstrip(":")
    if "zoneinfo/" in (target := os.path.realpath("/etc/localtime")) and not name:
        name = target.rpartition("zoneinfo/")[2]
    return f"{name or now.tzname()} (UTC{offset[:3]}:{offset[3:]})"


def _free_gb(folder: Path) -> float | None:
    try:
        return round(shutil.disk_usage(folder).free / 1e9, 1)
    except OSError:
        return None


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
