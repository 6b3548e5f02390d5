"""Single processing stages for pytest-benchmark, to compare two versions of a stage.

    pytest benchmarks/speed/bench_stages.py --benchmark-timer=time.process_time

Not part of the test suite; nothing is asserted.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

from twitchsense import Recording, Settings, analyze
from twitchsense.bench.synthetic import make_tile
from twitchsense.detect.candidates.acc_segment import AccSegment
from twitchsense.detect.candidates.emg_segment import EmgSegment
from twitchsense.detect.detector import Detector
from twitchsense.dsp.ecg_canceller import EcgCanceller
from twitchsense.dsp.filters import burst_band, leg_movement_band
from twitchsense.dsp.mains import MainsCanceller
from twitchsense.dsp.noise_floor import NoiseFloor
from twitchsense.results.save import format_files
from twitchsense.scoring.labels.label_events import label_detections
from twitchsense.sleep.activity_counts import ActivityCounter
from twitchsense.sleep.context import find_context

#: Length of a chunk (s), as in `Recording.chunks`.
CHUNK_S = 60
Benchmark = Callable[..., Any]
SETTINGS = Settings()
ARRAYS = make_tile(events_per_h=150)
RECORDING = Recording.from_arrays(ARRAYS)


def over_chunks(push: Callable[[np.ndarray], object], x: np.ndarray, fs: float) -> None:
    """Push a signal chunk by chunk."""
    for first in range(0, len(x), round(CHUNK_S * fs)):
        push(x[first : first + round(CHUNK_S * fs)])


@pytest.mark.parametrize(
    "make",
    [MainsCanceller, EcgCanceller, burst_band, leg_movement_band],
    ids=["mains", "ecg", "burst filter", "leg-movement filter"],
)
def test_sample_stage(benchmark: Benchmark, make: Callable[[float], Any]) -> None:
    x = ARRAYS["emg1_uv"][0].astype(float)
    benchmark(lambda: over_chunks(make(1000.0).push, x, 1000.0))


def test_noise_floor(benchmark: Benchmark) -> None:
    envelope = np.abs(np.random.default_rng(1).normal(3, 0.5, 600 * 200))
    emg = SETTINGS.emg

    def job() -> None:
        floor = NoiseFloor(200, (emg.floor_s, emg.floor_quantile), min_spread=emg.least_sd_uv)
        over_chunks(floor.push, envelope, 200.0)

    benchmark(job)


@pytest.mark.parametrize("name", ["emg1", "acc"])
def test_track(benchmark: Benchmark, name: str) -> None:
    channel, (segment,) = RECORDING.channel(name), RECORDING.segments_of(name)
    samples = segment.samples.read(0, len(segment.samples))

    def job() -> None:
        track: EmgSegment | AccSegment
        if name == "emg1":
            track = EmgSegment(channel, 0, SETTINGS, count())
        else:
            track = AccSegment(channel, 0, SETTINGS)
        over_chunks(track.push, samples, channel.fs)
        track.close()

    benchmark(job)


def detect() -> Any:
    detector = Detector(SETTINGS, RECORDING.channels)
    for chunk in RECORDING.chunks():
        detector.push(chunk)
    return detector.close()


def test_detector(benchmark: Benchmark) -> None:
    benchmark(detect)


def test_counts(benchmark: Benchmark) -> None:
    chunks = [c for c in RECORDING.chunks() if c.channel == "acc"]

    def job() -> None:
        counter = ActivityCounter(RECORDING.channel("acc"))
        for chunk in chunks:
            counter.push(chunk)
        counter.close()

    benchmark(job)


def test_context_and_labels(benchmark: Benchmark) -> None:
    found = detect()

    def job() -> None:
        context = find_context(RECORDING, found, SETTINGS)
        label_detections(found, context, SETTINGS, RECORDING)

    benchmark(job)


def test_result_files(benchmark: Benchmark) -> None:
    night = analyze(RECORDING)
    benchmark(lambda: list(format_files(night)))
