"""The scene: signal arrays, placing of snippets, and the truth measured on the noise-free parts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.signal import butter, resample_poly, sosfiltfilt

from . import electronics as el
from .leg import dynamic, gravity, turn_acceleration, unit_vector
from .model import FS_EMG, FS_MECH, Array, Burst, Composed, Person, Truth
from .muscle import Unit, build_units


def resample(x: Array, fs_in: float, fs_out: float) -> Array:
    """Resample (ch, n) with the linear-phase filter of a sigma-delta converter."""
    if fs_in == fs_out:
        return x
    g = int(np.gcd(int(fs_in), int(fs_out)))
    return np.asarray(resample_poly(x, int(fs_out) // g, int(fs_in) // g, axis=1), dtype=float)


def jerkiness(acc: Array) -> float:
    """Largest change of acceleration (g/s) as a 100-Hz sensor would show it (1 kHz input)."""
    slow = resample(np.pad(acc, ((0, 0), (50, 50))), FS_MECH, 100.0)
    sos = butter(2, [0.5, 40.0], "bandpass", fs=100.0, output="sos")
    slow = sosfiltfilt(sos, np.pad(slow, ((0, 0), (200, 200)), mode="edge"), axis=1)[:, 200:-200]
    return float(np.sqrt((np.diff(slow, axis=1) ** 2).sum(axis=0)).max() * 100.0)


def shape_name(x: Array) -> str:
    """Count the phases (larger than 15 % of the peak); one-sided if one side is below 30 % of the other."""
    top = float(np.abs(x).max())
    if top <= 0:
        return "none"
    if min(float(x.max()), float(-x.min())) < 0.3 * top:
        return "one_sided"
    signs = np.sign(np.where(np.abs(x) > 0.15 * top, x, 0.0))
    signs = signs[signs != 0]
    phases = 1 + int((np.diff(signs) != 0).sum())
    if phases == 1:
        return "one_sided"
    return {2: "biphasic", 3: "triphasic", 4: "tetraphasic"}.get(phases, "polyphasic")


class Scene:
    """A recording in the making.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of every random number of the recording.
    person : Person
        Who is recorded, with what.
    seconds : float
        Length.
    ectopic : float
        Share of premature heart beats.
    wander_uv : float
        Slow drift of the electrodes before the amplifier.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        person: Person,
        seconds: float,
        ectopic: float = 0.0,
        wander_uv: float = 60.0,
    ) -> None:
        self.rng = rng
        self.person = person
        self.seconds = seconds
        self.truth: list[Truth] = []
        self.turns: list[tuple[float, float, Array, float]] = []
        self.log: list[dict[str, Any]] = []
        self.units: list[Unit] = build_units(rng, person.body, person.electrode)
        marks = el.beats(rng, seconds, person.body, ectopic)
        self.noise = 0.0
        self.broadband = 0.0
        self.noise_lm = 0.0
        amp, sensor = person.amplifier, person.accelerometer
        self.channels = 0
        if amp is not None:
            self.channels = 2 if person.electrode.second else 1
            n = int(seconds * amp.fs)
            self.emg = np.zeros((self.channels, n))
            quiet = np.zeros_like(self.emg)
            for ch in range(self.channels):
                rms = person.electrode.noise_uv * (1.0 if ch == 0 else float(rng.uniform(0.7, 1.5)))
                noise = el.electrode_noise(rng, n, amp, person.electrode, rms)
                hum = el.mains(rng, n, amp.fs, person.bed, person.bed.mains_uv * (1.0 if ch == 0 else 0.7))
                heart = el.heart_field(rng, n, amp.fs, marks, person.body.ecg_uv)
                drift = el.wander(rng, n, amp.fs, wander_uv) + amp.offset_uv
                quiet[ch] = noise + hum
                self.emg[ch] = quiet[ch] + heart + drift
            probe = el.convert(el.amplify(quiet, amp), amp)
            self.noise = float(el.band(probe, amp.fs)[:, int(2 * amp.fs) :].std(axis=1).min())
            self.broadband = float(np.hypot(person.electrode.noise_uv, amp.lsb_uv / np.sqrt(12.0)))
            self.noise_lm = float(el.band(probe, amp.fs, 10.0, 100.0)[:, int(2 * amp.fs) :].std(axis=1).min())
        if sensor is not None:
            m = int(seconds * sensor.fs)
            self.acc = el.still_acceleration(rng, m, sensor.fs, person.body, marks)
        self.has_emg = amp is not None
        self.has_acc = sensor is not None

    # -- placing -------------------------------------------------------------------------------
    def add_emg(self, t: float, snippet: Array) -> None:
        """Add a (channels, n) snippet at 4 kHz to the EMG before the amplifier."""
        amp = self.person.amplifier
        if amp is None:
            return
        piece = resample(snippet, FS_EMG, amp.fs)
        a = round(t * amp.fs)
        b = min(a + piece.shape[1], self.emg.shape[1])
        if a >= 0 and b > a:
            self.emg[:, a:b] += piece[: self.channels, : b - a]

    def add_acc(self, t: float, snippet: Array) -> None:
        """Add a (3, n) snippet at 1 kHz to the acceleration."""
        sensor = self.person.accelerometer
        if sensor is None:
            return
        piece = resample(snippet, FS_MECH, sensor.fs)
        a = round(t * sensor.fs)
        b = min(a + piece.shape[1], self.acc.shape[1])
        if a >= 0 and b > a:
            self.acc[:, a:b] += piece[:, : b - a]

    def shake_electrode(self, t: float, acc: Array) -> None:
        """Let the acceleration (1 kHz) move the electrodes: slow EMG artefact."""
        if not self.has_emg:
            return
        sos = butter(1, [1.0, 12.0], "bandpass", fs=FS_MECH, output="sos")
        mix = unit_vector(self.rng) @ acc
        move = sosfiltfilt(sos, np.pad(mix, 300))[300:-300] * self.person.electrode.motion_uv_per_g
        self.add_emg(t, resample(np.repeat(move[None], self.channels, axis=0), FS_MECH, FS_EMG))

    def turn(self, t: float, seconds: float, degrees: float, lever: bool = True) -> float:
        """Turn the leg; return the peak dynamic acceleration (g)."""
        angle = float(np.deg2rad(degrees))
        self.turns.append((t, seconds, unit_vector(self.rng), angle))
        if not lever or not self.has_acc:
            return 0.0
        acc = turn_acceleration(self.rng, seconds, angle)
        self.add_acc(t, acc)
        return float(dynamic(acc).max())

    # -- measuring -----------------------------------------------------------------------------
    def span(self, emg: Array) -> tuple[float, float]:
        """First and last second within a clean snippet (4 kHz) where EMG stands out of noise.

        The end also ignores what is below 3 % of the peak, else a large potential would be timed
        by the last microvolts of its field.
        """
        x = np.abs(emg).max(axis=0)
        top = float(x.max())
        noise = min(1.5 * self.broadband, 0.3 * top)
        if top <= 0:
            return 0.0, 0.005
        first = int(np.argmax(x > noise))
        last = int(np.flatnonzero(x > max(noise, 0.03 * top))[-1])
        return first / FS_EMG, (last + 1) / FS_EMG

    def movement_span(self, emg: Array) -> tuple[float, float, float, float]:
        """Return onset, +8 uV start, +2 uV end (s) and largest excess (uV) of a movement."""
        sos = butter(2, [10.0, 100.0], "bandpass", fs=FS_EMG, output="sos")
        x = sosfiltfilt(sos, np.pad(emg, ((0, 0), (1200, 1200))), axis=1)
        power = np.array([np.convolve(r * r, np.ones(600) / 600.0, "same") for r in x]).max(axis=0)
        excess = np.sqrt(power + self.noise_lm**2) - self.noise_lm
        first, last = self.span(emg)
        high, low = excess > 8.0, np.flatnonzero(excess > 2.0)
        if not high.any() or low.size == 0:
            return first, first, last, float(excess.max())
        start = (int(np.argmax(high)) - 1200) / FS_EMG
        return first, start, (int(low[-1]) - 1200) / FS_EMG, float(excess.max())

    def snr(self, emg: Array) -> float:
        """Peak to peak behind the amplifier in 20-450 Hz over the resting noise."""
        amp = self.person.amplifier
        if amp is None or self.noise <= 0:
            return 0.0
        pad = int(FS_EMG * 0.2)
        piece = resample(np.pad(emg, ((0, 0), (pad, pad))), FS_EMG, amp.fs)
        return float(np.ptp(el.band(el.amplify(piece, amp), amp.fs), axis=1).max()) / self.noise

    def row(
        self,
        t: float,
        kind: str,
        waveform: str,
        duration: float,
        emg: Array | None = None,
        peak_g: float = 0.0,
        bursts: tuple[float, ...] = (),
        in_activity: bool = False,
        note: str = "",
    ) -> None:
        """Append a truth row; amplitude and snr are taken from the clean snippet ``emg``."""
        use = emg if emg is not None and self.has_emg else None
        size = float(np.ptp(use, axis=1).max()) if use is not None else 0.0
        snr = self.snr(use) if use is not None else 0.0
        shown = peak_g if self.has_acc else 0.0
        self.truth.append(
            Truth(float(t), float(duration), kind, waveform, size, snr, float(shown),
                  tuple(float(b) for b in (bursts or (t,))), in_activity, note)
        )  # fmt: skip

    def burst_onsets(self, t: float, burst: Burst) -> tuple[float, ...]:
        """Onset of every burst: first EMG above noise after each start."""
        onsets = []
        edges = [*burst.starts, burst.emg.shape[1] / FS_EMG]
        top = min(1.5 * self.broadband, 0.05 * float(np.abs(burst.emg).max()))
        for a, b in zip(edges[:-1], edges[1:], strict=True):
            piece = np.abs(burst.emg[:, int(a * FS_EMG) : int(b * FS_EMG)]).max(axis=0)
            above = np.flatnonzero(piece > top)
            onsets.append(t + a + (float(above[0]) / FS_EMG if above.size else 0.0))
        return tuple(onsets)

    # -- finishing -----------------------------------------------------------------------------
    def finish(self, family: str, seed: int, more: dict[str, Any]) -> Composed:
        """Run amplifier and converters and return the recording."""
        p = self.person
        signals: dict[str, tuple[Array, float]] = {}
        meta: dict[str, Any] = {"family": family, "seed": seed, "person": p.name, "seconds": self.seconds}
        if p.amplifier is not None:
            final = el.convert(el.amplify(self.emg, p.amplifier), p.amplifier)
            for ch in range(self.channels):
                signals[f"emg{ch + 1}_uv"] = (final[ch], p.amplifier.fs)
            meta |= {
                "noise_rms_uv": self.noise, "noise_without_mains_uv": self.broadband,
                "mains_rms_uv": p.bed.mains_uv, "mains_hz": p.bed.mains_hz,
                "ecg_uv": p.body.ecg_uv, "amplifier": asdict(p.amplifier),
            }  # fmt: skip
        if p.accelerometer is not None:
            sensor = p.accelerometer
            start = unit_vector(self.rng)
            total = self.acc + gravity(start, self.turns, self.acc.shape[1], sensor.fs)
            total = el.sense(self.rng, total, sensor)
            for axis, row in zip("xyz", total, strict=True):
                signals[f"acc_{axis}_g"] = (row, sensor.fs)
            meta |= {"accelerometer": asdict(sensor)}
        meta |= {
            "body": asdict(p.body), "electrode": asdict(p.electrode), "bed": asdict(p.bed),
            "disturbances": self.log,
        } | more  # fmt: skip
        return Composed(signals, sorted(self.truth, key=lambda r: r.onset), meta)
