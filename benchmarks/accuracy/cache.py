"""Composed recordings kept on disk, so that a run costs only analysis and scoring.

The name of a file holds a digest of everything the recording follows from: the composer's own
source, the real recordings, scenario, side, seed and length.  Whatever changes, the name changes,
so nothing stale is ever read; old files can be deleted at any time.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.accuracy.canvas import COLUMNS, TEXT_COLUMNS, Device, Waves
from benchmarks.accuracy.nights import Arrays, compose
from benchmarks.accuracy.units import GRID_FILE

ENTRY = "nights"


class Source(NamedTuple):
    """Where recordings come from: side of the split, real parts, and what was kept."""

    split: str
    data: Path
    openhdemg: Path
    cache: Path | None = None

    def compose(
        self, scenario: str, seed: int, minutes: float = 0.0
    ) -> tuple[Arrays, pd.DataFrame]:
        """Return what `nights.compose` returns; `minutes` is 0 for the usual length."""
        place = {"data": self.data, "openhdemg": self.openhdemg, "minutes": minutes or None}
        if self.cache is None:
            return compose(scenario, self.split, seed, **place)
        length = f"-{minutes:g}min" if minutes else ""
        digest = _digest(self.data, self.openhdemg)[:12]
        key = f"{scenario}-{self.split}-{seed}{length}-{digest}"
        file = self.cache / f"{key}.npz"
        if not file.exists():
            made = compose(scenario, self.split, seed, **place)
            self.cache.mkdir(parents=True, exist_ok=True)
            part = self.cache / f".{key}.{os.getpid()}.npz"
            save(part, *made)
            part.replace(file)  # two processes may compose the same: none reads half a file
        return load(file)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let a program be told where recordings come from."""
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--openhdemg", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where composed recordings are kept")


def save(file: Path, arrays: Arrays, truth: pd.DataFrame) -> None:
    """Write arrays and truth as plain numbers and text."""
    stored = {f"signal/{name}": x for name, (x, _) in arrays.items()}
    for column in COLUMNS:
        kind = str if column in TEXT_COLUMNS else float
        stored[f"truth/{column}"] = truth[column].to_numpy().astype(kind)
    attrs = truth.attrs | {"device": asdict(truth.attrs["device"])}
    waves = attrs.pop("waves")
    for i, piece in enumerate(waves.pieces):
        stored[f"wave/{i}"] = piece
    about = {
        "rates": {name: fs for name, (_, fs) in arrays.items()},
        "attrs": attrs,
        "waves": [waves.fs, waves.rows, waves.starts],
    }
    np.savez(file, about=json.dumps(about), **stored)


def load(file: Path) -> tuple[Arrays, pd.DataFrame]:
    """Return what `save` was given."""
    with np.load(file) as stored:
        about = json.loads(str(stored["about"]))
        arrays = {name: (stored[f"signal/{name}"], fs) for name, fs in about["rates"].items()}
        truth = pd.DataFrame({c: _column(stored[f"truth/{c}"]) for c in COLUMNS})
        fs, rows, starts = about["waves"]
        waves = Waves(fs, rows, starts, [stored[f"wave/{i}"] for i in range(len(rows))])
    attrs = about["attrs"]
    for name in ("noise_source", "noise_uv"):
        attrs[name] = tuple(attrs[name])
    truth.attrs = attrs | {"device": Device(**attrs["device"]), "waves": waves}
    return arrays, truth


def _column(values: np.ndarray) -> pd.Series:
    return pd.Series(values) if values.dtype.kind == "f" else pd.Series(values.tolist(), dtype=str)


@lru_cache
def _digest(data: Path, openhdemg: Path) -> str:
    """Return a digest of the composer's source and of the recordings it reads."""
    total = hashlib.sha256()
    sources = sorted(imported_files(ENTRY))
    folders = ("emg_leg_elderly_hermescb", "emg_bitalino_biosppy", "ecg_bitalino_biosppy",
               "emg_leg_walking_musclesynergies", "acc_ankle_thigh_daphnet")  # fmt: skip
    real = [f for name in folders for f in sorted((data / name).glob("*")) if f.is_file()]
    for file in [*sources, *real, openhdemg / GRID_FILE]:
        if file.exists():
            total.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def imported_files(entry: str) -> set[Path]:
    """Return the files of this package that a module imports, itself included."""
    here = Path(__file__).parent
    found: set[Path] = set()
    left = [entry]
    while left:
        file = here / f"{left.pop()}.py"
        if file in found or not file.exists():
            continue
        found.add(file)
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(__package__):
                names = [(node.module or "").rpartition(".")[2], *(a.name for a in node.names)]
                left += names
    return found
