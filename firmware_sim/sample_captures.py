"""The small captures that are kept in the repository."""

from __future__ import annotations

from pathlib import Path

from firmware_sim.capture import CaptureSettings, SimulatedCapture
from firmware_sim.capture_files import sha256_of, write_capture

#: Folder name and settings of each sample.
SAMPLES: dict[str, CaptureSettings] = {
    "rest_twitches": CaptureSettings(2, 11, "rest_twitches", channels=1),
    "sleep_onset": CaptureSettings(4, 12, "sleep_onset", channels=1),
    "violent": CaptureSettings(2, 13, "violent", channels=1),
    "plm": CaptureSettings(4, 14, "plm", channels=1),
}
SUMS = "SHA256SUMS"


def write_samples(out: Path) -> list[Path]:
    """Write every sample and the list of checksums; return the paths written."""
    paths: list[Path] = []
    for name, settings in SAMPLES.items():
        paths += write_capture(SimulatedCapture(settings), out / name, packed=True)
    lines = [f"{sha256_of(path)}  {path.relative_to(out).as_posix()}\n" for path in paths]
    sums = out / SUMS
    sums.write_text("".join(sorted(lines, key=lambda line: line[66:])), encoding="utf-8")
    return [*paths, sums]
