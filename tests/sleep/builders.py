"""Nights made of per-second statistics, hypnograms, and hypnogram files of other programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from twitchsense.errors import InputError
from twitchsense.model.channels import NS, ArraySamples, Channel, Segment
from twitchsense.model.detections import Detections
from twitchsense.model.event_table import REJECTED_COLUMNS, make_table
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.hypnogram.read import read_hypnogram

EMG = Channel("emg1", "emg", "uV", 1000.0, ("emg1_uv",))
ACC = Channel("acc", "acc", "g", 100.0, ("acc_x_g", "acc_y_g", "acc_z_g"))


def emg_seconds(n: int, start_s: float = 0.0, active_fraction: float = 0.0) -> PerSecond:
    """A quiet, valid EMG channel."""
    flat = np.zeros(n, np.float32)
    return PerSecond(
        np.round((start_s + np.arange(n)) * NS).astype(np.int64),
        np.ones(n, np.float32),
        np.ones(n, bool),
        flat - 10,
        flat + 10,
        flat + 3,
        flat + np.float32(active_fraction),
        np.empty((n, 0), np.float32),
        "emg",
    )


def acc_seconds(n: int, start_s: float = 0.0) -> PerSecond:
    """A still, valid accelerometer: 2 mg of noise, z up."""
    flat = np.zeros(n, np.float32)
    vector = np.tile(np.array([0.1, 0.2, 0.97], np.float32), (n, 1))
    return PerSecond(
        np.round((start_s + np.arange(n)) * NS).astype(np.int64),
        np.ones(n, np.float32),
        np.ones(n, bool),
        flat.copy(),
        flat + np.float32(0.006),
        flat + np.float32(0.002),
        flat.copy(),
        vector,
        "acc",
    )


def restless(acc: PerSecond, start: int, stop: int, every: int = 20, g: float = 0.1) -> PerSecond:
    """Move the leg: from `start` to `stop` it turns by 40 degrees every few seconds."""
    for k, t in enumerate(range(start, stop, every)):
        acc.mean_vector[t : t + every] = [np.sin(0.7 * (k % 2)), 0, np.cos(0.7 * (k % 2))]
        acc.level[t : t + 3] = g
    return acc


def drop(seconds: PerSecond, start: int, stop: int) -> PerSecond:
    """Lose the rows from `start` to `stop`: a gap."""
    keep = np.ones(len(seconds.time_ns), bool)
    keep[start:stop] = False
    return seconds.select(keep)


def events(*rows: dict[str, object]) -> pd.DataFrame:
    base = {"duration": 0.1, "channel": "emg1", "confidence": 1.0, "amplitude_uv": 200.0}
    return make_table([{**base, **row} for row in rows])


def jerks(times: Iterable[float], peak_g: float = 0.6) -> pd.DataFrame:
    return events(*({"onset": t, "trial_type": "jerk", "peak_g": peak_g} for t in times))


def recording(*channels: Channel, seconds: float, start_s: float = 0.0) -> Recording:
    """A recording of zeros: only its extent matters here."""
    segments = []
    for channel in channels:
        zeros = np.broadcast_to(np.float32(0), (round(seconds * channel.fs), channel.width))
        segments.append(Segment(channel.name, round(start_s * NS), ArraySamples(zeros)))
    return Recording(channels, tuple(segments), source="/home/someone/night.csv", sha256="ab" * 32)


def detections(table: pd.DataFrame | None = None, **seconds: PerSecond) -> Detections:
    table = make_table([]) if table is None else table
    return Detections(table, make_table([], REJECTED_COLUMNS), seconds)


def hypnogram(*parts: tuple[str, float], start_s: float = 0.0, epoch_s: float = 30.0) -> Hypnogram:
    """Stages and their minutes."""
    stages = [stage for stage, minutes in parts for _ in range(round(minutes * 60 / epoch_s))]
    onset = start_s + np.arange(len(stages)) * epoch_s
    return Hypnogram(onset, np.full(len(stages), epoch_s), np.array(stages, dtype="U2"))


BERLIN = "Europe/Berlin"


def night_clock(start: str, hours: float = 8.0, zone: str | None = BERLIN) -> NightClock:
    """A recording that began at a local time with offset."""
    utc = datetime.fromisoformat(start).astimezone(UTC)
    zero = (utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return NightClock(0, round(hours * 3600e6), zero, zone)


def write_text(tmp_path: Path, text: str, name: str = "stages.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def refusal(path: Path, *args, **more) -> str:
    with pytest.raises(InputError) as caught:
        read_hypnogram(path, *args, **more)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return caught.value.command_message


def edf_file(tmp_path: Path, rows, start="2026-03-01 22:30:00") -> Path:
    edfio = pytest.importorskip("edfio")
    when = datetime.fromisoformat(start)
    notes = [edfio.EdfAnnotation(*row) for row in rows]
    signal = edfio.EdfSignal(np.zeros(60), 1.0, label="x", physical_range=(-1, 1))
    file = edfio.Edf([signal], annotations=notes, starttime=when.time(),
                     recording=edfio.Recording(startdate=when.date()))  # fmt: skip
    file.write(tmp_path / "hypnogram.edf")
    return tmp_path / "hypnogram.edf"


APPLE_DTD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,Record*)>
<!ATTLIST Record type CDATA #REQUIRED>
]>
"""


def apple_record(start: str, end: str, value: str, app: str = "Watch") -> str:
    kind = "HKCategoryTypeIdentifierSleepAnalysis"
    return (
        f'<Record type="{kind}" sourceName="{app}" startDate="{start}" endDate="{end}" '
        f'value="HKCategoryValueSleepAnalysis{value}"/>\n'
    )


def apple_file(tmp_path: Path, *records: str, dtd: str = APPLE_DTD) -> Path:
    other = '<Record type="HKQuantityTypeIdentifierStepCount" value="9" startDate="x"/>\n'
    body = "<HealthData>\n" + other + "".join(records) + "</HealthData>\n"
    return write_text(tmp_path, dtd + body, "export.xml")


APPLE_NIGHT = [
    apple_record("2026-03-01 22:50:00 +0100", "2026-03-02 06:00:00 +0100", "InBed", "Phone"),
    apple_record("2026-03-01 23:00:00 +0100", "2026-03-01 23:30:00 +0100", "Awake"),
    apple_record("2026-03-01 23:30:00 +0100", "2026-03-02 00:30:00 +0100", "AsleepCore"),
    apple_record("2026-03-02 00:30:00 +0100", "2026-03-02 01:00:00 +0100", "AsleepDeep"),
    apple_record("2026-03-02 01:00:00 +0100", "2026-03-02 01:20:00 +0100", "AsleepREM"),
]


def fitbit_log(*rows, short=(), wrap=True):
    def levels(table):
        return [{"dateTime": t, "level": level, "seconds": s} for t, level, s in table]

    log = {
        "dateOfSleep": "2026-03-02",
        "levels": {"data": levels(rows), "shortData": levels(short)},
    }
    return json.dumps({"sleep": [log]} if wrap else [log])


FITBIT_STAGES = (
    ("2026-03-01T23:00:00.000", "wake", 600),
    ("2026-03-01T23:10:00.000", "light", 3000),
    ("2026-03-02T00:00:00.000", "deep", 1800),
    ("2026-03-02T00:30:00.000", "rem", 1200),
)
