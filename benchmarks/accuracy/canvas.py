"""A recording in the making: waveforms are added, and what was added becomes the truth.

Times are those of the EMG's clock.  Onset and end of an event of up to half a second are the
first and last sample at which |x| of the clean waveform, 20-450 Hz zero phase, is at least 10 %
of its peak in the channel that sees it best; of longer ones, the same of its 10-ms RMS; of those
without EMG, the same of the dynamic acceleration.  `onset_rms` and `duration_rms` use the 10-ms
RMS for all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from benchmarks.accuracy.background import accelerometer_noise, make_noise, slow_drift
from benchmarks.accuracy.converter import convert_acc, convert_emg, recorded
from benchmarks.accuracy.parts import Parts
from benchmarks.accuracy.waves import (
    ACC_BAND_HZ,
    ENVELOPE_S,
    edges,
    in_band,
    moving_rms,
    peak_to_peak,
)

LONG_S = 0.5
COLUMNS = (
    "onset", "duration", "trial_type", "kind", "amplitude_uv", "snr", "peak_g", "jerk_g_s",
    "context", "source", "leg", "channel", "onset_rms", "duration_rms", "tolerated", "under",
)  # fmt: skip
TEXT_COLUMNS = ("trial_type", "kind", "context", "source", "leg", "channel", "tolerated", "under")


@dataclass(frozen=True)
class Device:
    """What records: rates, clocks, converter.

    Parameters
    ----------
    fs, acc_fs
        Samples per second; 0 where the sensor is missing.
    n_emg
        Channels of EMG.
    drift_ppm, offset_s
        The accelerometer's clock shows t (1 + ppm / 1e6) + offset.
    rate_error
        Share by which all true rates are above the nominal ones.
    emg_lsb_uv, emg_range_uv, acc_lsb_g, acc_range_g
        Converter steps and rails.
    analogue_order, analogue_share
        Order of the low-pass before the converter, 0 for none, and its corner over the
        composing rate: what a contact's click looks like hangs on it.
    sharp
        Whether rates below 1000 Hz are made by a sharp digital filter that rings; else by
        a soft one that lets some of what is above fold down.
    pass_order, low_hz, high_hz
        The amplifier's own causal band-pass; order 0 for none.
    """

    fs: float = 1000.0
    acc_fs: float = 100.0
    n_emg: int = 2
    drift_ppm: float = 0.0
    offset_s: float = 0.0
    rate_error: float = 0.0
    emg_lsb_uv: float = 0.2
    emg_range_uv: float = 3000.0
    acc_lsb_g: float = 0.001
    acc_range_g: float = 16.0
    analogue_order: int = 2
    analogue_share: float = 0.42
    sharp: bool = True
    pass_order: int = 0
    low_hz: float = 0.0
    high_hz: float = 0.0


@dataclass(frozen=True, eq=False)
class Waves:
    """Clean waveforms of the twitches, for a detector that knows them.

    Parameters
    ----------
    fs
        Their rate.
    rows
        Row of the truth of each.
    starts
        Where each begins, in seconds.
    pieces
        Each of shape (channels, samples), in µV.
    """

    fs: float
    rows: list[int]
    starts: list[float]
    pieces: list[np.ndarray]


@dataclass
class Motion:
    """Acceleration an event adds: three axes (g) from `start` seconds after the event's start."""

    start: float
    x: np.ndarray
    fs: float


@dataclass
class Canvas:
    """See the module."""

    seconds: float
    device: Device
    parts: Parts
    rng: np.random.Generator
    levels_uv: tuple[float, ...]
    sleep_onset_s: float | None = None
    rows: list[dict] = field(default_factory=list)
    busy: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        d = self.device
        self.fs = max(d.fs, 1000.0)  # slower devices are decimated at the end
        self.n = round(self.seconds * self.fs)
        self.emg = np.zeros((d.n_emg, self.n), np.float32)
        scale = 1 + d.drift_ppm * 1e-6
        self.n_acc = int(self.seconds * scale * d.acc_fs)
        self.acc = np.zeros((self.n_acc, 3), np.float32)
        whole = int(self.seconds) + 2
        self.gain = np.ones((max(d.n_emg, 1), whole))
        self.factor = np.array(
            [slow_drift(self.seconds, 0.06, self.rng)[:whole] for _ in range(max(d.n_emg, 1))]
        )
        self.turns: list[tuple[float, float, np.ndarray]] = []
        start = self.rng.normal(size=3) * (0.3, 0.5, 0.0) + (0, 0, 1)
        self.gravity = start / np.linalg.norm(start)
        self.first_gravity = self.gravity
        self.noise_sources: list[str] = []
        self.gaps: list[tuple[int, int, int]] = []

    # -- time -----------------------------------------------------------------

    def on_acc_clock(self, t: float) -> float:
        """Return what the accelerometer's clock shows at time `t`."""
        return t * (1 + self.device.drift_ppm * 1e-6) + self.device.offset_s

    def context(self, t: float) -> str:
        """Return `wake`, `asleep`, or nothing where the composer says nothing."""
        if self.sleep_onset_s is None:
            return ""
        return "asleep" if t >= self.sleep_onset_s else "wake"

    def reserve(self, start: float, length: float, margin: float) -> bool:
        """Take a span of time, or say that it is taken."""
        if start - margin < 1.5 or start + length + margin > self.seconds - 1.5:
            return False
        if any(start < b + margin and start + length > a - margin for a, b in self.busy):
            return False
        self.busy.append((start, start + length))
        return True

    def reserve_between(
        self, length: float, margin: float, start: float, end: float
    ) -> float | None:
        """Take a free span that begins between two times; None if none is found soon."""
        for _ in range(40):
            t = float(self.rng.uniform(start, end))
            if self.reserve(t, length, margin):
                return t
        return None

    # -- adding ---------------------------------------------------------------

    def add_emg(self, start: float, waves: list[np.ndarray]) -> None:
        """Add one waveform per channel (on the canvas' rate) from `start`."""
        first = round(start * self.fs)
        for target, wave in zip(self.emg, waves, strict=False):
            a, b = max(first, 0), min(first + len(wave), self.n)
            if b > a:
                target[a:b] += wave[a - first : b - first]

    def add_motion(self, start: float, motion: Motion) -> None:
        """Add acceleration, read at the instants the accelerometer samples."""
        d = self.device
        if not d.acc_fs:
            return
        rate = 1 + d.drift_ppm * 1e-6
        begin = start + motion.start
        end = begin + (len(motion.x) - 1) / motion.fs
        a = max(int(np.ceil(self.on_acc_clock(begin) * d.acc_fs)), 0)
        b = min(int(self.on_acc_clock(end) * d.acc_fs) + 1, self.n_acc)
        if b > a:
            true = (np.arange(a, b) / d.acc_fs - d.offset_s) / rate
            position = np.clip((true - begin) * motion.fs, 0, len(motion.x) - 1)
            self.acc[a:b] += CubicSpline(np.arange(len(motion.x)), motion.x)(position)

    def turn(self, t: float, length: float, to: np.ndarray) -> None:
        """Let gravity come to point along `to` within `length` seconds."""
        self.gravity = to / np.linalg.norm(to)
        self.turns.append((t, length, self.gravity))

    def event(
        self,
        start: float,
        waves: list[np.ndarray],
        motion: Motion | None,
        trial_type: str,
        kind: str,
        source: str,
        tolerated: str = "",
    ) -> dict:
        """Add a waveform to EMG and acceleration, measure it and note it in the truth."""
        self.add_emg(start, waves)
        if motion is not None:
            self.add_motion(start, motion)
        row = self._measured(start, waves[: self.device.n_emg], motion)
        row |= {"trial_type": trial_type, "kind": kind, "source": source, "tolerated": tolerated}
        row |= {"context": self.context(row["onset"]), "leg": ""}
        if trial_type == "twitch":
            row["wave"] = (start, np.array(waves[: self.device.n_emg], np.float32))
        self.rows.append(row)
        return row

    def note(self, start: float, length: float, kind: str, source: str, **more: object) -> None:
        """Note an artefact that lasts, without measuring it."""
        row = {"onset": start, "duration": length, "trial_type": "artifact", "kind": kind}
        row |= {"source": source, "context": self.context(start), "leg": "", "tolerated": ""}
        self.rows.append(row | more)

    def _measured(self, start: float, waves: list[np.ndarray], motion: Motion | None) -> dict:
        row: dict = {}
        dynamic = None
        if motion is not None and len(motion.x):
            dynamic = in_band(motion.x, motion.fs, ACC_BAND_HZ)
            if self.device.acc_fs:
                size = np.linalg.norm(dynamic, axis=1)
                row["peak_g"] = float(size.max())
                change = np.linalg.norm(np.diff(dynamic, axis=0), axis=1) * motion.fs
                row["jerk_g_s"] = float(change.max())
        bands = [in_band(recorded(self, wave), self.fs) for wave in waves]
        heights = np.array([peak_to_peak(band) for band in bands])
        if len(heights) and heights.max() > 0:
            second = min(max(int(start), 0), self.gain.shape[1] - 1)
            noise = np.array(self.levels_uv)[: len(heights)] * self.factor[: len(heights), second]
            heights = heights * self.gain[: len(heights), second]
            best = int(np.argmax(heights / noise))
            x, fs = bands[best], self.fs
            row |= {
                "amplitude_uv": heights[best],
                "snr": heights[best] / noise[best],
                "channel": f"emg{best + 1}",
            }
        elif dynamic is not None:
            x, fs = np.linalg.norm(dynamic, axis=1), motion.fs
            start += motion.start
        else:
            raise ValueError("an event needs EMG or motion")
        rms = moving_rms(x, max(round(ENVELOPE_S * fs), 1))
        a, b = edges(rms)
        row |= {"onset_rms": start + a / fs, "duration_rms": (b - a) / fs}
        if len(x) / fs <= LONG_S + 0.3 and row["duration_rms"] <= LONG_S:
            a, b = edges(x)
        row |= {"onset": start + a / fs, "duration": (b - a) / fs}
        return row

    # -- finishing --------------------------------------------------------------

    def finish(self) -> tuple[dict[str, tuple[np.ndarray, float]], pd.DataFrame]:
        """Return arrays as a recording takes them, and the truth."""
        arrays: dict[str, tuple[np.ndarray, float]] = {}
        d = self.device
        for i in range(d.n_emg):
            noise, source = make_noise(
                self.parts, self.seconds, self.fs, self.levels_uv[i], self.rng
            )
            arrays[f"emg{i + 1}_uv"] = (convert_emg(self, i, noise), d.fs)
            self.noise_sources.append(source)
        if d.acc_fs:
            noise = accelerometer_noise(self.n_acc, d.acc_fs, self.rng)
            axes = convert_acc(self, noise)
            for i, axis in enumerate("xyz"):
                arrays[f"acc_{axis}_g"] = (axes[:, i], d.acc_fs)
        return arrays, self.truth()

    def truth(self) -> pd.DataFrame:
        """Return the truth, sorted, with the artefacts each event lies under."""
        table = pd.DataFrame(self.rows, columns=list(COLUMNS)).sort_values("onset")
        known = [(i, self.rows[k]["wave"]) for i, k in enumerate(table.index)
                 if "wave" in self.rows[k]]  # fmt: skip
        table = table.reset_index(drop=True)
        a, b = table.onset.to_numpy(float), (table.onset + table.duration).to_numpy(float)
        artefact = (table.trial_type == "artifact").to_numpy()
        kinds = table.kind.to_numpy()
        under = []
        for i in range(len(table)):
            hit = artefact & (a < b[i] + 0.1) & (b > a[i] - 0.1)
            hit[i] = False
            under.append(";".join(sorted(set(kinds[hit]))))
        table["under"] = under
        for column in COLUMNS:
            if column in TEXT_COLUMNS:
                table[column] = table[column].astype(object).fillna("").astype(str)
            else:
                table[column] = table[column].astype(float)
        table.attrs["waves"] = Waves(
            self.fs, [i for i, _ in known], [s for _, (s, _) in known], [x for _, (_, x) in known]
        )
        table.attrs["seconds"] = self.seconds
        table.attrs["sleep_onset_s"] = self.sleep_onset_s
        table.attrs["noise_source"] = tuple(self.noise_sources)
        table.attrs["device"] = self.device
        return table
