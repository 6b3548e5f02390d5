"""The tables of errors by rate, and the page with them."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Bursts shorter and longer than this have rows of their own, s.
SHORT_S = 0.03
KEY = ["origin", "seed", "row"]


def tables(rows: pd.DataFrame) -> str:
    """Return both tables as Markdown."""
    return f"{emg_table(rows)}\n\n{acc_table(rows)}\n"


def paired(rows: pd.DataFrame, sensor: str, kinds: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows of a sensor beside the same events at the highest rates."""
    rows = rows[rows.kind.isin(kinds)]
    reference = rows[rows.sensor == "reference"].drop(columns=["sensor", "fs", "soft", "minutes"])
    return rows[rows.sensor == sensor].merge(reference, on=KEY, suffixes=("", "_ref"))


def _groups(table: pd.DataFrame) -> list[tuple[float, bool, pd.DataFrame]]:
    return [
        (fs, soft, table[(table.fs == fs) & (table.soft == soft)])
        for fs in sorted(table.fs.unique(), reverse=True)
        for soft in (False, True)
    ]


def spread(x: pd.Series, digits: int = 2) -> str:
    """Return the median and, in brackets, the 10th and 90th percentile."""
    x = x.dropna()
    if len(x) < 5:
        return "–"
    low, mid, high = np.quantile(x, (0.1, 0.5, 0.9))
    return f"{mid:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def emg_table(rows: pd.DataFrame) -> str:
    """Return errors by the rate of the EMG."""
    both = paired(rows, "emg", ("twitch",))
    jerks = rows[(rows.sensor == "emg") & (rows.kind == "jerk")]
    lines = [
        "| EMG, Hz | filter of the device | size, share of that at 4000 Hz | onset, ms | "
        "duration under 30 ms, ms | duration from 30 ms, ms | rise, ms | twitches found | "
        "of large ones | jerks found | false twitches an hour |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for fs, soft, t in _groups(both):
        longer = t.duration_ref >= SHORT_S
        error = 1000 * (t.duration - t.duration_ref)
        j = jerks[(jerks.fs == fs) & (jerks.soft == soft)]
        once = t.drop_duplicates(["origin", "seed"])
        hours = once.minutes.sum() / 60
        size = t.amplitude_uv / t.amplitude_uv_ref
        cells = [
            f"{fs:g}", "soft" if soft else "sharp", spread(size),
            spread(1000 * (t.onset - t.onset_ref), 1), spread(error[~longer], 1),
            spread(error[longer], 1), spread(t.rise_ms - t.rise_ms_ref, 1), f"{t.hit.mean():.3f}",
            f"{t.hit[t.snr > 30].mean():.3f}", f"{j.hit.mean():.3f}",
            f"{once.false_twitches.sum() / hours:.1f}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    r = rows[rows.sensor == "reference"]
    lines.append(f"| 4000 | none | 1 | 0 | 0 | 0 | 0 | {r.hit[r.kind == 'twitch'].mean():.3f} | "
                 f"{r.hit[(r.kind == 'twitch') & (r.snr > 30)].mean():.3f} | "
                 f"{r.hit[r.kind == 'jerk'].mean():.3f} | |")  # fmt: skip
    return "\n".join(lines)


def acc_table(rows: pd.DataFrame) -> str:
    """Return errors by the rate of the acceleration."""
    both = paired(rows, "acc", ("jerk",))
    lines = [
        "| acceleration, Hz | filter of the device | peak, share of that at 500 Hz | "
        "rate of change, share of that at 500 Hz | jerks found | of | called twitch | "
        "other grade | false jerks an hour |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for fs, soft, t in _groups(both):
        seen = t[t.peak_g.notna() & t.peak_g_ref.notna()]
        change = seen.jerk_g_s / seen.jerk_g_s_ref
        once = t.drop_duplicates(["origin", "seed"])
        cells = [
            f"{fs:g}", "soft" if soft else "sharp", spread(seen.peak_g / seen.peak_g_ref),
            spread(change) if change.notna().any() else "not judged", f"{t.hit.sum()}",
            f"{len(t)}", f"{(t.called == 'twitch').sum()}",
            f"{(seen.grade != seen.grade_ref).mean():.2f}",
            f"{once.false_jerks.sum() / (once.minutes.sum() / 60):.1f}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page(rows: pd.DataFrame, hours: float) -> str:
    """Return the page."""
    twitches = (rows.sensor == "reference") & (rows.kind == "twitch")
    jerks = (rows.sensor == "reference") & (rows.kind == "jerk")
    return PAGE.format(
        hours=hours, twitches=twitches.sum(), jerks=jerks.sum(), emg=emg_table(rows),
        acc=acc_table(rows),
    )  # fmt: skip


PAGE = """# Sampling rates

Made by `python -m benchmarks.sampling_rates`. A sensor shows nothing above half of its sampling
rate. This page measures what that does to sizes, times and counts.

The recordings last {hours:.1f} h at 4000 Hz (EMG) and 500 Hz (acceleration). They hold {twitches}
twitches and {jerks} jerks of four composers, each with waveforms of its own. One uses real and
drawn motor units. The others are the [blind kits](accuracy-blind.md) `kit_a`, `kit_c` and `kit_d`.
All are made slower as devices do it, and analysed at each rate.

A *sharp* filter passes nearly everything below half of the rate. A *soft* one of EMG is the
third-order sinc of a sigma-delta converter, with half of the power at 0.26 of the rate. A *soft*
one of acceleration is a second-order filter at 0.4 of the rate.

## What to record with

| | good | with the limits below | else |
|---|---|---|---|
| EMG | 500 Hz and more | 200 to 400 Hz | lower rates are refused |
| acceleration | 100 Hz and more | 25 to 60 Hz | lower rates are refused |

The notes of the report and of `summary.json` say what is **not judged**:

- EMG below 400 Hz: durations under 20 ms. Sizes read low. How much depends on the filter of the
  device, which is not known, so no correction is applied.
- Acceleration below 60 Hz: whether a jerk is stronger than its grade. Peak and rate of change read
  low, so the grade is a lower limit.
- Acceleration below 40 Hz: the rate of change. `jerk_g_s` is empty, and more weak jerks are missed.

Below 400 Hz two limits of EMG are lower. The smallest twitch is reduced by what the rate hides of
its size: 50 µV become 41 µV at 250 Hz and 35 µV at 200 Hz, but never less than ten times the noise.
Short bursts are accepted from a probability of 0.35 on, because little distinguishes a potential
from an artefact. Such events have a confidence below one half.

## What is done about it

- Bursts at less than 1000 Hz are interpolated to at least 1000 Hz before they are measured
  ([`interpolation.py`](../src/twitchsense/detect/candidates/interpolation.py)). The low-pass that
  would weaken the upper part of the band is left out. Detection itself runs on the samples.
- Movements at less than 60 Hz are interpolated to at least 100 Hz.
- A burst begins and ends at a tenth of its peak; at 250 Hz at 16 %, at 200 Hz at 20 %. What a
  narrow band leaves of a short potential rings.

## EMG

The numbers are medians of the difference from what is measured at 4000 Hz. The 10th and the 90th
percentile stand in brackets. Acceleration is at 100 Hz. Large twitches are those of more than 30
times the noise.

{emg}

## Acceleration

The numbers are ratios to what is measured at 500 Hz. EMG is at 1000 Hz.

{acc}
"""
