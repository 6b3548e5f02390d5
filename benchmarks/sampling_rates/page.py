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
        once = t.drop_duplicates(["origin", "seed"])
        lines.append(
            f"| {fs:g} | {'soft' if soft else 'sharp'} | {spread(seen.peak_g / seen.peak_g_ref)}"
            f" | {spread(seen.jerk_g_s / seen.jerk_g_s_ref)} | {int(t.hit.sum())} | {len(t)}"
            f" | {int((t.called == 'twitch').sum())}"
            f" | {(seen.grade != seen.grade_ref).mean():.2f}"
            f" | {once.false_jerks.sum() / (once.minutes.sum() / 60):.1f} |"
        )
    return "\n".join(lines)


def page(rows: pd.DataFrame, hours: float) -> str:
    """Return the page."""
    return tables(rows)
