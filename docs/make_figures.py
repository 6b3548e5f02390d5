"""Generate docs/rules.md and its pictures: each case of `rule_cases.py`, and the sleep contexts.

python docs/make_figures.py [NAME...]
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from rule_cases import CASES, CONTEXTS, Case

import twitchsense as ts
from twitchsense.model.event_table import REJECT_REASONS
from twitchsense.report.figures import new_figure, style_axes
from twitchsense.report.overview import plot_context
from twitchsense.report.palette import (
    ACC_COLOR,
    EMG_COLOR,
    GRID_COLOR,
    MUTED_COLOR,
    TEXT_COLOR,
    kind_color,
    label_name,
)
from twitchsense.scoring.glossary import fill_levels

DOCS = Path(__file__).parent
OUT = DOCS / "figures" / "rules"
HEAD = """# How each rule works

Each picture shows a short simulated recording and what the detector found in it: EMG on top, below
it the acceleration on three axes, each minus its median. Coloured intervals became events; grey
intervals with a dashed edge were rejected. `python docs/make_figures.py` makes the pictures and
this page, and a test checks that the detector still gives these results.

The rules in full, with their order and thresholds: [definitions](definitions.md), [how detection
works](detection.md), [labels](labels.md), [settings](settings.md). How often they are right:
[accuracy](accuracy.md). These are clear cases; in real signals the confidence is often lower."""
GROUPS = {
    "kinds": (
        "Kinds: what the signal looks like",
        "The kind is physical and does not depend on sleep.",
    ),
    "labels": (
        "Labels: the kind in its context",
        'A label takes neighbouring events and sleep into account. "-like" means that the pattern '
        "resembles a published definition; it says nothing about the cause.",
    ),
    "rejected": (
        "Rejected candidates and their reasons",
        "Nothing is discarded silently: each of these is in `rejected.csv` with its reason.",
    ),
}
CONTEXT_WORDS = (
    "The same twitch and the same jerk at five times of a night: only the label differs. On one "
    "leg, a twitch awake and a twitch asleep have the same waveform; only the sleep context "
    "separates them."
)
_REJECTED = "#8A8A86"
_AXES = (ACC_COLOR, "#0072B2", "#009E73")


def draw(case: Case) -> Figure:
    """Draw the signals of a case, with events and rejected candidates shaded."""
    night = case.analyze()
    channels = night.recording.channels
    emg = [c for c in channels if c.kind == "emg"]
    acc = [c for c in channels if c.kind == "acc"]
    shown = [*emg, *acc[:1]] if emg else acc
    figure = new_figure(6.4, 0.5 + 0.95 * len(shown))
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for ax, channel in zip(axes, shown, strict=True):
        times, samples = night.recording.window(
            channel.name, round(case.at * 1e9), round(case.until * 1e9)
        )
        values = samples - np.median(samples, axis=0)
        for axis in range(values.shape[1]):
            color = EMG_COLOR if channel.kind == "emg" else _AXES[axis]
            ax.plot(times / 1e9 - case.at, values[:, axis], color=color, lw=0.8)
        reach = max(1.15 * float(np.abs(values).max()), 25 if channel.kind == "emg" else 0.02)
        ax.set_ylim(-reach, reach)
        place = " ".join(channel.name.split("_")[1:]) if not emg else ""
        name = "muscle\n(µV)" if channel.kind == "emg" else f"acceleration\n{place} (g)"
        ax.set_ylabel(f"{channel.leg or ''} {name}".strip(), fontsize=8, color=MUTED_COLOR)
        style_axes(ax)
        ax.locator_params(axis="y", nbins=3)
        shade(ax, night, case)
    axes[-1].set_xlim(0, case.until - case.at)
    axes[-1].set_xlabel("seconds", fontsize=8, color=MUTED_COLOR)
    return figure


def shade(ax: Axes, night: ts.Night, case: Case) -> None:
    """Shade events in the colour of their kind, rejected candidates in grey."""
    for table, rejected in ((night.rejected, True), (night.events, False)):
        for _, row in table.iterrows():
            first = float(row["onset"]) - case.at
            last = first + float(row["duration"])
            if last < 0 or first > case.until - case.at:
                continue
            color = _REJECTED if rejected else kind_color(str(row["trial_type"]))
            ax.axvspan(first, last, color=color, alpha=0.22, lw=0)
            ax.axvline(first, color=color, lw=0.9, ls="--" if rejected else "-")


def draw_contexts() -> Figure:
    """Draw the same twitch and the same jerk at five times of a night."""
    night = CONTEXTS.analyze()
    figure = new_figure(6.4, 2.5)
    top, strip = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    plot_context(night, strip)
    strip.set_yticks([0.5], [""])
    for kind, y in (("jerk", 0.66), ("twitch", 0.2)):
        rows = night.events[night.events["trial_type"] == kind]
        for k, (_, row) in enumerate(rows.iterrows()):
            x = float(row["onset"])
            top.vlines(x, y - 0.08, y + 0.08, color=kind_color(kind), lw=2)
            words = label_name(str(row["label"])).replace(" ", "\n", 1)
            top.text(x, y + 0.1, words, ha="center", fontsize=7, color=TEXT_COLOR)
            if k == 0:
                top.text(x, y - 0.17, kind, ha="center", fontsize=7, color=MUTED_COLOR)
    top.set_ylim(0, 1.05)
    top.set_yticks([])
    for side in ("top", "right", "left"):
        top.spines[side].set_visible(False)
    top.spines["bottom"].set_color(GRID_COLOR)
    minutes = np.arange(0, CONTEXTS.seconds + 1, 300)
    strip.set_xticks(minutes, [f"{m / 60:.0f}" for m in minutes], fontsize=8)
    strip.set_xlim(0, CONTEXTS.seconds)
    strip.set_xlabel("minutes", fontsize=8, color=MUTED_COLOR)
    return figure


def rules_page() -> str:
    """Return docs/rules.md: a picture and a caption for each rule."""
    reasons = fill_levels(REJECT_REASONS, ts.get_profile("default-2026"))
    lines = [*HEAD.splitlines()]
    for group, (heading, intro) in GROUPS.items():
        lines += ["", f"## {heading}", "", intro]
        if group == "labels":
            lines += ["", f"![{CONTEXT_WORDS}](figures/rules/contexts.png)", "", CONTEXT_WORDS]
        for case in (c for c in CASES if c.group == group):
            word = case.expect.rpartition(":")[2]
            title = f"`{word}`" if case.title == word else f"{case.title}: `{word}`"
            lines += ["", f"### {title}", "", f"![{case.title}](figures/rules/{case.name}.png)"]
            lines += ["", case.caption]
            if case.label:
                lines += ["", f"Label in this recording: `{case.label}`."]
            if group == "rejected":
                lines += ["", f"In `rejected.csv`: {reasons[word]}."]
    return "\n".join(lines) + "\n"


def save(figure: Figure, name: str) -> Path:
    """Write a figure as a PNG with 32 colours, enough for line art, and return its path."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=125)
    path = OUT / f"{name}.png"
    flat = Image.open(buffer).convert("RGB")
    flat.quantize(32, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def main(names: list[str]) -> None:
    """Draw the figures named, or all."""
    OUT.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if not names or case.name in names:
            save(draw(case), case.name)
    if not names or "contexts" in names:
        save(draw_contexts(), "contexts")
    (DOCS / "rules.md").write_text(rules_page())


if __name__ == "__main__":
    main(sys.argv[1:])
