"""Processor time by processing stage: a sampling profiler over the stacks of all threads.

A stage is a set of modules, so that nothing has to be instrumented, and code that moves
within a module stays in its stage. A call into numpy or scipy counts for the module that
made it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from types import FrameType, TracebackType
from typing import Final

_PACKAGE: Final = "twitchsense."

#: Module or package -> stage. Of several modules on a stack the outermost decides: a filter
#: called by the ECG canceller counts for the ECG canceller. A package is used for those of
#: its modules that are not listed.
STAGES: Final[dict[str, str]] = {
    "twitchsense.model.column_names": "arrays to recording",
    "twitchsense.io": "read",
    "twitchsense.dsp.mains": "mains canceller",
    "twitchsense.dsp.ecg_canceller": "ECG canceller",
    "twitchsense.dsp.ecg_rhythm": "ECG canceller",
    "twitchsense.dsp.emg_bands": "filters",
    "twitchsense.dsp.filters": "filters",
    "twitchsense.dsp.noise_floor": "noise floor",
    "twitchsense.dsp.hysteresis": "thresholds and segmentation",
    "twitchsense.detect.candidates.acc_segment": "accelerometer",
    "twitchsense.detect.sensors.per_second": "per-second statistics",
    "twitchsense.detect.candidates.burst_batch": "burst measures",
    "twitchsense.detect.candidates.burst_measures": "burst measures",
    "twitchsense.detect.candidates.native_bursts": "burst measures",
    "twitchsense.detect.features.local": "local features",
    "twitchsense.detect.candidates.local_feature_queue": "local features",
    "twitchsense.detect.rules.clustering": "clustering and rules",
    "twitchsense.detect.sensors.clock_alignment": "clock alignment",
    "twitchsense.detect.rules.sequence_rules": "sequence rules",
    "twitchsense.detect": "the rest of the detector",
    "twitchsense.sleep": "sleep context",
    "twitchsense.scoring": "labels and scoring",
    "twitchsense.results.save": "writing",
    "twitchsense.results.traces": "writing",
    "twitchsense.output_files": "writing",
}


class StageSampler:
    """Context manager that samples in which stages the processor time of a block is spent.

    Parameters
    ----------
    period_s : float
        Sampling period, s.

    Examples
    --------
    >>> with StageSampler() as sampler:  # doctest: +SKIP
    ...     analyze(recording)
    >>> sampler.seconds()  # doctest: +SKIP
    """

    def __init__(self, period_s: float = 0.002) -> None:
        self._period_s = period_s
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stages", daemon=True)
        self._switch_s = sys.getswitchinterval()

    def __enter__(self) -> StageSampler:
        # else a sample may wait up to 5 ms for the global interpreter lock
        sys.setswitchinterval(min(self._switch_s, self._period_s / 4))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()
        sys.setswitchinterval(self._switch_s)

    def seconds(self) -> dict[str, float]:
        """Return the processor time of each stage in seconds, the largest first."""
        return dict(sorted(self._seconds.items(), key=lambda item: -item[1]))

    def _run(self) -> None:
        own, last = threading.get_ident(), time.process_time()
        while not self._done.wait(self._period_s):
            stages = [
                stage
                for ident, frame in sys._current_frames().items()
                if ident != own and (stage := find_stage(frame)) is not None
            ]
            # processor time, not wall time: a long call that holds the lock delays the sample
            # and counts in full; time taken by other processes does not count
            now = time.process_time()
            for stage in stages:
                self._seconds[stage] += (now - last) / len(stages)
            last = now


def find_stage(frame: FrameType | None) -> str | None:
    """Find the stage of a call stack.

    Parameters
    ----------
    frame : frame or None
        The innermost frame.

    Returns
    -------
    str or None
        A value of `STAGES`, or ``the rest``; None if no module of twitchsense is on the stack.
    """
    stage = None
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_PACKAGE) and not module.startswith(f"{_PACKAGE}bench"):
            name = STAGES.get(module)
            if name is not None:
                stage = name
            elif stage is None:
                package = ".".join(module.split(".")[:2])
                stage = STAGES.get(package, "the rest")
        frame = frame.f_back
    return stage
