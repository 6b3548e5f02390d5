"""The real parts of which recordings are composed, for one side of the split."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage, signal

from benchmarks.accuracy.splits import SPLITS, Split
from benchmarks.accuracy.units import GRID_FILE, Unit, grid_units, single_units
from benchmarks.accuracy.waves import in_band

LEG_HZ = 2000.0
LEG_UV = 0.1  # per count
ANKLE_HZ = 64.0
MUSCLES = ("ME", "MA", "FL", "RF", "VM", "VL", "ST", "BF", "TA", "PL", "GM", "GL", "SO")
TA, VL = 2, 0
HOW_TO_GET = (
    "the sample file of the openhdemg package is not in {folder}: call "
    "benchmarks.accuracy.parts.fetch_openhdemg(folder), or run "
    "`pip download --no-deps openhdemg -d FOLDER` and unzip the wheel there"
)


class PartsMissingError(FileNotFoundError):
    """A folder with real recordings is not there."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a real recording: samples, rate, where from."""

    x: np.ndarray
    fs: float
    source: str


@dataclass(frozen=True)
class Parts:
    """Everything one side may use; see `load_parts`.

    Parameters
    ----------
    split
        The line of the table.
    units
        Motor units (`units.Unit`).
    contractions
        Strong contraction of the leg, at least 45 µV RMS, for bursts and movements.
    weak
        Weak contraction, in which single units fire tonically.
    noises
        Skin at rest and amplifiers, without any event.
    beats
        Single heart beats, in counts, R at 0.30 s.
    walks
        Walking EMG with the start of each stride (indices).
    ankles
        Three axes (g), gain corrected to 1 g at rest, and label.
    jolts
        Short impacts of the ankle, three axes (g).
    """

    split: Split
    units: tuple[Unit, ...]
    contractions: tuple[Piece, ...]
    weak: tuple[Piece, ...]
    noises: tuple[Piece, ...]
    beats: tuple[Piece, ...]
    walks: tuple[tuple[Piece, np.ndarray], ...]
    ankles: tuple[tuple[Piece, np.ndarray], ...]
    jolts: tuple[Piece, ...]


def fetch_openhdemg(cache: Path) -> Path:
    """Download the openhdemg wheel with pip into `cache`, take out its sample file, return it."""
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / GRID_FILE).exists():
        call = [sys.executable, "-m", "pip", "download", "--no-deps", "openhdemg", "-d", str(cache)]
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
        with zipfile.ZipFile(next(iter(sorted(cache.glob("openhdemg-*.whl"))))) as wheel:
            wheel.extract(GRID_FILE, cache)
    return cache / GRID_FILE


def _quiet(x: np.ndarray, fs: float) -> bool:
    """Tell whether nothing stands out of a stretch: a hidden twitch would make truth wrong."""
    band = in_band(x, fs)[round(0.05 * fs) : -round(0.05 * fs)]
    scale = np.median(np.abs(band)) * 1.4826
    return bool(np.abs(band).max() < 5.2 * scale)


def _quiet_parts(x: np.ndarray, fs: float, source: str, seconds: float = 2.0) -> list[Piece]:
    """Return the quiet stretches of `seconds`."""
    n = round(seconds * fs)
    pieces = [x[i : i + n] - np.mean(x[i : i + n]) for i in range(0, len(x) - n + 1, n)]
    return [Piece(p, fs, source) for p in pieces if _quiet(p, fs)]


def _noises(legs: dict[str, np.ndarray], bitalino: dict[str, np.ndarray], split: Split) -> list:
    name, spans = split.bitalino
    x = bitalino[name].astype(float)
    found = []
    for a, b in spans:
        found += _quiet_parts(x[round(a * 1000) : round(b * 1000)], 1000.0, f"bitalino {name}")
    rest = legs[f"id{split.skin}_EMG_VL"]
    label = f"hermescb id{split.skin} tibialis anterior at rest"
    found += _quiet_parts(rest[:, TA] * LEG_UV, LEG_HZ, label, 0.8)
    for subject in split.legs:
        if (recording := legs.get(f"id{subject}_EMG_TA")) is not None:
            label = f"hermescb id{subject} gastrocnemius channel (amplifier noise)"
            found += _quiet_parts(recording[:, 3] * LEG_UV, LEG_HZ, label, 5.0)
    return found


def _contractions(legs: dict[str, np.ndarray], split: Split) -> list[Piece]:
    found = []
    for subject in split.legs:
        for task, muscle, column in (
            ("TA", "tibialis anterior", TA), ("VL", "vastus lateralis", VL)
        ):  # fmt: skip
            recording = legs.get(f"id{subject}_EMG_{task}")
            if recording is None:
                continue
            x = in_band(recording[:, column] * LEG_UV, LEG_HZ, (15.0, 480.0))[200:-200]
            if x.std() > 45:
                found.append(Piece(x, LEG_HZ, f"hermescb id{subject} {muscle} contraction"))
    return found


def _beats(ecg: np.ndarray, split: Split) -> list[Piece]:
    first, last = (round(s * 1000) for s in split.beats)
    x = ecg.astype(float)
    peaks, _ = signal.find_peaks(x, height=2350, distance=400)
    sos = signal.butter(2, (0.7, 150.0), "bandpass", fs=1000, output="sos")
    x = signal.sosfiltfilt(sos, x)
    # Mains of that room: repeated with each beat it would come in bursts.
    x = signal.filtfilt(*signal.iirnotch(50, 12, fs=1000), x)
    inside = [p for p in peaks if p - 300 >= first and p + 550 <= last]
    window = np.interp(np.arange(850), [0, 100, 750, 849], [0, 1, 1, 0])
    window = 0.5 - 0.5 * np.cos(np.pi * window)
    return [
        Piece((x[p - 300 : p + 550] - np.median(x[p - 300 : p - 200])) * window, 1000.0,
              f"biosppy ecg beat at {p / 1000:.1f} s")
        for p in inside
    ]  # fmt: skip


def _ankles(data: dict[str, np.ndarray], split: Split) -> list[tuple[Piece, np.ndarray]]:
    found = []
    for name in split.ankles:
        mg = data[name][:, :3].astype(float)
        # Samples of up to 27 g are faults of the recording.
        fault = np.linalg.norm(mg, axis=1) > 5000
        mg[fault] = np.clip(ndimage.median_filter(mg, (7, 1))[fault], -3000, 3000)
        still = np.linalg.norm(mg, axis=1)
        # The gain is not calibrated: standing reads 0.75 to 0.95 g.
        found.append((Piece(mg / np.median(still), ANKLE_HZ, f"daphnet {name}"), data[name][:, 6]))
    return found


def _jolts(ankles: list[tuple[Piece, np.ndarray]]) -> list[Piece]:
    """Return impacts before which the ankle was comparatively calm."""
    found = []
    for piece, _ in ankles:
        sos = signal.butter(2, 2.0, "highpass", fs=ANKLE_HZ, output="sos")
        fast = signal.sosfiltfilt(sos, piece.x, axis=0)
        size = np.linalg.norm(fast, axis=1)
        peaks, _ = signal.find_peaks(size, height=0.6, distance=40)
        kept = [
            p for p in peaks
            if p > 40 and p + 40 < len(size)
            and size[p - 26 : p - 6].max() < 0.22 * size[p]
            and max(size[p - 1], size[p + 1]) > 0.3 * size[p]
            and size[p + 16 : p + 30].max() < 0.3 * size[p]
        ][:25]  # fmt: skip
        for p in kept:
            cut = fast[p - 6 : p + 26]
            window = np.interp(np.arange(32), [0, 4, 14, 31], [0, 1, 1, 0])
            label = f"{piece.source} impact at {p / ANKLE_HZ:.1f} s"
            found.append(Piece(cut * window[:, None], ANKLE_HZ, label))
    return found


def _walks(emg: np.ndarray, touchdown: np.ndarray, split: Split) -> list:
    strides = np.round(touchdown * 1000).astype(int)
    return [
        (Piece(emg[:, MUSCLES.index(m)].astype(float), 1000.0, f"musclesyneRgies walking {m}"),
         strides)
        for m in split.muscles
    ]  # fmt: skip


@lru_cache(maxsize=4)
def load_parts(split: str, data: Path, openhdemg: Path) -> Parts:
    """Return the real parts of one side.

    Parameters
    ----------
    split
        `tune` or `test`.
    data
        Folder of the real recordings.
    openhdemg
        Folder that holds the unzipped openhdemg wheel; see `fetch_openhdemg`.

    Raises
    ------
    PartsMissingError
        If either folder does not hold what is needed; says how to get it.
    """
    line = SPLITS[split]
    if not (data / "emg_leg_elderly_hermescb" / "data.npz").exists():
        raise PartsMissingError(f"no real recordings in {data}: give their folder with --data")
    if not (openhdemg / GRID_FILE).exists():
        raise PartsMissingError(HOW_TO_GET.format(folder=openhdemg))

    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(data / name / "data.npz") as stored:
            return dict(stored)

    legs = load("emg_leg_elderly_hermescb")
    units = grid_units(openhdemg, line.grid_units)
    weak = []
    for name, column in line.single_units:
        x = legs[name][:, column] * LEG_UV
        label = f"hermescb {name} column {column}"
        units += single_units(x, LEG_HZ, label)
        weak.append(Piece(in_band(x, LEG_HZ)[200:-200], LEG_HZ, label))
    ankles = _ankles(load("acc_ankle_thigh_daphnet"), line)
    walking = load("emg_leg_walking_musclesynergies")["emg_uv"]
    cycles = np.genfromtxt(
        data / "emg_leg_walking_musclesynergies" / "cycles.csv", delimiter=",", skip_header=1
    )
    return Parts(
        line, tuple(units), tuple(_contractions(legs, line)), tuple(weak),
        tuple(_noises(legs, load("emg_bitalino_biosppy"), line)),
        tuple(_beats(load("ecg_bitalino_biosppy")["ecg"], line)),
        tuple(_walks(walking, cycles[:, 0], line)), tuple(ankles), tuple(_jolts(ankles)),
    )  # fmt: skip
