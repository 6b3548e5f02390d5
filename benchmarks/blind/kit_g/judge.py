"""Measures the truth of every placed event on the noise-free recording and settles its kind."""
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from .records import FloatArray, Truth

if TYPE_CHECKING:
    from .bench import Night, Pending

Accs = tuple[FloatArray, FloatArray, FloatArray]
HARD = ("twitch", "brief_contraction", "jerk", "movement")


def local_noise(night: Night, levels: list[FloatArray], channel: int, t: float) -> float:
    """Noise RMS (20-450 Hz, microvolts) within 5 s of `t`, converter steps included."""
    assert night.amp is not None
    power, fs = levels[channel], night.amp.fs
    i = int(np.clip((t - 5) * fs, 0, len(power) - 2))
    j = int(np.clip((t + 5) * fs, i + 1, len(power) - 1))
    return float(np.sqrt((power[j] - power[i]) / (j - i) + night.amp.lsb ** 2 / 12))


def _vector(acc: FloatArray, fs: float, start: float, end: float) -> FloatArray:
    i, j = max(0, int(start * fs)), max(int(start * fs) + 2, int(end * fs) + 1)
    return np.asarray(acc[:, i:j])


def _emg_span(night: Night, e: Pending, rms: float) -> tuple[float, float, list[float]]:
    """First and last activity above noise, and the onset of every burst (s)."""
    assert night.amp is not None
    delay = night.amp.delay()
    if e.env is not None:
        i0, wave = e.bursts[0]
        # The envelope is the mean rectified value: first and last activity that noise does not hide.
        high, low = max(3.0, 0.8 * rms), max(2.0, 0.6 * rms)
        above = np.flatnonzero(e.env >= min(high, 0.6 * float(e.env.max())))
        still = np.flatnonzero(e.env >= min(low, 0.5 * float(e.env.max())))
        return (i0 + above[0]) / night.fs + delay, (i0 + still[-1]) / night.fs + delay, [(i0 + above[0]) / night.fs + delay]
    onsets, ends = [], []
    for i0, wave in e.bursts:
        peak = float(np.max(np.abs(wave)))
        hit = np.flatnonzero(np.abs(wave) > np.clip(rms, 0.05 * peak, 0.15 * peak))
        onsets.append((i0 + hit[0]) / night.fs + delay)
        ends.append((i0 + hit[-1]) / night.fs + delay)
    return min(onsets), max(ends), onsets


def judge(night: Night, bands: list[FloatArray], levels: list[FloatArray], accs: Accs) -> list[Truth]:
    """Truth rows in time order.

    Parameters
    ----------
    bands, levels : list of array
        Per channel: noise-free events in 20-450 Hz, and cumulated noise power there.
    accs : tuple of array
        Noise-free acceleration: as sensed, high-passed at 0.5 Hz, the latter with knocks.
    """
    seen = [e for e in night.events
            if e.span is not None or (night.amp is not None and e.bursts) or (night.acc is not None and e.acc_at is not None)]
    rows = [_row(night, e, bands, levels, accs) for e in seen]
    rows.sort(key=lambda r: r.onset)
    return _overlaps(rows)


def _acc_span(e: Pending, fs: float, raw: FloatArray, clean: FloatArray, fs_emg: float) -> tuple[float, float, list[float]]:
    """First and last acceleration, and the onset of every burst, where there is no EMG."""
    assert e.acc_at is not None
    i0, i1 = max(0, int((e.acc_at - 0.05) * fs)), int((e.acc_at + e.acc_dur) * fs) + 1
    away = np.linalg.norm(raw[:, i0:i1] - raw[:, i0: i0 + 1], axis=0)
    length = np.linalg.norm(clean[:, i0:i1], axis=0)
    first = np.flatnonzero(away > np.clip(0.03 * float(away.max()), 0.004, 0.02))
    last = np.flatnonzero(length > max(0.006, 0.06 * float(length.max())))
    onset = (i0 + (int(first[0]) if len(first) else 0)) / fs
    end = (i0 + (int(last[-1]) if len(last) else 1)) / fs
    return onset, max(end, onset + 1 / fs), [onset + (i - e.bursts[0][0]) / fs_emg for i, _ in e.bursts] or [onset]


def _row(night: Night, e: Pending, bands: list[FloatArray], levels: list[FloatArray], accs: Accs) -> Truth:
    amp, acc = night.amp, night.acc
    raw, clean, every = accs
    kind, note = e.kind, e.note
    pp = snr = peak_g = rms = 0.0
    jerk = 0.0
    has_emg = amp is not None and bool(e.bursts)
    if acc is not None and e.acc_at is not None:
        v = _vector(clean, acc.fs, e.acc_at - 0.02, e.acc_at + e.acc_dur)
        length = np.linalg.norm(v, axis=0)
        peak_g = float(length.max())
        jerk = float(np.max(np.linalg.norm(np.diff(v, axis=1), axis=0))) * acc.fs
    if has_emg:
        t_mid = e.bursts[0][0] / night.fs
        rms = local_noise(night, levels, e.channel, t_mid)
        onset, end, bursts = _emg_span(night, e, rms)
        pp = max(float(np.ptp(w)) for _, w in e.bursts)
        assert amp is not None
        b = bands[e.channel][max(0, int((onset - 0.005) * amp.fs)): int((end + 0.012) * amp.fs) + 1]
        snr = float(np.ptp(b)) / max(rms, 1e-9) if len(b) else 0.0
        if e.channel:
            note += "; strongest on emg2"
    elif e.span is not None:
        onset, end = e.span
        bursts, pp = [onset], e.size_uv
        if amp is not None:
            snr = pp / max(local_noise(night, levels, e.channel, onset), 1e-9)
        if e.kind == "artefact" and acc is not None and e.acc_at is not None:
            peak_g = float(np.linalg.norm(_vector(every, acc.fs, e.acc_at - 0.02, e.acc_at + e.acc_dur), axis=0).max())
    else:
        assert acc is not None and e.acc_at is not None
        onset, end, bursts = _acc_span(e, acc.fs, raw, clean, night.fs)
    dur = end - onset
    if not has_emg and kind == "jerk" and (peak_g < 0.18 or jerk < 6.0):
        kind, note = "unclear", note + "; acceleration on the limit"
    if not has_emg and kind == "movement" and (peak_g < 0.03 or not 0.6 <= dur <= 9.5):
        kind, note = "unclear", note + "; acceleration or duration on the limit"
    if has_emg and not e.in_activity and kind in HARD:
        kind, note = _settle(night, e, kind, note, onset, end, dur, peak_g, jerk, every, rms)
    return Truth(float(onset), float(dur), kind, e.waveform, pp, snr, peak_g, tuple(float(x) for x in bursts),
                 e.in_activity, note)


def _settle(night: Night, e: Pending, kind: str, note: str, onset: float, end: float, dur: float, peak_g: float,
            jerk: float, every: FloatArray, rms: float) -> tuple[str, str]:
    """Apply the published limits; what lies on a limit becomes unclear."""
    if kind in ("twitch", "brief_contraction"):
        if dur > 0.17 and kind == "twitch":
            kind = "brief_contraction"
        if 0.135 < dur <= 0.17 or dur > 0.47:
            kind, note = "unclear", note + "; duration on the 150/500 ms limit"
        near = 0.0
        if night.acc is not None:
            near = float(np.linalg.norm(_vector(every, night.acc.fs, onset - 0.06, onset + 0.22), axis=0).max())
        if max(near, peak_g) > 0.06:
            kind, note = "unclear", note + "; acceleration close by makes it jerk-like"
    elif kind == "jerk" and night.acc is not None and (peak_g < 0.125 or jerk < 6.0):
        kind, note = "unclear", note + f"; acceleration on the limit ({jerk:.1f} g/s)"
    elif kind == "movement":
        i0, wave = e.bursts[0]
        long_arv = uniform_filter1d(np.abs(wave), int(0.15 * night.fs))
        if float(np.mean(long_arv > 8.5)) * len(wave) / night.fs < 0.15:
            kind, note = "unclear", note + "; never clearly above +8 microvolts"
        elif float(np.percentile(long_arv, 75)) < 0.8 * rms:
            kind, note = "unclear", note + "; under the resting noise"
        if not 0.53 <= dur <= 9.7:
            kind, note = "unclear", note + "; duration on the 0.5/10 s limit"
    return kind, note


def _overlaps(rows: list[Truth]) -> list[Truth]:
    """Events that another row hides become unclear (activity rows do not count)."""
    out = list(rows)
    for i, r in enumerate(rows):
        if r.in_activity or r.kind not in ("twitch", "brief_contraction"):
            continue
        for j, o in enumerate(rows):
            if j == i or o.in_activity or o.waveform == "cable":
                continue
            if r.onset < o.onset + o.duration + 0.06 and o.onset < r.onset + r.duration + 0.06:
                out[i] = replace(r, kind="unclear", note=r.note + f"; overlaps {o.kind} {o.waveform}")
                break
    return out
