"""Error of measured burst durations and onsets, and its dependence on `EDGE_SHARE`.

Bursts of band-limited noise (20-250 Hz, the spectrum of muscle) of known length
are added to band-limited noise, with sharp edges and with 20 % raised-cosine flanks.
The table lists the median errors for several values of `EDGE_SHARE`.

    python benchmarks/burst_duration.py [--fs 1000]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy import signal

from twitchsense import Recording, Settings
from twitchsense.detect.candidates import burst_window
from twitchsense.detect.detector import Detector

DURATIONS_MS = (10, 15, 20, 25, 35, 50, 75, 100, 150, 200, 250, 300, 400, 500)


def band_noise(n: int, fs: float, top_hz: float, rng: np.random.Generator) -> np.ndarray:
    """Return unit-RMS noise between 20 Hz and `top_hz`."""
    sos = signal.butter(4, [20, min(top_hz, 0.45 * fs)], "bandpass", fs=fs, output="sos")
    x = signal.sosfilt(sos, rng.normal(size=n + 2000))[2000:]
    return x / x.std()


def staircase(
    fs: float, snr_db: float, flank: float, repeats: int, seed: int
) -> tuple[Recording, pd.DataFrame]:
    """Return a recording with one burst every 4 s, and the true onsets and durations (s)."""
    rng = np.random.default_rng(seed)
    lengths = np.tile(DURATIONS_MS, repeats)
    rng.shuffle(lengths)
    noise_uv, n = 3.0, round((20 + 4 * len(lengths)) * fs)
    x = noise_uv * band_noise(n, fs, 450, rng)
    onsets = 15 + 4.0 * np.arange(len(lengths)) + rng.uniform(0, 1, len(lengths))
    level = noise_uv * 10 ** (snr_db / 20)
    for onset, ms in zip(onsets, lengths, strict=True):
        # cut from a longer piece, so that short bursts have the requested level
        m = round(ms / 1000 * fs)
        body = band_noise(m + 400, fs, 250, rng)[200 : 200 + m]
        body *= level / np.sqrt(np.mean(body**2))
        body *= signal.windows.tukey(m, flank) if flank else 1.0
        first = round(onset * fs)
        x[first : first + m] += body
    truth = pd.DataFrame({"onset": np.round(onsets * fs) / fs, "duration": lengths / 1000})
    return Recording.from_arrays({"emg1_uv": (x, fs)}), truth


def errors(recording: Recording, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the truth with the errors (ms) of the nearest candidate."""
    detector = Detector(Settings(), recording.channels)
    for chunk in recording.chunks():
        detector.push(chunk)
    found = detector.close()
    rows = pd.concat([found.events, found.rejected])[["onset", "duration"]].to_numpy()
    out = truth.copy()
    if len(rows) == 0:
        return out.assign(found=False, onset_ms=np.nan, duration_ms=np.nan)
    near = np.abs(truth.onset.to_numpy()[:, None] - rows[None, :, 0])
    best = near.argmin(axis=1)
    out["found"] = near.min(axis=1) < 0.1
    out["onset_ms"] = (rows[best, 0] - truth.onset) * 1000
    out["duration_ms"] = (rows[best, 1] - truth.duration) * 1000
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fs", type=float, default=1000.0)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.2, 0.25, 0.3, 0.4])
    args = parser.parse_args()
    rows = []
    chosen = burst_window.EDGE_SHARE
    for flank in (0.0, 0.4):
        for snr_db in (10, 15, 20, 30, 40):
            recording, truth = staircase(args.fs, snr_db, flank, args.repeats, seed=int(snr_db))
            for share in args.shares:
                burst_window.EDGE_SHARE = share
                e = errors(recording, truth)
                ok = e[e.found]
                rows.append(
                    {
                        "flanks": "sharp" if flank == 0 else "raised cosine, 20 % each",
                        "snr_db": snr_db,
                        "share": share,
                        "found_%": round(100 * e.found.mean(), 1),
                        "onset_ms": round(ok.onset_ms.median(), 1),
                        "|onset|_ms": round(ok.onset_ms.abs().median(), 1),
                        "duration_ms": round(ok.duration_ms.median(), 1),
                        "|duration|_ms": round(ok.duration_ms.abs().median(), 1),
                    }
                )
    burst_window.EDGE_SHARE = chosen
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
