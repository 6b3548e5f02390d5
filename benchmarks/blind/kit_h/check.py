"""Numeric self-check of composed recordings: `python -m kit_h.check 1 [family ...]`. Looks at the recorded signals afresh."""
import sys

import numpy as np
from scipy.signal import butter, sosfiltfilt

from . import FAMILIES, compose

SCORED = ("twitch", "jerk", "movement", "gross_movement", "posture_change", "brief_contraction")


def _filled(x):
    """Lost samples bridged by straight lines, only for measuring here."""
    bad = np.isnan(x)
    return np.interp(np.arange(x.size), np.flatnonzero(~bad), x[~bad]) if bad.any() else x


def check(made):
    """List of complaints and a few figures about one recording."""
    bad, meta = [], made.meta
    for name, (x, fs) in made.signals.items():
        if x.size != round(meta["seconds"] * fs):
            bad.append(f"{name}: {x.size} samples, wanted {meta['seconds'] * fs}")
        if np.isnan(x).any() and not any(r.waveform == "lost packet" for r in made.truth):
            bad.append(f"{name}: NaN without a row")
    onsets = [r.onset for r in made.truth]
    if onsets != sorted(onsets):
        bad.append("rows out of order")
    bands = []
    for name in ("emg1_uv", "emg2_uv"):
        if name in made.signals:
            x, fs = made.signals[name]
            bands.append((sosfiltfilt(butter(2, [20, min(450, 0.45 * fs)], "band", fs=fs, output="sos"), _filled(x)), fs))
    motion = None
    if "acc_x_g" in made.signals:
        fs_acc = made.signals["acc_x_g"][1]
        acc = np.array([_filled(made.signals[f"acc_{a}_g"][0]) for a in "xyz"])
        motion = np.linalg.norm(sosfiltfilt(butter(2, 0.5, "high", fs=fs_acc, output="sos"), acc, axis=1), axis=0)
    snr_off, g_off = [], []
    for r in made.truth:
        tag = f"{r.kind} at {r.onset:.2f}"
        if not (0 <= r.onset and r.onset + r.duration <= meta["seconds"] and r.duration > 0):
            bad.append(f"{tag}: outside, or no length")
        if any(b < r.onset - 1e-3 or b > r.onset + r.duration for b in r.bursts):
            bad.append(f"{tag}: burst outside the row")
        if list(r.bursts) != sorted(r.bursts):
            bad.append(f"{tag}: bursts out of order")
        if r.kind not in SCORED:
            continue
        if r.kind == "twitch" and not (0.005 <= r.duration <= 0.15 and r.amplitude_uv >= 50 and r.snr >= 8 and r.peak_g < 0.1):
            bad.append(f"{tag}: not a twitch {r}")
        if r.kind == "jerk":
            if r.peak_g < 0.1 or (bands and (r.snr < 8 or (len(r.bursts) == 1 and not 0.010 <= r.duration <= 0.3))):
                bad.append(f"{tag}: not a jerk {r}")
            gaps = np.diff(r.bursts)
            if gaps.size and not (gaps.min() > 0.03 and gaps.max() < 0.6):
                bad.append(f"{tag}: burst gaps {gaps}")
        if r.kind == "movement" and not 0.5 <= r.duration <= 10:
            bad.append(f"{tag}: length {r.duration}")
        if r.kind == "brief_contraction" and not 0.15 < r.duration < 0.5:
            bad.append(f"{tag}: length {r.duration}")
        if r.kind == "gross_movement" and r.duration < 3:
            bad.append(f"{tag}: length {r.duration}")
        if r.kind in ("twitch", "jerk"):
            for o in made.truth:
                if o is not r and o.kind in SCORED and o.onset < r.onset + r.duration and r.onset < o.onset + o.duration and not r.in_activity:
                    bad.append(f"{tag}: overlaps {o.kind}")
            if bands:
                best = 0.0
                for band, fs in bands:
                    part = band[max(0, int((r.onset - 0.012) * fs)):int((r.onset + r.duration + 0.012) * fs) + 1]
                    best = max(best, np.ptp(part))
                lone = [abs(r.onset - o.onset) > 2 for o in made.truth if o is not r]
                if all(lone) and r.snr > 15:
                    around = np.concatenate([bands[0][0][int((r.onset - 1.4) * fs):int((r.onset - 0.1) * fs)],
                                             bands[0][0][int((r.onset + r.duration + 0.15) * fs):int((r.onset + r.duration + 1.4) * fs)]])
                    snr_off.append(best / np.sqrt(np.mean(around ** 2)) / r.snr if len(bands) == 1 else 1.0)
            if motion is not None and r.kind == "jerk":
                part = motion[max(0, int((r.onset - 0.1) * fs_acc)):int((r.onset + r.duration + 0.6) * fs_acc)]
                g_off.append(part.max() - r.peak_g)
    return bad, snr_off, g_off


def main():
    seed = int(sys.argv[1])
    for family in sys.argv[2:] or FAMILIES:
        made = compose(family, seed)
        bad, snr_off, g_off = check(made)
        middle = np.round(np.percentile(snr_off, [5, 50, 95]), 2) if snr_off else "-"
        motion = np.round(np.percentile(g_off, [5, 50, 95]), 3) if g_off else "-"
        print(f"{family}: {len(made.truth)} rows, seen/true SNR {middle}, seen-true g {motion}, complaints {len(bad)}", flush=True)
        for line in bad:
            print("   ", line)


if __name__ == "__main__":
    main()
