"""Numeric self-checks; run as `python -m kit_i.check [seed] [family ...]`."""

import sys
import time
from collections import Counter

import numpy as np

from . import FAMILIES, KINDS, compose


def faults(c):
    """What breaks the interface or the definitions, in words."""
    out = []
    x, fs = next(iter(c.signals.values()))
    whole = len(x) / fs
    has_emg = any(k.startswith("emg") for k in c.signals)
    for name, (y, rate) in c.signals.items():
        if y.dtype != np.float64 or not rate > 0:
            out.append(f"{name}: type or rate")
        if abs(len(y) / rate - whole) > 0.2:
            out.append(f"{name}: another length")
        if np.isnan(y).any() and c.meta["family"] != "electrode_storm":
            out.append(f"{name}: not a number")
    last = -1.0
    for r in c.truth:
        if r.kind not in KINDS:
            out.append(f"kind {r.kind}")
        if r.onset < last:
            out.append(f"order at {r.onset:.2f}")
        last = r.onset
        if r.onset < 0 or r.onset + r.duration > whole or r.duration <= 0:
            out.append(f"outside: {r.kind} {r.onset:.2f}+{r.duration:.3f}")
        if not np.isfinite([r.onset, r.duration, r.snr, r.peak_g, r.amplitude_uv]).all():
            out.append(f"not finite at {r.onset:.2f}")
        d = r.duration
        if r.kind == "twitch" and not (0.005 <= d <= 0.25 and has_emg):
            out.append(f"twitch of {d:.3f} s at {r.onset:.2f}")
        if r.kind == "twitch" and d > 0.15 and "doublet" not in r.note:
            out.append(f"long twitch {d:.3f}")
        if r.kind == "jerk" and r.peak_g < 0.1:
            out.append(f"jerk of {r.peak_g:.3f} g")
        if r.kind == "jerk" and len(r.bursts) == 1 and has_emg and not 0.01 <= d <= 0.3:
            out.append(f"jerk of {d:.3f} s")
        if r.kind == "brief_contraction" and not 0.15 < d < 0.5:
            out.append(f"brief {d:.3f}")
        if r.kind == "movement" and not 0.5 <= d <= 10:
            out.append(f"movement {d:.3f}")
        if r.kind == "gross_movement" and not d > 3:
            out.append(f"gross {d:.3f}")
        if r.bursts and r.kind not in ("artefact", "unclear") and (min(r.bursts) < r.onset - 0.3 or max(r.bursts) > r.onset + d + 0.3):
            out.append(f"bursts outside their row ({r.kind} {r.waveform} at {r.onset:.2f})")
    return out


def again_the_same(family, seed):
    a, b = compose(family, seed), compose(family, seed)
    same = a.truth == b.truth
    return same and all(np.array_equal(a.signals[k][0], b.signals[k][0], equal_nan=True) for k in a.signals)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    whole, hours = Counter(), 0.0
    for family in sys.argv[2:] or FAMILIES:
        t = time.time()
        c = compose(family, seed)
        bad = faults(c)
        kinds = Counter(r.kind for r in c.truth)
        whole.update(kinds)
        hours += c.meta["seconds"] / 3600
        print(f"{family:18s} {c.meta['device']:19s} {c.meta['seconds'] / 60:5.1f} min {time.time() - t:5.1f} s "
              f"noise {c.meta['noise_uv_rms']:.1f} {dict(kinds)}")
        why = Counter((r.note.split(';')[-1].strip()[:60], r.waveform.split('+')[0]) for r in c.truth if r.kind == "unclear")
        for (note, wave), n in why.most_common(5):
            print(f"      {n:3d} unclear {wave}: {note}")
        for b in bad[:6]:
            print("      FAULT", b)
    print(f"{hours:.2f} h", dict(whole))


if __name__ == "__main__":
    main()
