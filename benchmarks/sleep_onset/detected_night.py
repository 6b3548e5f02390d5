"""The detector's view of a composed night: all that `twitchsense.sleep` works from."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import twitchsense as ts
from benchmarks.sleep_onset import bout_nights, point_process_nights, simulated_nights
from benchmarks.sleep_onset.hypnograms import RealHypnogram, read_dreem, read_yasa, usable
from twitchsense.detect.detector import Detector
from twitchsense.model.channels import ArraySamples
from twitchsense.model.detections import Detections
from twitchsense.sleep.activity_counts import ActivityCounter, ActivityCounts

SETTINGS = ts.get_profile("default-2026")
#: The composers by name, and the number of nights of each.
COMPOSERS = {
    "bouts": (bout_nights, 220),
    "point_process": (point_process_nights, 60),
    "simulator": (simulated_nights, 80),
}
#: Range of the sleep latency, min, and of the time that follows sleep onset.
LATENCY_MIN = (2.0, 90.0)
AFTER_MIN = (45.0, 90.0)


@dataclass(frozen=True, slots=True, eq=False)
class DetectedNight:
    """A night after detection, with and without its EMG.

    Attributes
    ----------
    name : str
    stages : tuple of str
    onset_s : float
        True sleep onset, s.
    ecg : bool
        Whether the heart is visible in the EMG.
    still_min : float
        Minutes between the last movement and sleep onset.
    channels : tuple of Channel
    seconds : float
        Length of the night.
    found, found_acc : Detections
        With and without EMG.
    counts : mapping of str to ActivityCounts
    """

    name: str
    stages: tuple[str, ...]
    onset_s: float
    ecg: bool
    still_min: float
    channels: tuple[ts.Channel, ...]
    seconds: float
    found: Detections
    found_acc: Detections
    counts: Mapping[str, ActivityCounts]

    @property
    def composer(self) -> str:
        """Name of the composer."""
        return self.name.split("-", 1)[0]

    @property
    def person(self) -> str:
        """Name of the hypnogram."""
        return self.name.split("-", 1)[1].rsplit("-", 1)[0]

    def extent(self, emg: bool = True) -> ts.Recording:
        """Return the recording without its samples: zeros that take no memory."""
        channels = tuple(c for c in self.channels if emg or c.kind == "acc")
        parts = []
        for c in channels:
            zeros = np.broadcast_to(np.float32(0), (round(self.seconds * c.fs), c.width))
            parts.append(ts.Segment(c.name, 0, ArraySamples(zeros)))
        return ts.Recording(channels, tuple(parts))


def hypnograms(composer: str, dreem: Path, yasa: Path) -> list[RealHypnogram]:
    """Return the hypnograms of a composer."""
    patients = usable(read_dreem(dreem, "dodo"))
    if composer == "bouts":
        return usable(read_dreem(dreem, "dodh")) + patients[0::2]
    return patients[1::2] + usable(read_yasa(yasa))


def detect(composer: str, night: RealHypnogram, seed: int) -> DetectedNight:
    """Compose a night and run the detector on it, with and without EMG."""
    rng = np.random.default_rng([seed, 7])
    latency = float(np.exp(rng.uniform(*np.log(LATENCY_MIN))))
    stages = night.around_onset(latency, rng.uniform(*AFTER_MIN))
    name = f"{composer}-{night.name}-{seed}"
    composed = COMPOSERS[composer][0].compose(name, stages, seed)
    full, acc = composed.recording(), composed.recording(emg=False)
    counter = ActivityCounter(full.channel("acc"))
    found = []
    for recording in (full, acc):
        detector = Detector(SETTINGS, recording.channels)
        for chunk in recording.chunks():
            detector.push(chunk)
            if recording is acc:
                counter.push(chunk)
        found.append(detector.close())
    seconds = (full.end_ns - full.start_ns) / 1e9
    return DetectedNight(name, stages, composed.onset_s, composed.ecg, composed.still_min,
                         full.channels, seconds, *found, {"acc": counter.close()})  # fmt: skip


def nights(dreem: Path, yasa: Path, cache: Path | None) -> Iterator[DetectedNight]:
    """Yield the nights of all composers; the hypnograms take turns."""
    for composer, (_, count) in COMPOSERS.items():
        chosen = hypnograms(composer, dreem, yasa)
        for seed in range(count):
            path = cache / f"{composer}-{seed}.pickle" if cache else None
            if path is not None and path.exists():
                yield pickle.loads(path.read_bytes())
                continue
            night = detect(composer, chosen[seed % len(chosen)], seed)
            if path is not None:
                path.write_bytes(pickle.dumps(night))
            yield night
