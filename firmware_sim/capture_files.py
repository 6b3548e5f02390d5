"""Writes a simulated recording as CSV files with truth, hypnogram and a manifest."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import IO, cast

import numpy as np
import pandas as pd

from firmware_sim import truth
from firmware_sim.capture import CaptureBlock, SimulatedCapture
from firmware_sim.csv_format import FixedPointColumn, format_rows, scaled
from firmware_sim.hypnogram import EPOCH_S

_log = logging.getLogger(__name__)

#: Decimals of the EMG in µV: multiples of the 0.2-µV step are exact.
EMG_DECIMALS = 1
#: Decimals of the acceleration in g: the 244.14-µg step is rounded to 1 µg.
ACC_DECIMALS = 6
#: Decimals of the time in s.
TIME_DECIMALS = 6


class _CsvFile:
    """A CSV file that is given its final name only when it is complete."""

    def __init__(self, path: Path, header: str) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._raw = self._part.open("wb")
        self._packed = (
            # No name and no time in the gzip header: equal rows give equal bytes.
            gzip.GzipFile(filename="", fileobj=self._raw, mode="wb", compresslevel=9, mtime=0)
            if path.suffix == ".gz"
            else None
        )
        self.write(header.encode() + b"\n")

    def write(self, text: bytes) -> None:
        cast("IO[bytes]", self._packed or self._raw).write(text)

    def close(self, *, complete: bool) -> None:
        if self._packed is not None:
            self._packed.close()
        self._raw.close()
        if complete:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)


def _times(first: int, count: int, rate: float) -> FixedPointColumn:
    micros = np.rint(np.arange(first, first + count) * (1e6 / rate)).astype(np.int64)
    return FixedPointColumn(micros, TIME_DECIMALS)


def _long_rows(capture: SimulatedCapture, block: CaptureBlock) -> tuple[bytes, bytes]:
    """Return the rows of emg.csv and acc.csv."""
    settings, sensor = capture.settings, capture.sensor
    texts = []
    for counts, kept, first, rate, step, decimals in (
        (
            block.emg,
            block.emg_kept,
            block.emg_first,
            settings.emg_rate,
            sensor.emg_lsb_uv,
            EMG_DECIMALS,
        ),
        (
            block.acc,
            block.acc_kept,
            block.acc_first,
            settings.acc_rate,
            sensor.acc_lsb_g,
            ACC_DECIMALS,
        ),
    ):
        time = _times(first, len(counts), rate)
        columns = [FixedPointColumn(time.values[kept], TIME_DECIMALS)]
        columns += [
            FixedPointColumn(scaled(one[kept], step, decimals), decimals) for one in counts.T
        ]
        texts.append(format_rows(columns))
    return texts[0], texts[1]


def _wide_rows(capture: SimulatedCapture, block: CaptureBlock) -> bytes:
    """Return the rows of one file, with empty accelerometer cells between its samples."""
    settings, sensor = capture.settings, capture.sensor
    kept = block.emg_kept
    time = _times(block.emg_first, len(block.emg), settings.emg_rate)
    columns = [FixedPointColumn(time.values[kept], TIME_DECIMALS)]
    for one in block.emg.T:
        columns.append(
            FixedPointColumn(scaled(one[kept], sensor.emg_lsb_uv, EMG_DECIMALS), EMG_DECIMALS)
        )
    ratio = round(settings.fs_emg / settings.fs_acc)
    rows = (block.acc_first + np.arange(len(block.acc))) * ratio - block.emg_first
    inside = rows < len(block.emg)
    present = np.zeros(len(block.emg), bool)
    present[rows[inside]] = True
    for axis in block.acc.T:
        values = np.zeros(len(block.emg), np.int64)
        values[rows[inside]] = scaled(axis[inside], sensor.acc_lsb_g, ACC_DECIMALS)
        columns.append(FixedPointColumn(values[kept], ACC_DECIMALS, present[kept]))
    return format_rows(columns)


def _hypnogram_table(capture: SimulatedCapture) -> pd.DataFrame:
    stages = capture.schedule.hypnogram.stages
    onsets = np.arange(len(stages)) * EPOCH_S
    # The last epoch may be cut short by the end of the recording.
    durations = np.minimum(EPOCH_S, capture.schedule.seconds - onsets)
    table = pd.DataFrame({"onset": onsets, "duration": durations.round(3), "stage": stages})
    return table[table["duration"] > 0]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_capture(
    capture: SimulatedCapture, out: Path, *, wide: bool = False, packed: bool = False
) -> list[Path]:
    """Write a recording into a folder.

    Parameters
    ----------
    capture : SimulatedCapture
        The recording, whose blocks have not been generated yet.
    out : Path
        Folder. It is created if it does not exist.
    wide : bool
        Whether to write one `capture.csv` instead of `emg.csv` and `acc.csv`.
    packed : bool
        Whether to write the signal files as `.csv.gz`.

    Returns
    -------
    list of Path
        The files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    settings = capture.settings
    emg = ",".join(f"{name}_uv" for name in settings.emg_names)
    acc = ",".join(f"{name}_g" for name in settings.acc_names)
    headers = {"capture": f"{emg},{acc}"} if wide else {"emg": emg, "acc": acc}
    ending = ".csv.gz" if packed else ".csv"
    paths = [out / f"{name}{ending}" for name in headers]
    files = [
        _CsvFile(path, f"time_s,{header}")
        for path, header in zip(paths, headers.values(), strict=True)
    ]
    complete = False
    try:
        for block in capture.blocks():
            texts = (_wide_rows(capture, block),) if wide else _long_rows(capture, block)
            for file, text in zip(files, texts, strict=True):
                file.write(text)
            _log.info("%.0f s made", (block.emg_first + len(block.emg)) / settings.emg_rate)
        complete = True
    finally:
        for file in files:
            file.close(complete=complete)
    rows = truth.to_frame(capture.truth_rows())
    for name, table in (("truth", rows), ("hypnogram", _hypnogram_table(capture))):
        path = out / f"{name}.csv"
        table.to_csv(path, index=False, lineterminator="\n")
        paths.append(path)
    meta = {
        "program": "firmware_sim",
        "settings": asdict(settings),
        "sensor": asdict(capture.sensor),
        "seconds": capture.schedule.seconds,
        "emg_noise_uv_rms": capture.schedule.emg_noise_uv,
        "heart_bpm": round(capture.schedule.heart_bpm, 2),
        "sleep_onset_s": capture.schedule.hypnogram.sleep_onset_s,
        "truth": "onset and end at 10 % of the noise-free RMS envelope; amplitude_uv peak "
        "to peak and peak_g (0.5-40 Hz) without noise, before the converter",
        "sha256": {path.name: sha256_of(path) for path in paths},
    }
    manifest = out / "meta.json"
    manifest.write_text(json.dumps(meta, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return [*paths, manifest]
