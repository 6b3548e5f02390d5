"""Sixteen recording systems of many sites, and what each does to a signal."""

from dataclasses import dataclass

import numpy as np
from scipy import signal


@dataclass(frozen=True)
class Device:
    name: str
    fs: float
    up: int  # the world is simulated at fs * up
    range_uv: float  # full scale is plus/minus this
    bits: int
    high_pass: float  # 0 = DC coupled
    hp_order: int
    low_pass: float
    lp_order: int
    lp_kind: str  # butter | bessel | fir
    notch: bool
    zero_phase: bool
    channels: int
    acc_fs: float  # 0 = no accelerometer
    acc_up: int = 8
    acc_range: float = 4.0
    acc_bits: int = 12
    acc_noise_ug: float = 150.0  # micro-g per root hertz
    acc_low_pass: float = 0.4  # as a part of acc_fs
    acc_late_ms: float = 0.0

    @property
    def sim_fs(self):
        return self.fs * self.up

    @property
    def acc_sim_fs(self):
        return self.acc_fs * self.acc_up


_LIST = [
    Device("hd_adapter_2048", 2048, 2, 16000, 16, 10, 2, 500, 4, "bessel", False, False, 2, 100, 8, 8, 14, 120),
    Device("hd_dc_4000", 4000, 1, 150000, 24, 0, 0, 900, 6, "fir", False, True, 1, 125, 6, 4, 16, 45),
    Device("wireless_1926", 1926, 2, 11000, 16, 20, 2, 450, 4, "butter", False, False, 1, 148.148, 5, 2, 16, 180),
    Device("wireless_1259", 1259.26, 3, 11000, 16, 20, 2, 450, 4, "butter", False, False, 1, 148.148, 5, 4, 16, 180),
    Device("wireless_2000", 2000, 2, 5500, 16, 5, 1, 500, 5, "butter", False, False, 1, 200, 4, 8, 16, 99, 0.3, 6.0),
    Device("research_1111", 1111.111, 4, 5500, 16, 10, 2, 430, 4, "butter", False, False, 2, 74.074, 10, 16, 16, 220),
    Device("psg_box_512", 512, 8, 3200, 16, 0.16, 1, 200, 4, "butter", True, False, 1, 0),
    Device("psg_box_256", 256, 16, 5000, 14, 10, 2, 100, 4, "butter", True, True, 2, 32, 24, 4, 10, 200),
    Device("psg_export_200", 200, 20, 2500, 12, 10, 2, 85, 4, "butter", False, True, 1, 25, 32, 4, 12, 150, 0.4, 12.0),
    Device("psg_box_500", 500, 8, 6000, 16, 1, 1, 210, 4, "bessel", False, False, 1, 50, 16, 2, 12, 150),
    Device("holter_1000", 1000, 4, 10000, 12, 0.05, 1, 300, 3, "bessel", False, False, 1, 25, 32, 2, 8, 350),
    Device("ecg_patch_250", 250, 16, 16000, 18, 0, 0, 110, 5, "fir", False, True, 1, 31.25, 24, 4, 12, 190),
    Device("armband_200", 200, 20, 1100, 8, 5, 1, 90, 3, "butter", True, False, 1, 50, 16, 8, 12, 300),
    Device("sport_band_500", 500, 8, 3000, 12, 20, 2, 200, 4, "butter", False, False, 1, 100, 8, 8, 13, 230),
    Device("hobby_1000_10bit", 1000, 4, 1640, 10, 25, 1, 480, 2, "butter", False, False, 1, 100, 8, 3, 10, 300),
    Device("wearable_1000", 1000, 4, 12000, 16, 8, 2, 450, 4, "butter", False, False, 1, 100, 8, 4, 16, 110),
    Device("wearable_pair_1000", 1000, 4, 6000, 16, 0.5, 1, 450, 4, "fir", True, True, 2, 100, 8, 4, 16, 180),
    Device("lab_amp_4000", 4000, 1, 10000, 16, 2, 1, 1000, 3, "bessel", False, False, 1, 250, 4, 5, 16, 60),
]
DEVICES = {d.name: d for d in _LIST}


def _run(sos, x, zero_phase):
    return signal.sosfiltfilt(sos, x) if zero_phase else signal.sosfilt(sos, x)


def amplify(dev, x, mains):
    """Noise-free linear chain: coupling, low-pass, notch, sampling (no converter)."""
    fs = dev.sim_fs
    if dev.lp_kind == "fir":
        n = int(fs / dev.low_pass * 4) | 1
        taps = signal.firwin(n, dev.low_pass, fs=fs)
        x = signal.oaconvolve(x, taps, mode="same")
    else:
        cut = min(dev.low_pass, 0.49 * fs)
        design = signal.butter if dev.lp_kind == "butter" else signal.bessel
        extra = {} if dev.lp_kind == "butter" else {"norm": "mag"}
        sos = design(dev.lp_order, cut, fs=fs, output="sos", **extra)
        x = _run(sos, x, dev.zero_phase)
    x = x[:: dev.up]
    if dev.high_pass > 0:
        sos = signal.butter(dev.hp_order, dev.high_pass, "high", fs=dev.fs, output="sos")
        x = _run(sos, x, dev.zero_phase)
    if dev.notch:
        b, a = signal.iirnotch(mains, 25.0, fs=dev.fs)
        x = _run(signal.tf2sos(b, a), x, dev.zero_phase)
    return x


def convert(dev, x):
    """Converter: rails and steps."""
    lsb = 2 * dev.range_uv / 2**dev.bits
    top = dev.range_uv - lsb
    return np.clip(np.round(x / lsb) * lsb, -dev.range_uv, top)


def sense(dev, a):
    """Noise-free accelerometer: own low-pass, latency and sampling; a is (3, n)."""
    fs = dev.acc_sim_fs
    sos = signal.butter(2, dev.acc_low_pass * dev.acc_fs, fs=fs, output="sos")
    zi = signal.sosfilt_zi(sos)[:, None, :] * a[None, :, :1]
    out, _ = signal.sosfilt(sos, a, axis=1, zi=zi)
    late = int(round(dev.acc_late_ms * fs / 1000))
    if late:
        out = np.concatenate([np.repeat(out[:, :1], late, 1), out[:, :-late]], 1)
    return out[:, :: dev.acc_up]


def convert_acc(dev, a, rng):
    sd = dev.acc_noise_ug * 1e-6 * np.sqrt(dev.acc_low_pass * dev.acc_fs * 1.11)
    a = a + rng.normal(0, sd, a.shape)
    lsb = 2 * dev.acc_range / 2**dev.acc_bits
    return np.clip(np.round(a / lsb) * lsb, -dev.acc_range, dev.acc_range - lsb)


def band_emg(x, fs, low=20.0, high=450.0):
    """The band of the definitions, zero-phase; narrower where the rate is low."""
    high = min(high, 0.45 * fs)
    sos = signal.butter(4, [low, high], "band", fs=fs, output="sos")
    return signal.sosfiltfilt(sos, x)


def band_acc(a, fs, top=40.0):
    """Dynamic acceleration: above 0.5 Hz, at most 40 Hz; a is (3, n)."""
    sos = signal.butter(2, 0.5, "high", fs=fs, output="sos")
    out = signal.sosfiltfilt(sos, a, axis=1)
    if top and 0.45 * fs > top:
        out = signal.sosfiltfilt(signal.butter(4, top, fs=fs, output="sos"), out, axis=1)
    return out
