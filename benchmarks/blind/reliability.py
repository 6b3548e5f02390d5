"""Whether the stated confidence is the share of events that are right, by kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks.accuracy.score import KINDS, Score
from benchmarks.accuracy.tally import by_confidence
from twitchsense.scoring.indices.confidence_intervals import binomial_interval

FIGURE = "blind-reliability.png"
#: Mean confidence, events that are right, and all events, of each tenth of the confidence.
Bins: TypeAlias = Sequence[tuple[float, int, int]]
#: Edges of the columns of the page's table: few events have less.
EDGES = (0.5, 0.7, 0.8, 0.9, 1.0)


def table(score: Score) -> dict[str, Bins]:
    """Return the bins of each kind."""
    rows = score.events
    return {
        kind: by_confidence(replace(score, events=rows[rows.trial_type == kind])) for kind in KINDS
    }


def calibration_error(bins: Bins) -> float:
    """Return the expected calibration error: the mean of |confidence - share right|."""
    n = sum(count for _, _, count in bins)
    return sum(abs(right - c * count) for c, right, count in bins) / n if n else float("nan")


def section(kits: Mapping[str, Mapping[str, Bins]]) -> list[str]:
    """Return the section of the page."""
    names = [f"{a:g}–{b:g}" for a, b in zip((0.0, *EDGES), EDGES, strict=False)]
    out = [
        "## Is the confidence right?", "",
        "Events that count, by kit: mean confidence, share that is right, expected calibration "
        "error (ECE: mean of the difference over tenths of the confidence), and the share right, "
        "of how many, by confidence. Above the diagonal the detector is better than it says.", "",
        f"![Share of events that are right, by confidence and kit](figures/{FIGURE})", "",
        f"| | events | confidence | right | ECE | {' | '.join(names)} |",
        "|---|---|---|---|---|" + "---|" * len(names),
    ]  # fmt: skip
    for kit, of in kits.items():
        out.append(_row(kit, [b for bins in of.values() for b in bins]))
    for kind in KINDS:
        out.append(_row(f"{kind}, all kits", [b for of in kits.values() for b in of[kind]]))
    return [*out, ""]


def pooled(bins: Bins) -> Bins:
    """Return one bin for each tenth of the confidence."""
    out = []
    tenth = [min(int(c * 10), 9) for c, _, _ in bins]
    for k in sorted(set(tenth)):
        own = [b for b, t in zip(bins, tenth, strict=True) if t == k]
        n = sum(count for _, _, count in own)
        out.append((sum(c * m for c, _, m in own) / n, sum(right for _, right, _ in own), n))
    return out


def _row(name: str, bins: Bins) -> str:
    bins = pooled(bins)
    n = sum(count for _, _, count in bins)
    if not n:
        return f"| {name} | 0 |" + " |" * (3 + len(EDGES))
    right = sum(r for _, r, _ in bins) / n
    cells = [f"{sum(c * m for c, _, m in bins) / n:.3f}", f"{right:.3f}",
             f"{calibration_error(bins):.3f}"]  # fmt: skip
    for a, b in zip((0.0, *EDGES), EDGES, strict=False):
        own = [(r, m) for c, r, m in bins if a <= c < b or (b == 1 and c == 1)]
        whole = sum(m for _, m in own)
        cells.append(f"{sum(r for r, _ in own) / whole:.2f} of {whole}" if whole else "–")
    return f"| {name} | {n} | {' | '.join(cells)} |"


def draw(kits: Mapping[str, Mapping[str, Bins]], path: Path) -> None:
    """Draw the share right over the confidence, a panel for each kit."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.9 * len(kits), 2.3))
    FigureCanvasAgg(figure)
    grid = figure.subplots(1, len(kits), sharey=True, squeeze=False)[0]
    for axes, (kit, of) in zip(grid, kits.items(), strict=True):
        axes.plot([0, 1], [0, 1], color="0.7", lw=1)
        bins = pooled([b for bins in of.values() for b in bins])
        if bins:
            x, right, n = (np.array(v) for v in zip(*bins, strict=True))
            low, high = binomial_interval(right, n)
            share = right / n
            axes.errorbar(x, share, [share - low, high - share], fmt="o", color="#1b6ca8", ms=3)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence")
        axes.set_title(kit, fontsize=9)
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=7)
    grid[0].set_ylabel("share that is right")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, metadata={"Software": None})
