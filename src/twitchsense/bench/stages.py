"""Where the time goes, by stage: looks at what runs, many times a second.

The stages are modules, so nothing has to be wrapped, and code that is moved
within a module stays in its stage. A call into numpy or scipy counts for the
module that made it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from types import FrameType, TracebackType
from typing import Final

_PACKAGE: Final = "twitchsense."

#: Module -> stage. The outermost of these on the stack has the time: a filter
#: within the heart belongs to the heart.
STAGES: Final[dict[str, str]] = {
    "model.column_names": "arrays to recording",
    "io": "read",
    "dsp.mains": "mains",
    "dsp.ecg_canceller": "heart",
    "dsp.ecg_rhythm": "heart",
    "dsp.filters": "filters",
    "dsp.noise_floor": "noise floor",
    "dsp.hysteresis": "threshold and runs",
    "detect.acc_candidates": "accelerometer",
    "detect.per_second_builder": "second by second",
    "detect.burst_measures": "shape of bursts",
    "detect.local_features": "company",
    "detect.clustering": "fusion and rules",
    "detect.clock_alignment": "clock line",
    "detect.sequence_rules": "votes",
    "model.scored_candidates": "tables",
    "detect": "the rest of the detector",
    "sleep": "sleep context",
    "scoring": "labels and scoring",
    "results": "writing",
}


class StageSampler:
    """Finds out in which stages the processor time of a block is spent.

    Parameters
    ----------
    period_s : float
        Time between two looks.

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
        # or a look would wait up to 5 ms for the interpreter's lock
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
        """Return the processor time of each stage, most first."""
        return dict(sorted(self._seconds.items(), key=lambda item: -item[1]))

    def _run(self) -> None:
        own, last = threading.get_ident(), time.process_time()
        while not self._done.wait(self._period_s):
            stages = [
                stage
                for ident, frame in sys._current_frames().items()
                if ident != own and (stage := stage_of(frame)) is not None
            ]
            # a long call that keeps the lock makes us late: it counts in full, and what
            # other processes took from us does not
            now = time.process_time()
            for stage in stages:
                self._seconds[stage] += (now - last) / len(stages)
            last = now


def stage_of(frame: FrameType | None) -> str | None:
    """Return the stage of a stack, or None if nothing of ours is on it."""
    stage = None
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_PACKAGE) and not module.startswith(f"{_PACKAGE}bench"):
            own = module.removeprefix(_PACKAGE)
            name = STAGES.get(own)
            if name is not None:
                stage = name
            elif stage is None:
                stage = STAGES.get(own.split(".")[0], "the rest")
        frame = frame.f_back
    return stage
