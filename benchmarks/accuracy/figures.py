"""Figures of the accuracy page: curves, reliability, and the worst misses and false alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from benchmarks.accuracy.nights import Arrays
from benchmarks.accuracy.results import MATCHED, OURS, Results
from benchmarks.accuracy.score import KINDS, Score
from benchmarks.accuracy.sections import TIMED
from benchmarks.accuracy.tally import by_confidence, by_snr, false_alarms, misses
from twitchsense.scoring.indices.confidence_intervals import binomial_interval

mpl.use("Agg")

COLOURS = ("#1b6ca8", "#c2571a", "#3a7d44", "#7a4fa3", "#8a8a8a")
ROWS, COLUMNS = 3, 4
#: A row longer than this is shown around its onset only.
WINDOW_S = 12.0


def _curve(axes: plt.Axes, score: Score, kind: str, label: str, colour: str, style: str) -> None:
    steps = by_snr(score, kind)
    if not steps:
        return
    x, hit, n = (np.array(v) for v in zip(*steps, strict=True))
    low, high = binomial_interval(hit, n)
    axes.plot(x, hit / n, style, color=colour, label=label, lw=1.5, ms=4)
    axes.fill_between(x, low, high, color=colour, alpha=0.12, lw=0)


def curves(every: Score, compared: dict[str, Score], path: Path) -> None:
    """Draw sensitivity over signal to noise: by kind, and beside others."""
    panels = 2 if compared else 1
    figure, grid = plt.subplots(1, panels, figsize=(4.5 * panels, 3.6), sharey=True, squeeze=False)
    left, right = grid[0, 0], grid[0, -1]
    for kind, colour in zip(KINDS, COLOURS, strict=False):
        _curve(left, every, kind, kind, colour, "o-")
    left.set_title("twitchsense, by kind")
    for i, (who, score) in enumerate(compared.items()):
        style = {OURS: "o-", MATCHED: "s--"}.get(who, ".-")
        _curve(right, score, "twitch", who, COLOURS[i % len(COLOURS)], style)
    if compared:
        right.set_title("twitches, the same shorter recordings")
    for axes in (left, right):
        axes.set(xscale="log", ylim=(-0.03, 1.03), xlabel="peak to peak / RMS of the noise")
        axes.set_xticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, loc="lower right")
    left.set_ylabel("sensitivity")
    _save(figure, path)


def reliability(score: Score, path: Path) -> None:
    """Draw how often an event of each confidence is right."""
    figure, axes = plt.subplots(figsize=(4, 3.8))
    axes.plot([0, 1], [0, 1], color="0.7", lw=1)
    steps = by_confidence(score)
    if steps:
        x, right, n = (np.array(v) for v in zip(*steps, strict=True))
        low, high = binomial_interval(right, n)
        share = right / n
        axes.errorbar(x, share, [share - low, high - share], fmt="o", color=COLOURS[0], ms=4)
        for a, b, count in zip(x, share, n, strict=True):
            axes.annotate(str(count), (a, b), (5, -9), textcoords="offset points", fontsize=7)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
    axes.grid(alpha=0.3)
    _save(figure, path)


def worst(results: Results, table: str) -> pd.DataFrame:
    """Return the worst of each cause: missed targets by what rejected them, or false alarms."""
    parts = []
    for place, score in results.scores.items():
        if place.who == OURS and not place.minutes and place.scenario in TIMED:
            rows = misses(score) if table == "targets" else false_alarms(score)
            if len(rows):
                parts.append(rows.assign(**place._asdict()))
    return worst_of_each(pd.concat(parts, ignore_index=True), []) if parts else pd.DataFrame()


def worst_of_each(rows: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Return one miss or false alarm of each group and cause, those of frequent causes first.

    Of missed targets it is the largest, of false alarms the one of the highest confidence. The
    cause of a miss is what rejected its candidates, that of a false alarm its kind and the
    artefacts near it. The column `n` holds how many there are.
    """
    if "verdict" in rows:
        cause = rows.trial_type + ": " + rows.cause.replace("", "no artefact near")
        rank = rows.confidence
    else:
        cause = rows.trial_type + ": " + rows.reason.replace("", "no candidate")
        rank = rows.snr.fillna(rows.peak_g * 100)
    table = rows.assign(why=cause, rank=rank.fillna(0.0))
    by = [*groups, "why"]
    table["n"] = table.groupby(by)["rank"].transform("size")
    return (
        table.sort_values(["n", "rank"], ascending=False, kind="stable")
        .drop_duplicates(by)
        .reset_index(drop=True)
        .head(ROWS * COLUMNS)
    )


def gallery(
    rows: pd.DataFrame, compose: Callable[[Any], tuple[Arrays, pd.DataFrame]], path: Path
) -> None:
    """Draw each row's EMG channels and acceleration; `compose` returns its recording and truth."""
    figure, grid = plt.subplots(2 * ROWS, COLUMNS, figsize=(13, 9.5), height_ratios=[3, 1] * ROWS)
    for axes in grid.flat:
        axes.set_axis_off()
    for i, row in enumerate(rows.itertuples()):
        arrays, truth = compose(row)
        emg, acc = grid[2 * (i // COLUMNS), i % COLUMNS], grid[2 * (i // COLUMNS) + 1, i % COLUMNS]
        margin = max(0.25, 0.3 * row.duration)
        first, last = row.onset - margin, row.onset + min(row.duration, WINDOW_S) + margin
        offset = 0.0
        for name, (x, fs) in arrays.items():
            axes = emg if name.startswith("emg") else acc
            a, b = max(round(first * fs), 0), round(last * fs)
            piece = x[a:b] - np.nanmedian(x[a:b]) if np.isfinite(x[a:b]).any() else x[a:b]
            t = (a + np.arange(len(piece))) / fs - row.onset
            if name.startswith("emg"):
                axes.plot(t, piece + offset, lw=0.5, color=COLOURS[0])
                offset -= float(np.nan_to_num(np.ptp(piece[np.isfinite(piece)])))
            else:
                axes.plot(t, piece, lw=0.6)
            axes.set_axis_on()
            axes.tick_params(labelsize=6)
            axes.set_xlim(first - row.onset, last - row.onset)
        for axes in (emg, acc):
            if axes.lines:
                axes.axvspan(0, row.duration, color="#f2c14e", alpha=0.25, lw=0)
        there = truth[(truth.onset < last) & (truth.onset + truth.duration > first)]
        words = sorted({r.kind for r in there.itertuples() if r.trial_type == "artifact"})
        if hasattr(row, "verdict"):
            what = f"false {row.why}, confidence {row.confidence:.2f}"
        else:
            what = f"missed {row.why}; {row.kind}, {row.snr:.0f} x noise"
        where = f"{row.kit} {row.family}" if hasattr(row, "kit") else row.scenario
        emg.set_title(
            f"{what}\n{row.n} of these; {where}, {row.onset:.2f} s, "
            f"{', '.join(words) or 'no artefact'}",
            fontsize=6.5,
        )
    _save(figure, path, 70)


def _save(figure: plt.Figure, path: Path, dpi: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=dpi, metadata={"Software": None})
    plt.close(figure)
