"""Measuring an event in its own noise-free layer, passed through the same front end and sensor."""
import numpy as np
from scipy.signal import butter, sosfiltfilt

from .kinds import Facts
from .limb import above_half_hertz


def stretches(mask, bridge):
    """Runs of True with gaps up to `bridge` samples filled; list of (first, last)."""
    places = np.flatnonzero(mask)
    if places.size == 0:
        return []
    cuts = np.flatnonzero(np.diff(places) > bridge + 1)
    firsts = np.concatenate([[0], cuts + 1])
    lasts = np.concatenate([cuts, [places.size - 1]])
    return [(int(places[a]), int(places[b])) for a, b in zip(firsts, lasts)]


class NoiseMeter:
    """Local noise: median of 40-ms RMS values of the recorded 20-450 Hz signal around an event, not in it."""

    def __init__(self, band, fs, floor):
        self.size = max(4, int(round(0.04 * fs)))
        n = band.size // self.size
        self.rms = np.sqrt(np.mean(band[:n * self.size].reshape(n, self.size) ** 2, axis=1))
        self.step = self.size / fs
        self.floor = floor

    def at(self, start, stop, busy=False):
        parts = []
        for a, b in ((start - 1.5, start - 0.04), (stop + 0.08, stop + 1.5)):
            i, j = int(np.ceil(max(0.0, a) / self.step)), int(max(0.0, b) / self.step)
            parts.append(self.rms[i:j])
        around = np.concatenate(parts)
        if around.size == 0:
            return self.floor
        value = np.sqrt(np.mean(around ** 2)) if busy else np.median(around)
        return float(max(self.floor, value))


def _layer(device, pieces, lead=0.3, tail=0.6):
    """Sum of pieces at the fine rate on a grid that falls on recorded samples; (layer, time of its first sample)."""
    over = device.over
    first = (min(s for s, _ in pieces) - int(lead * device.fine)) // over * over
    last = max(s + x.size for s, x in pieces) + int(tail * device.fine)
    layer = np.zeros(last - first)
    for start, x in pieces:
        layer[start - first:start - first + x.size] += x
    return layer, first / device.fine


def _over(x, sigma, share=0.03):
    size = np.abs(x)
    peak = size.max()
    return size > min(max(1.5 * sigma, share * peak), 0.5 * peak)


def emg_facts(device, plan_pieces, meter, busy, bridge_s, facts):
    """Fill the EMG side of `facts`. Returns (onset, end) as recorded."""
    fs = device.emg_fs
    layer, t0 = _layer(device, plan_pieces)
    start = min(s for s, _ in plan_pieces) / device.fine
    stop = max(s + x.size for s, x in plan_pieces) / device.fine
    sigma = meter.at(start, stop, busy)
    seen = device.analogue(layer)
    band = device.band(seen)
    bridge = int(round(bridge_s * fs))
    facts.noise = sigma
    facts.amp_electrode = float(np.ptp(layer))
    facts.amp_band = float(np.ptp(band))
    facts.snr = facts.amp_band / sigma
    spans, pieces = [], []
    for x, rate in ((seen, fs), (band, fs), (layer, device.fine)):
        runs = stretches(_over(x, sigma), int(round(bridge_s * rate)))
        pieces.append([(b - a + 1) / rate for a, b in runs])
        spans.append((runs[-1][1] - runs[0][0] + 1) / rate)
    facts.spans, facts.pieces = tuple(spans), tuple(pieces)
    runs = stretches(_over(seen, sigma), bridge)
    onset, end = t0 + runs[0][0] / fs, t0 + (runs[-1][1] + 1) / fs
    power = np.abs(np.fft.rfft(seen)) ** 2
    rate = np.fft.rfftfreq(seen.size, 1 / fs)
    facts.low_share = float(power[rate < 20].sum() / max(power.sum(), 1e-12))
    lengths, onsets, rise = [], [], 0.0
    peak = np.abs(seen).max()
    for piece in plan_pieces:
        part, p0 = _layer(device, [piece])
        one = device.analogue(part)
        size = np.abs(one)
        level = min(max(1.5 * sigma, 0.03 * peak), 0.5 * size.max())
        places = np.flatnonzero(size > level)
        onsets.append(p0 + places[0] / fs)
        lengths.append((places[-1] - places[0] + 1) / fs)
        rise = max(rise, (int(np.argmax(size)) - places[0]) / fs)
    facts.bursts, facts.burst_lengths, facts.rise = tuple(onsets), tuple(lengths), rise
    onset, end = min(onset, onsets[0]), max(end, onsets[-1] + lengths[-1])
    facts.onset = onset
    ends = stretches(_over(band, sigma), bridge)             # a tail under 20 Hz alone is no EMG activity
    facts.band_end = max(t0 + (ends[-1][1] + 1) / fs, onsets[-1] + 2 / fs)
    return onset, end


def movement_facts(device, plan_pieces, sigma, facts):
    """Rise over rest of the 0.15-s RMS in 10-100 Hz, and the length from +8 to the last +2 µV."""
    fs = device.emg_fs
    layer, _ = _layer(device, plan_pieces, 0.5, 1.0)
    power = device.band(device.analogue(layer), 10.0, 100.0) ** 2
    n = max(1, int(0.15 * fs))
    rms = np.sqrt(np.maximum(np.convolve(power, np.ones(n) / n, "same"), 0) + sigma ** 2) - sigma
    facts.lift = float(rms.max())
    high = np.flatnonzero(rms >= 8.0)
    if high.size:
        runs = [r for r in stretches(rms > 2.0, int(0.5 * fs)) if r[1] >= high[0]]
        facts.lm_seconds = (runs[-1][1] - high[0] + 1) / fs


def acc_facts(device, start, acc, gravity, bursts, facts):
    """Fill the accelerometer side. `start` in s; `acc` noise-free dynamic part at the fine rate. Returns (onset, end)."""
    fine, fs = device.acc_fine, device.acc_fs
    lead = int(round(0.5 * fine))
    lead -= lead % device.acc_over
    first = int(round(start * fine)) - lead
    shift = first % device.acc_over
    wide = np.concatenate([np.repeat(acc[:, :1] * 0, lead + shift, 1), acc, np.repeat(acc[:, -1:], int(0.8 * fine), 1)], axis=1)
    t0 = (first - shift) / fine
    true = above_half_hertz(wide, fine)
    size = np.linalg.norm(true, axis=0)
    facts.g_true = float(size.max())
    smooth = sosfiltfilt(butter(2, 40.0, "low", fs=fine, output="sos"), wide, axis=1)
    lag = int(round(0.01 * fine))
    facts.j_true = float(np.linalg.norm(smooth[:, lag:] - smooth[:, :-lag], axis=0).max() * fine / lag)
    column = gravity[:, None]
    sampled = np.clip(device.sensor(wide) + column, -device.acc_range_g, device.acc_range_g) - column
    seen = np.linalg.norm(above_half_hertz(sampled, fs), axis=0)
    facts.g_seen = float(seen.max())
    facts.j_seen = float(np.linalg.norm(np.diff(sampled, axis=1), axis=0).max() * fs)
    when = t0 + np.arange(seen.size) / fs
    near = np.zeros(seen.size, bool)
    for burst in bursts or (start,):
        near |= (when >= burst - 0.02 - 0.5 / fs) & (when <= burst + 0.15 + 0.5 / fs)
    facts.g_near = float(seen[near].max()) if near.any() else 0.0
    peak = size.max()
    level = min(max(0.015, 0.05 * peak), 0.5 * peak)
    times = t0 + np.arange(size.size) / fine
    last_burst = bursts[-1] if bursts else start
    loud = np.flatnonzero(size > level)
    begin = max(times[loud[0]], last_burst - 0.02)
    facts.acc_seconds = float(max(0.0, times[loud[-1]] - begin))
    quiet = min(max(3.0 * device.acc_noise_g, 0.03 * peak), 0.5 * peak)
    first_moved = np.flatnonzero(np.linalg.norm(wide, axis=0) > quiet)          # before any high-pass: no ringing
    last_moved = np.flatnonzero(np.linalg.norm(wide - wide[:, -1:], axis=0) > quiet)
    a, b = int(first_moved[0]), int(max(first_moved[0] + 1, last_moved[-1] if last_moved.size else 0))
    facts.acc_to_peak = float(times[np.argmax(size)] - times[a])
    facts.axes_over15 = int((np.abs(true).max(axis=1) > 0.015).sum())
    loud = size > 0.015
    loud[:a] = False
    loud[b:] = False
    facts.acc_over15 = max([(j - i + 1) / fine for i, j in stretches(loud, int(0.3 * fine))], default=0.0)
    facts.acc_hold = max([(j - i + 1) / fine for i, j in stretches(loud, int(1.2 * fine))], default=0.0)
    return float(times[a]), float(times[b])


def blank_facts():
    return Facts()
