"""Time of a function call; start-up time and peak memory of a fresh process."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from twitchsense.bench.synthetic import Arrays
from twitchsense.errors import TwitchsenseError


@dataclass(frozen=True, slots=True)
class Cost:
    """Time of a function call.

    Attributes
    ----------
    wall_s : float
        Wall-clock time, s.
    cpu_s : float
        Processor time of all threads together, s.
    """

    wall_s: float
    cpu_s: float

    @property
    def seconds(self) -> float:
        """The smaller of wall-clock and processor time, s.

        On an idle computer this is the wall-clock time (threads make it smaller than the
        processor time); on a busy one it excludes the time of other processes.
        """
        return min(self.wall_s, self.cpu_s)


def measure_cost(job: Callable[[], object], repeats: int = 1) -> Cost:
    """Measure a function call several times.

    Parameters
    ----------
    job : callable
        Called without arguments.
    repeats : int
        Number of calls.

    Returns
    -------
    Cost
        Cost of the fastest call, because disturbances can only add to the time.
    """
    costs = []
    for _ in range(repeats):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        job()
        costs.append(Cost(time.perf_counter() - wall, time.process_time() - cpu))
    return min(costs, key=lambda cost: cost.seconds)


#: Imports whose memory does not count for twitchsense.
_BASE_IMPORTS: Final = "import numpy, scipy.signal, scipy.ndimage, pandas"


def time_start(repeats: int = 5) -> dict[str, float]:
    """Measure start-up.

    Parameters
    ----------
    repeats : int
        Number of processes for each figure.

    Returns
    -------
    dict
        Median seconds: ``python_s`` (the interpreter), ``numpy_s`` (``import numpy``),
        ``import_s`` (``import twitchsense`` in addition to numpy), ``analyze_s`` (the same
        with the modules that `analyze` needs), ``help_s`` (``twitchsense --help``).
    """
    commands = {
        "python_s": ["-c", ""],
        "numpy_s": ["-c", "import numpy"],
        "import_s": ["-c", "import numpy, twitchsense"],
        "analyze_s": ["-c", "import numpy, twitchsense; twitchsense.analyze"],
        "help_s": ["-m", "twitchsense.cli", "--help"],
    }
    took: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats):  # in turn, so that a busy moment affects all of them
        for name, arguments in commands.items():
            took[name].append(_time_child(arguments))
    median = {name: statistics.median(times) for name, times in took.items()}
    median["import_s"] = max(0.0, median["import_s"] - median["numpy_s"])
    median["analyze_s"] = max(0.0, median["analyze_s"] - median["numpy_s"])
    return median


def _time_child(arguments: list[str]) -> float:
    before, start = _children_s(), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
    wall = time.perf_counter() - start
    if done.returncode:
        raise TwitchsenseError(f"python {' '.join(arguments)} failed: {_last_line(done.stderr)}")
    after = _children_s()
    return wall if before is None or after is None else min(wall, after - before)


def _children_s() -> float | None:
    """Return the processor time of all child processes, s; None on Windows."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_memory(arrays: Arrays, seconds: float) -> dict[str, Any]:
    """Measure the peak memory of analysing a night that repeats the arrays.

    Parameters
    ----------
    arrays : dict of str to (ndarray of float32, float)
        Column name to samples and sampling rate in Hz.
    seconds : float
        Length of the night.

    Returns
    -------
    dict
        ``hours``, ``events``, ``seconds`` of the analysis, ``base_mb`` (interpreter
        with numpy, scipy and pandas), ``peak_mb``, ``above_mb`` (their difference). The
        last three are None where the system does not report memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        tile = Path(folder) / "tile.npz"
        stored: dict[str, Any] = {name: x for name, (x, _) in arrays.items()}
        stored |= {f"fs {name}": fs for name, (_, fs) in arrays.items()}
        np.savez(tile, **stored)
        return run_in_process(f"analyze_tile({str(tile)!r}, {seconds!r})")


def run_in_process(call: str) -> dict[str, Any]:
    """Call a function of this module in a fresh process.

    Parameters
    ----------
    call : str
        The call as Python code; the function prints a JSON object.

    Returns
    -------
    dict
        What the function printed.

    Raises
    ------
    TwitchsenseError
        If the process fails.
    """
    code = f"{_BASE_IMPORTS}\nfrom twitchsense.bench import process\nprocess.{call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    if done.returncode:
        raise TwitchsenseError(f"the measuring process failed: {_last_line(done.stderr)}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def analyze_tile(tile: str, seconds: float) -> None:
    """Analyse a synthetic night in this process and print its memory (see `run_in_process`)."""
    base, n_events = peak_mb(), list[int]()
    from twitchsense.bench.process import measure_cost
    from twitchsense.bench.synthetic import tile_recording
    from twitchsense.results.night import analyze

    with np.load(tile) as stored:
        names = [name for name in stored.files if not name.startswith("fs ")]
        arrays = {name: (stored[name], float(stored[f"fs {name}"])) for name in names}
    recording = tile_recording(arrays, seconds)
    cost = measure_cost(lambda: n_events.append(len(analyze(recording).events)))
    _print_memory(base, hours=seconds / 3600, events=n_events[0], seconds=cost.seconds)


def analyze_files(captures: list[str], out: str) -> None:
    """Analyse captures in this process, save the results, print its memory."""
    base = peak_mb()
    from twitchsense.bench.process import measure_cost
    from twitchsense.io.read import read
    from twitchsense.results.night import analyze

    cost = measure_cost(lambda: analyze(read(*captures)).save(out, report=False))
    _print_memory(base, seconds=cost.seconds)


def _print_memory(base: float | None, **figures: float) -> None:
    peak = peak_mb()
    above = None if base is None or peak is None else peak - base
    print(json.dumps({**figures, "base_mb": base, "peak_mb": peak, "above_mb": above}))  # noqa: T201


def peak_mb() -> float | None:
    """Return the peak memory of this process in MB, or None if the system does not report it."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: getrusage would include the memory of the parent at the fork
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
