"""Writes EDF files byte by byte, as programs in use write them: no library refuses a field."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class EdfFile:
    """An EDF file of signals with one rate; every header field can be replaced."""

    samples: np.ndarray  # digital, shape (signals, n)
    fs: int = 500
    labels: list = field(default_factory=lambda: ["emg1"])
    units: list = field(default_factory=lambda: [b"uV"])
    physical: tuple = (b"-3276.8", b"3276.7")
    recording: bytes = b"Startdate 01-MAR-2026 X X test"
    date: bytes = b"01.03.26"
    clock: bytes = b"22.10.05"
    reserved: bytes = b""
    announced: int | None = None
    record_s: bytes = b"1"

    def encode(self) -> bytes:
        signals, n = self.samples.shape
        plus = self.reserved.startswith(b"EDF+")
        count = n // self.fs
        labels = [label.encode("latin-1") for label in self.labels]
        units, extra = list(self.units), 0
        if plus:
            labels, units, extra = [*labels, b"EDF Annotations"], [*units, b""], 12
        total = len(labels)
        records = count if self.announced is None else self.announced
        general = [(b"0", 8), (b"X X X X", 80), (self.recording, 80), (self.date, 8),
                   (self.clock, 8), (b"%d" % (256 * (total + 1)), 8), (self.reserved, 44),
                   (b"%d" % records, 8), (self.record_s, 8), (b"%d" % total, 4)]  # fmt: skip
        columns = [
            (16, labels),
            (80, [b""] * total),
            (8, units),
            (8, [self.physical[0]] * signals + [b"-1"] * plus),
            (8, [self.physical[1]] * signals + [b"1"] * plus),
            (8, [b"-32768"] * total),
            (8, [b"32767"] * total),
            (80, [b""] * total),
            (8, [b"%d" % self.fs] * signals + [b"%d" % extra] * plus),
            (32, [b""] * total),
        ]
        fields = general + [(cell, width) for width, cells in columns for cell in cells]
        header = b"".join(cell.ljust(width) for cell, width in fields)
        body = b""
        for i in range(count):
            body += self.samples[:, i * self.fs : (i + 1) * self.fs].astype("<i2").tobytes()
            if plus:
                body += (b"+%d\x14\x14" % i).ljust(2 * extra, b"\0")
        return header + body

    def write(self, path: Path) -> Path:
        path.write_bytes(self.encode())
        return path


def digital(seconds=20, fs=500, rms=80, signals=1, seed=4):
    """Return noise as digital values, shape (signals, n)."""
    rng = np.random.default_rng(seed)
    return np.rint(rng.normal(0, rms, (signals, seconds * fs))).astype(np.int64)


def foreign_bids(folder, *, units="V", header_unit=b"V", status="good", acq="2026-03-01T22:10:05"):
    """Write a data set as others do: own names, sidecars at the root, muscles, local time."""
    emg = folder / "sub-07" / "ses-2" / "emg"
    emg.mkdir(parents=True)
    (folder / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.11.1"}')
    edf = EdfFile(
        digital(signals=3), labels=["LTA", "RTA", "Trigger"], units=[header_unit] * 2 + [b""],
        physical=(b"-0.00328", b"0.003277"), date=b"01.01.85", recording=b"Startdate X X X X",
    )  # fmt: skip
    edf.write(emg / "sub-07_ses-2_task-rest_emg.edf")
    (emg / "sub-07_ses-2_task-rest_channels.tsv").write_text(
        "name\ttype\tunits\ttarget_muscle\tstatus\n"
        f"LTA\tEMG\t{units}\tTibialis anterior (left)\tgood\n"
        f"RTA\tEMG\t{units}\tTibialis anterior (right)\t{status}\n"
        "Trigger\tTRIG\tn/a\tn/a\tn/a\n"
    )
    (folder / "task-rest_emg.json").write_text('{"SamplingFrequency": 500}')
    (folder / "sub-07" / "ses-2" / "sub-07_ses-2_scans.tsv").write_text(
        f"filename\tacq_time\nemg/sub-07_ses-2_task-rest_emg.edf\t{acq}\n"
    )
    return folder
