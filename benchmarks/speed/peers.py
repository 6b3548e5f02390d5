"""What an ordinary script and other packages take for the same arrays.

The script runs in a process of its own, for its memory; the packages run in an environment of
their own (README.md).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from twitchsense.bench.synthetic import make_tile, repeat_arrays
from twitchsense.bench.throughput import time_arrays

WORKER = Path(__file__).with_name("peer_worker.py")
SCRIPTS = ("script", "rms script")
PACKAGES = ("biosppy", "yasa", "neurokit2")


def compare(hours: float, python: Path | None, package_hours: float) -> dict[str, Any]:
    """Measure everyone on the same arrays: ours, the scripts, and the packages.

    Parameters
    ----------
    hours : float
        Length for ours and the scripts.
    python : Path or None
        Of the packages' environment; without it they are left out.
    package_hours : float
        Length for the packages, which are slow; ours is measured at that length too.
    """
    tile = make_tile()
    told: dict[str, Any] = {"rows": []}
    with tempfile.TemporaryDirectory() as folder:
        for length, names, interpreter in (
            (hours, SCRIPTS, Path(sys.executable)),
            (package_hours, PACKAGES, python),
        ):
            if interpreter is None:
                told["left_out"] = list(names)
                continue
            arrays = repeat_arrays(tile, 3600 * length)
            ours = time_arrays(arrays, 2)
            told["rows"].append({"who": "twitchsense", "hours": length, **_short(ours)})
            told["rows"].append({"who": "numpy.sum", "hours": length, "seconds": ours["sum_s"]})
            source = Path(folder) / "in.npz"
            emg = {name: x for name, (x, _) in arrays.items() if name.startswith("emg")}
            np.savez(source, fs=1000.0, **emg)
            for name in names:
                row = {"who": name, "hours": length, **_run(interpreter, source, name)}
                for unit in ("numpy.sum", "twitchsense"):
                    base = next(
                        r for r in told["rows"] if r["who"] == unit and r["hours"] == length
                    )
                    if "seconds" in row:
                        row[f"times {unit}"] = row["seconds"] / base["seconds"]
                told["rows"].append(row)
    return told


def _short(ours: dict[str, Any]) -> dict[str, Any]:
    return {
        "seconds": ours["seconds"],
        "times numpy.sum": ours["times_sum"],
        "events": ours["events"],
    }


def _run(python: Path, source: Path, name: str) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), str(WORKER), str(source), name], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1][:200]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
