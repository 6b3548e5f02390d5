"""What a fresh process costs: start-up and memory, each measured in one of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from twitchsense.bench.synthetic import Arrays
from twitchsense.errors import TwitchsenseError

#: What a user of the package has loaded anyway.
_BASE: Final = "import numpy, scipy.signal, scipy.ndimage, pandas"


def time_start(repeats: int = 5) -> dict[str, float]:
    """Measure start-up.

    Returns
    -------
    dict
        Seconds, median: ``python`` (nothing), ``numpy``, ``import_s``
        (``import twitchsense`` beyond numpy), ``analyze_s`` (with all that
        `analyze` needs, beyond numpy), ``help_s`` (``twitchsense --help``).
    """
    jobs = {
        "python_s": ["-c", ""],
        "numpy_s": ["-c", "import numpy"],
        "import_s": ["-c", "import numpy, twitchsense"],
        "analyze_s": ["-c", "import numpy, twitchsense; twitchsense.analyze"],
        "help_s": ["-m", "twitchsense.cli", "--help"],
    }
    took: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):  # side by side, so that a busy moment hits all of them
        for name, arguments in jobs.items():
            took[name].append(_time_child(arguments))
    median = {name: statistics.median(times) for name, times in took.items()}
    median["import_s"] = max(0.0, median["import_s"] - median["numpy_s"])
    median["analyze_s"] = max(0.0, median["analyze_s"] - median["numpy_s"])
    return median


def _time_child(arguments: list[str]) -> float:
    before, begin = _children_s(), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
    wall = time.perf_counter() - begin
    if done.returncode:
        raise TwitchsenseError(f"python {' '.join(arguments)} failed: {_last_line(done.stderr)}")
    after = _children_s()
    return wall if before is None or after is None else min(wall, after - before)


def _children_s() -> float | None:
    """Return the processor time of all children, where the system tells."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_memory(arrays: Arrays, seconds: float) -> dict[str, Any]:
    """Measure the peak memory of analysing a night that repeats the arrays.

    Returns
    -------
    dict
        ``hours``, ``events``, ``seconds`` of the analysis, ``base_mb`` (interpreter
        with numpy, scipy and pandas), ``peak_mb``, ``above_mb``: null where the
        system does not tell.
    """
    with tempfile.TemporaryDirectory() as folder:
        tile = Path(folder) / "tile.npz"
        stored: dict[str, Any] = {name: x for name, (x, _) in arrays.items()}
        stored |= {f"fs {name}": fs for name, (_, fs) in arrays.items()}
        np.savez(tile, **stored)
        return run_child(f"analyze_tile({str(tile)!r}, {seconds!r})")


def run_child(call: str) -> dict[str, Any]:
    """Call a function of this module in a process of its own; it prints its answer."""
    code = f"{_BASE}\nfrom twitchsense.bench import process\nprocess.{call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    if done.returncode:
        raise TwitchsenseError(f"the measuring process failed: {_last_line(done.stderr)}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def analyze_tile(tile: str, seconds: float) -> None:
    """Analyse a made-up night in this process and print its memory (see `run_child`)."""
    base, found = peak_mb(), list[int]()
    from twitchsense.bench.synthetic import tile_recording
    from twitchsense.bench.timing import measure
    from twitchsense.results.night import analyze

    with np.load(tile) as stored:
        names = [name for name in stored.files if not name.startswith("fs ")]
        arrays = {name: (stored[name], float(stored[f"fs {name}"])) for name in names}
    recording = tile_recording(arrays, seconds)
    cost = measure(lambda: found.append(len(analyze(recording).events)))
    _tell(base, hours=seconds / 3600, events=found[0], seconds=cost.seconds)


def analyze_files(captures: list[str], out: str) -> None:
    """Analyse captures in this process, write the results, print its memory."""
    base = peak_mb()
    from twitchsense.bench.timing import measure
    from twitchsense.io.read import read
    from twitchsense.results.night import analyze

    cost = measure(lambda: analyze(read(*captures)).save(out, report=False))
    _tell(base, seconds=cost.seconds)


def _tell(base: float | None, **more: float) -> None:
    peak = peak_mb()
    above = None if base is None or peak is None else peak - base
    print(json.dumps({**more, "base_mb": base, "peak_mb": peak, "above_mb": above}))  # noqa: T201


def peak_mb() -> float | None:
    """Return the most memory this process ever had, in MB, or None if the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: getrusage would count what the parent had when it forked
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS: bytes


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines() or ["no message"]
    return lines[-1]
