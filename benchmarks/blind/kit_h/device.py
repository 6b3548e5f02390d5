"""The consumer device: dry electrode noise, analogue front end, converter, accelerometer chip."""
from dataclasses import asdict, dataclass

import numpy as np
from scipy.signal import butter, lfilter, sosfilt, sosfiltfilt


@dataclass
class Device:
    emg_fs: int = 500            # 0 = no EMG
    channels: int = 1
    bits: int = 12
    rail_uv: float = 1650.0
    high_hz: float = 5.0
    high_order: int = 1
    low_share: float = 0.42      # low-pass corner as a share of the rate
    low_order: int = 3
    noise_uv: float = 2.0        # RMS in 20-450 Hz (or what the rate leaves of it)
    pink: float = 0.9            # slope of the electrode noise
    breathe: float = 0.15        # how much the noise level wanders (log)
    wander_uv: float = 60.0      # slow drift before the high-pass
    mains_hz: float = 50.0
    mains_uv: float = 1.0        # RMS of the steady hum
    harmonics: float = 0.25
    acc_fs: float = 50.0         # 0 = no accelerometer
    acc_bits: int = 10
    acc_range_g: float = 4.0
    acc_noise_g: float = 0.002
    acc_low_share: float = 0.4

    @property
    def over(self):
        return int(np.ceil(3200 / self.emg_fs))

    @property
    def fine(self):
        return self.emg_fs * self.over

    @property
    def acc_over(self):
        return int(np.ceil(380 / self.acc_fs))

    @property
    def acc_fine(self):
        return self.acc_fs * self.acc_over

    @property
    def lsb_uv(self):
        return 2 * self.rail_uv / 2 ** self.bits

    @property
    def acc_lsb(self):
        return 2 * self.acc_range_g / 2 ** self.acc_bits

    def as_dict(self):
        return asdict(self)

    # --- EMG ---
    def analogue(self, x):
        """High-pass and low-pass of the front end, causal, at the fine rate; then every over-th sample."""
        y = sosfilt(butter(self.high_order, self.high_hz, "high", fs=self.fine, output="sos"), x)
        y = sosfilt(butter(self.low_order, self.low_share * self.emg_fs, "low", fs=self.fine, output="sos"), y)
        return y[::self.over]

    def band(self, x, low=20.0, high=450.0):
        """Zero-phase band at the recorded rate, top limited by the rate."""
        high = min(high, 0.45 * self.emg_fs)
        pad = int(min(x.size - 1, self.emg_fs))
        return sosfiltfilt(butter(2, [low, high], "band", fs=self.emg_fs, output="sos"), x, padlen=pad)

    def convert(self, x):
        """Quantiser with rails."""
        q = np.round(x / self.lsb_uv) * self.lsb_uv
        return np.clip(q, -self.rail_uv, self.rail_uv - self.lsb_uv)

    def electrode_noise(self, rng, n):
        """White plus coloured noise (a ladder of first-order noises), level wandering, and slow drift."""
        fs = self.fine
        white = rng.normal(0, 1, n)
        rungs = np.zeros(n)
        for corner in (2.0, 12.0, 60.0):
            pole = np.exp(-2 * np.pi * corner / fs)
            rungs += lfilter([np.sqrt(1 - pole * pole)], [1, -pole], rng.normal(0, 1, n)) * (60.0 / corner) ** (self.pink / 2)
        x = 4.0 * white + rungs
        points = max(4, n // int(20 * fs))
        level = np.exp(self.breathe * np.interp(np.linspace(0, points, n), np.arange(points + 1),
                                                lfilter([0.6], [1, -0.8], rng.normal(0, 1, points + 1))))
        x *= level
        sample = self.band(self.analogue(x[:int(30 * fs)]))
        x *= self.noise_uv / np.sqrt(np.mean(sample ** 2))
        knots = max(8, n // int(3 * fs))
        drift = lfilter([1], [1, -0.9], rng.normal(0, 1, knots + 1))
        x += self.wander_uv * np.interp(np.linspace(0, knots, n), np.arange(knots + 1), drift)
        return x

    # --- accelerometer ---
    def sensor(self, acc):
        """Low-pass of the chip and sampling, causal, (3, n); the start is held."""
        sos = butter(2, self.acc_low_share * self.acc_fs, "low", fs=self.acc_fine, output="sos")
        hold = int(self.acc_fine)
        hold -= hold % self.acc_over
        wide = np.concatenate([np.repeat(acc[:, :1], hold, 1), acc], axis=1)
        return sosfilt(sos, wide, axis=1)[:, hold::self.acc_over]

    def convert_acc(self, rng, acc):
        noisy = acc + rng.normal(0, self.acc_noise_g, acc.shape)
        return np.clip(np.round(noisy / self.acc_lsb) * self.acc_lsb, -self.acc_range_g, self.acc_range_g - self.acc_lsb)


def hum(rng, device, seconds, uv, harmonics=None, chopped=False):
    """Mains hum at the fine rate: wandering phase, odd harmonics; `chopped` adds dimmer spikes twice a period."""
    fs = device.fine
    n = int(seconds * fs)
    t = np.arange(n) / fs
    harmonics = device.harmonics if harmonics is None else harmonics
    phase = 2 * np.pi * device.mains_hz * t + np.interp(np.linspace(0, 20, n), np.arange(21), np.cumsum(rng.normal(0, 0.3, 21)))
    x = np.sqrt(2) * np.sin(phase)
    for k in (2, 3, 5, 7):
        x += harmonics * rng.uniform(0.1, 1) / np.sqrt(k) * np.sin(k * phase + rng.uniform(0, 7))
    if chopped:
        cut = rng.uniform(0.15, 0.4)
        place = np.mod(phase / np.pi, 1.0)
        x += rng.uniform(1.5, 4) * np.exp(-np.clip(np.mod(place - cut, 1.0), 0, 1) * 40) * np.sign(np.sin(phase))
    return x * uv / np.sqrt(np.mean(x ** 2))
