"""Synthetic signals with known content. Nothing here is tuned to the detector."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import signal

from twitchsense.detect.detector import Detector
from twitchsense.model.channels import Chunk
from twitchsense.model.detections import Detections
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings


def band_noise(n, fs, rms, rng, low=20.0, high=450.0):
    """Return Gaussian noise between two frequencies, of a given RMS, shape ``(n,)``."""
    sos = signal.butter(4, [low, min(high, 0.45 * fs)], "bandpass", fs=fs, output="sos")
    x = signal.sosfilt(sos, rng.normal(size=n + 1000))[1000:]
    return x / x.std() * rms


def unit_potential(fs, width_s=0.004):
    """Return a biphasic motor unit potential of 1 µV peak to peak, about 20 ms long."""
    t = np.arange(-0.02, 0.02, 1 / fs) / width_s
    x = -t * np.exp(-(t**2) / 2)
    return x / np.ptp(x)


def heart_beat(fs):
    """Return a smooth heart beat of 1 µV peak to peak: R, S and T waves, 0.6 s long.

    The R wave peaks 0.1 s after the start.
    """
    t = np.arange(-0.1, 0.5, 1 / fs)
    waves = ((1.0, 0.0, 0.012), (-0.35, 0.035, 0.014), (0.2, 0.25, 0.05))
    x = sum(size * np.exp(-(((t - at) / width) ** 2) / 2) for size, at, width in waves)
    return x / np.ptp(x)


def interference_pattern(n, fs, rms, rng, per_s=400):
    """Return a contraction: unit potentials of random size and width at random times."""
    x = np.zeros(n + 200)
    for first in rng.integers(0, n + 100, max(5, round(per_s * n / fs))).tolist():
        wave = unit_potential(fs, rng.uniform(0.0025, 0.0045)) * rng.normal()
        x[first : first + len(wave)] += wave[: len(x) - first]
    x = x[100 : n + 100]
    return x / x.std() * rms


def add_waveform(x, at_s, fs, waveform):
    """Add a waveform to a signal, in place."""
    first = round(at_s * fs)
    x[first : first + len(waveform)] += waveform[: len(x) - first]


def rest_acc(n, rng, noise_g=0.0015, gravity=(0.0, 0.6, 0.8)):
    """Return the acceleration of a still leg: gravity and sensor noise, shape ``(n, 3)``."""
    return rng.normal(size=(n, 3)) * noise_g + np.array(gravity)


def damped_oscillation(fs, size_g, hz=7.0, decay_s=0.08):
    """Return the mechanical response of a leg to a jerk, in g."""
    t = np.arange(0, 0.6, 1 / fs)
    return size_g * np.exp(-t / decay_s) * np.sin(2 * np.pi * hz * t)


class SimulatedLeg:
    """EMG and acceleration of one leg, with events at known times.

    Most methods add one event and return the instance.
    """

    def __init__(self, seconds, *, fs=1000.0, fs_acc=100.0, noise_uv=3.0, seed=0):
        self.rng = np.random.default_rng(seed)
        self.fs, self.fs_acc = fs, fs_acc
        self.emg = band_noise(round(seconds * fs), fs, noise_uv, self.rng)
        self.acc = rest_acc(round(seconds * fs_acc), self.rng)

    def twitch(self, at_s, size_uv=150.0):
        """Add the potential of one motor unit."""
        add_waveform(self.emg, at_s, self.fs, size_uv * unit_potential(self.fs))
        return self

    def burst(self, at_s, length_s, rms_uv=150.0):
        """Add an EMG burst of band-limited noise."""
        body = band_noise(round(length_s * self.fs), self.fs, rms_uv, self.rng, high=250)
        add_waveform(self.emg, at_s, self.fs, body)
        return self

    def oscillation(self, at_s, size_g=0.4):
        """Add the mechanical response to a jerk."""
        response = damped_oscillation(self.fs_acc, size_g)
        first = round(at_s * self.fs_acc)
        self.acc[first : first + len(response), 0] += response[: len(self.acc) - first]
        return self

    def jerk(self, at_s, length_s=0.1, size_g=0.4):
        return self.burst(at_s, length_s).oscillation(at_s + 0.04, size_g)

    def movement(self, at_s, length_s, rms_uv=80.0, size_g=0.1):
        """Add an EMG burst and a sway of the leg."""
        self.burst(at_s, length_s, rms_uv)
        n = round(length_s * self.fs_acc)
        first = round((at_s + 0.05) * self.fs_acc)
        sway = size_g * np.sin(2 * np.pi * 1.7 * np.arange(n) / self.fs_acc)
        self.acc[first : first + n, 1] += sway[: len(self.acc) - first]
        return self

    def contraction(self, at_s, length_s, rms_uv=80.0):
        """Add a contraction of many motor units."""
        body = interference_pattern(round(length_s * self.fs), self.fs, rms_uv, self.rng)
        add_waveform(self.emg, at_s, self.fs, body)
        return self

    def tonic_unit(self, first_s, last_s, hz, size_uv, jitter=0.12):
        """Add a motor unit that fires regularly; return its firing times."""
        gaps = 1 / hz * (1 + jitter * self.rng.normal(size=round((last_s - first_s) * hz * 2)))
        times = first_s + np.cumsum(np.maximum(gaps, 0.3 / hz))
        times = times[times < last_s]
        for at in times:
            self.twitch(at, size_uv)
        return times

    def heart_beats(self, first_s, last_s, bpm, size_uv, spread=0.05):
        """Add heart beats; return the times of their R waves."""
        gaps = 60 / bpm * (1 + spread * self.rng.normal(size=round((last_s - first_s) * bpm / 30)))
        times = first_s + np.cumsum(gaps)
        times = times[times < last_s]
        for at in times:
            add_waveform(self.emg, at - 0.1, self.fs, size_uv * heart_beat(self.fs))
        return times

    def bump(self, at_s, size_g=0.4):
        """Add a bump: a short acceleration without muscle activity."""
        response = damped_oscillation(self.fs_acc, size_g, hz=15.0, decay_s=0.03)
        first = round(at_s * self.fs_acc)
        self.acc[first : first + len(response), 2] += response[: len(self.acc) - first]
        return self

    def signals(self, *, emg=True, acc=True):
        out = {}
        if emg:
            out["emg1_uv"] = (self.emg, self.fs)
        if acc:
            for i, axis in enumerate("xyz"):
                out[f"acc_{axis}_g"] = (self.acc[:, i], self.fs_acc)
        return out

    def recording(self, *, emg=True, acc=True):
        return Recording.from_arrays(self.signals(emg=emg, acc=acc))


def detect(recording, settings=None, chunks=None) -> Detections:
    """Run the detector on chunks, by default those of the recording."""
    detector = Detector(settings or Settings(), recording.channels)
    for chunk in recording.chunks() if chunks is None else chunks:
        detector.push(chunk)
    return detector.close()


def cut_chunks(recording, edges_s) -> Iterator[Chunk]:
    """Cut every segment at given times (s after its start), channels interleaved."""
    plan = []
    for order, channel in enumerate(recording.channels):
        for segment in recording.segments_of(channel.name):
            n = len(segment.samples)
            edges = sorted({0, n, *(min(n, max(0, round(e * channel.fs))) for e in edges_s)})
            for start, stop in zip(edges[:-1], edges[1:], strict=True):
                samples = segment.samples.read(start, stop)
                at = segment.start_ns + start / channel.fs * 1e9
                plan.append((at, order, Chunk(channel.name, segment.start_ns, start, samples)))
    for _, _, chunk in sorted(plan, key=lambda row: row[:2]):
        yield chunk
