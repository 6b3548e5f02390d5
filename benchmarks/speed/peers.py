"""Time and memory of ordinary scripts and other packages on the same arrays.

The scripts run in a separate process, so that their memory can be measured; the packages run in
a separate environment (README.md).
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
    """Measure twitchsense, the scripts and the packages on the same arrays.

    Parameters
    ----------
    hours : float
        Length of the signal for twitchsense and the scripts.
    python : Path or None
        Interpreter with the packages; without it they are left out.
    package_hours : float
        Length for the packages, which are slow; twitchsense is measured at that length too.
    """
    tile = make_tile()
    measured: dict[str, Any] = {"rows": []}
    with tempfile.TemporaryDirectory() as folder:
        for length, names, interpreter in (
            (hours, SCRIPTS, Path(sys.executable)),
            (package_hours, PACKAGES, python),
        ):
            if interpreter is None:
                measured["left_out"] = list(names)
                continue
            arrays = repeat_arrays(tile, 3600 * length)
            own = time_arrays(arrays, 2)
            measured["rows"].append({"who": "twitchsense", "hours": length, **_selected(own)})
            measured["rows"].append({"who": "numpy.sum", "hours": length, "seconds": own["sum_s"]})
            source = Path(folder) / "in.npz"
            emg = {name: x for name, (x, _) in arrays.items() if name.startswith("emg")}
            np.savez(source, fs=1000.0, **emg)
            for name in names:
                row = {"who": name, "hours": length, **_run(interpreter, source, name)}
                for unit in ("numpy.sum", "twitchsense"):
                    base = next(
                        r for r in measured["rows"] if r["who"] == unit and r["hours"] == length
                    )
                    if "seconds" in row:
                        row[f"times {unit}"] = row["seconds"] / base["seconds"]
                measured["rows"].append(row)
    return measured


def _selected(own: dict[str, Any]) -> dict[str, Any]:
    return {
        "seconds": own["seconds"],
        "times numpy.sum": own["times_sum"],
        "events": own["events"],
    }


def _run(python: Path, source: Path, name: str) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), str(WORKER), str(source), name], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1][:200]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
