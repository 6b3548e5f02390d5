"""Tables of the accuracy page, as lines of Markdown."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from benchmarks.accuracy.results import MATCHED, OURS, Results
from benchmarks.accuracy.score import KINDS, Score
from benchmarks.accuracy.tally import (
    CLEAR,
    Count,
    causes,
    confusion,
    count,
    false_of_any_kind,
    swapped,
)
from twitchsense.scoring.indices.confidence_intervals import binomial_interval

#: Recordings of the pooled table: nights as they could be. Storms, ladders and clocks that
#: disagree by more than crystals do stand by themselves.
POOLED = (
    "rest_twitches", "sleep_onset", "plm", "fragmentary", "violent", "night", "drift", "rate_error",
    "emg_only",
)  # fmt: skip
OTHERS = (
    "frequent", "jerks", "amplifiers", "poor_contact", "contacts", "storm", "storm_twitches",
    "ladder", "acc_only", "noise", "drift_late", "rate_mismatch",
)  # fmt: skip
#: Those in which both sensors' clocks are near enough to say what belongs together.
TIMED = (*POOLED, "storm_twitches", "ladder", "acc_only", "storm", "noise")
#: Those on which others are tried, in a shorter form.
COMPARED = ("rest_twitches", "sleep_onset", "plm", "storm_twitches", "ladder", "storm")

#: Classes of size: peak to peak over the RMS of the noise.
SIZES = ((0.0, 10.0), (10.0, 15.0), (15.0, 30.0), (30.0, math.inf))

HEAD = (
    "| recordings | kind | in truth | sensitivity | precision | F1 | false alarms per hour |\n"
    "|---|---|---|---|---|---|---|"
)


def share(part: int, whole: int) -> str:
    """Return a share with its interval."""
    if not whole:
        return "–"
    low, high = binomial_interval(part, whole)
    return interval((part / whole, float(low), float(high)))


def interval(values: tuple[float, float, float], digits: int = 3) -> str:
    value, low, high = values
    if not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def lines_of(title: str, score: Score, context: str | None = None) -> list[str]:
    """Return a table row for each kind."""
    rows = []
    for kind in (CLEAR, *KINDS):
        c = count(score, kind, context)
        if c.truth or c.found:
            rows.append(
                f"| {title} | {kind} | {c.truth} | {interval(c.sensitivity())} "
                f"| {interval(c.precision())} | {interval(c.f1())} | {interval(c.per_hour(), 1)} |"
            )
    return rows


def goals(results: Results) -> list[str]:
    """Return what was aimed at, what came out, and whether that is it."""
    every = results.pool(scenarios=POOLED)
    storm, noise = (results.pool(scenarios=(s,)) for s in ("storm", "noise"))
    twitch, jerk, movement = (count(every, k) for k in KINDS)
    clear, asleep = count(every, CLEAR), count(every, CLEAR, "asleep")
    onset, duration = medians(every)
    rows: list[tuple[str, str, float, bool]] = []

    def at_least(what: str, value: float, goal: float) -> None:
        rows.append((what, f"≥ {goal:g}", value, value >= goal))

    def at_most(what: str, value: float, goal: float) -> None:
        rows.append((what, f"≤ {goal:g}", value, value <= goal))

    def both(what: str, c: Count, sensitivity: float, precision: float) -> None:
        at_least(f"{what}: sensitivity", c.sensitivity()[0], sensitivity)
        at_least(f"{what}: precision", c.precision()[0], precision)

    both(CLEAR, clear, 0.98, 0.97)
    at_most(f"{CLEAR}: false alarms per hour asleep", asleep.per_hour()[0], 1)
    both("twitch", twitch, 0.93, 0.95)
    both("jerk", jerk, 0.98, 0.98)
    at_most("jerk: false alarms per hour", jerk.per_hour()[0], 0.1)
    both("movement", movement, 0.97, 0.97)
    at_most("movement: false alarms per hour", movement.per_hour()[0], 0.2)
    alarms = [false_of_any_kind(s) for s in (storm, noise)]
    storm_hours, noise_hours = (sum(s.hours.values()) for s in (storm, noise))
    at_most(
        "artefact storm: false alarms per hour, of any kind",
        alarms[0] / (storm_hours or math.nan),
        5,
    )
    at_most(f"noise alone, {noise_hours:.0f} h: false alarms", alarms[1], 0)
    for a, b in (("twitch", "jerk"), ("jerk", "twitch")):
        part, whole = swapped(every, a, b)
        at_most(f"{a} called {b}, share", part / (whole or math.nan), 0.01)
    at_most("onset of a twitch: median error, ms", 1000 * onset, 3)
    at_most("duration of a twitch: median error, ms", 1000 * duration, 10)
    return ["| goal | wanted | measured | reached |", "|---|---|---|---|"] + [
        f"| {what} | {wanted} | {value:.3g} | {'yes' if good else 'no'} |"
        for what, wanted, value, good in rows if math.isfinite(value)
    ]  # fmt: skip


def medians(score: Score) -> tuple[float, float]:
    """Return the median absolute errors of a twitch's onset and duration, in seconds."""
    if not len(score.targets):
        return math.nan, math.nan
    hit = score.targets[(score.targets.trial_type == "twitch") & score.targets.hit]
    hit = hit[hit.needed]
    if not len(hit):
        return math.nan, math.nan
    return float(hit.onset_error_s.abs().median()), float(hit.duration_error_s.abs().median())


def errors(score: Score) -> str:
    onset, duration = medians(score)
    twitch, jerk = swapped(score, "twitch", "jerk"), swapped(score, "jerk", "twitch")
    return (
        f"Median error of a twitch's onset {1000 * onset:.1f} ms, of its duration "
        f"{1000 * duration:.1f} ms. Twitches called jerk: {twitch[0]} of {twitch[1]}; jerks called "
        f"twitch: {jerk[0]} of {jerk[1]}."
    )


def by_class(results: Results) -> list[str]:
    """Return sensitivity by class and by signal to noise, all recordings."""
    targets = results.pool(scenarios=TIMED).targets
    if not len(targets):
        return []
    rows = targets[targets.needed & targets.trial_type.isin(KINDS)]
    out = [
        "Sensitivity; storms and ladders too, without recordings whose clocks are seconds apart.",
        "",
        *_size_head("class"),
    ]
    for kind in KINDS:
        for name, group in rows[rows.trial_type == kind].groupby("kind"):
            out.append(f"| {name} | {' | '.join(_by_size(group))} |")
    return out


def _size_head(first: str) -> list[str]:
    names = [
        f"{a:g}–{b:g} x noise" if math.isfinite(b) else f"from {a:g} x noise" for a, b in SIZES
    ]
    return [f"| {first} | {' | '.join(names)} |", "|---|" + "---|" * len(names)]


def _by_size(rows: pd.DataFrame) -> list[str]:
    """Return the sensitivity of each class of size."""
    cells = []
    for a, b in SIZES:
        part = rows[(rows.snr >= a) & (rows.snr < b)]
        cell = share(int(part.hit.sum()), len(part))
        cells.append(f"{cell} of {len(part)}" if len(part) else cell)
    return cells


def best_of_each(results: Results) -> dict[str, Score]:
    """Return ours, the matched filter, and of each family of peers the one of best F1."""
    minutes = {p.minutes for p in results.scores if p.minutes}
    if not minutes:
        return {}
    length = max(minutes)
    whos = list(dict.fromkeys(p.who for p in results.scores if p.minutes == length))
    pools = {w: results.pool(w, minutes=length) for w in whos}
    out = {w: pools[w] for w in (MATCHED, OURS) if w in pools}
    for family in ("script", "neurokit2", "biosppy"):
        own = [w for w in whos if w.startswith(family)]
        if own:
            best = max(own, key=lambda w: np.nan_to_num(count(pools[w], "twitch").f1()[0]))
            out[best] = pools[best]
    return out


def comparison(results: Results) -> list[str]:
    """Return everyone on the shorter recordings."""
    minutes = {p.minutes for p in results.scores if p.minutes}
    if not minutes:
        return []
    length = max(minutes)
    whos = list(dict.fromkeys(p.who for p in results.scores if p.minutes == length))
    hours = sum(results.pool(minutes=length).hours.values())
    out = [
        "## Beside others",
        "",
        f"{hours:.1f} h: {length:g} minutes each of {', '.join(COMPARED)}. Same scoring for all. "
        "The script: band-pass 20–450 Hz, RMS envelope of 10 ms, threshold at median + k MAD. "
        "Bursts of all but psgscoring become events by one rule: up to 0.5 s a jerk if the leg "
        "accelerates by 0.1 g, else a twitch; longer ones movements. BioSPPy's thresholds (last "
        "number) are the usual one and, where it is quick, half and 3 times that; how these "
        "packages end a burst is theirs. The matched filter knows the waveform of each twitch "
        "and is set to one false alarm per hour (in so short a recording: none); it says how far "
        "a linear detector could get. It may be passed where heart beats or hum can be taken out.",
        "",
        "| who | twitch: sensitivity | precision | F1 | jerk: F1 | movement: F1 | storm: false "
        "alarms per hour |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for who in sorted(whos, key=lambda w: (w != MATCHED, w != OURS)):
        score = results.pool(who, minutes=length)
        if who == MATCHED:
            c = count(score, "twitch")
            out.append(f"| {who} | {interval(c.sensitivity())} | | | | | |")
            continue
        cells = [count(score, k) for k in KINDS]
        storm = results.pool(who, ("storm",), length)
        false = false_of_any_kind(storm) / (sum(storm.hours.values()) or math.nan)
        if who == "psgscoring":
            first = "| | | |"
        else:
            t = cells[0]
            first = f"| {_two(t.sensitivity())} | {_two(t.precision())} | {_two(t.f1())} |"
        jerk = "" if who == "psgscoring" else _two(cells[1].f1())
        out.append(f"| {who} {first} {jerk} | {_two(cells[2].f1())} | {false:.0f} |")
    out += ["", "Twitches by size, each family by its best threshold:", "", *_size_head("who")]
    for who, score in best_of_each(results).items():
        rows = score.targets[(score.targets.trial_type == "twitch") & score.targets.needed]
        out.append(f"| {who} | {' | '.join(_by_size(rows))} |")
    return [*out, ""]


def _two(values: tuple[float, float, float]) -> str:
    return "–" if not math.isfinite(values[0]) else f"{values[0]:.2f}"


def confused(score: Score) -> list[str]:
    """Return the confusion table."""
    table = confusion(score)
    return [
        "Pooled recordings; targets down, what they were called across; the last row are false "
        "alarms.",
        "",
        f"| | {' | '.join(table.columns)} |",
        "|---|" + "---|" * len(table.columns),
        *[f"| {name} | {' | '.join(map(str, row))} |"
          for name, row in zip(table.index, table.to_numpy(), strict=True)],
    ]  # fmt: skip


def hidden(results: Results) -> list[str]:
    """Return sensitivity to twitches by what lies over them, all recordings."""
    targets = results.pool(scenarios=TIMED).targets
    if not len(targets):
        return []
    rows = targets[targets.needed & (targets.trial_type == "twitch")]
    out = ["Twitches from 50 µV, all recordings, by what lies over them.", "",
           "| under | twitches | sensitivity |", "|---|---|---|"]  # fmt: skip
    groups = sorted(rows.groupby("under"), key=lambda g: -len(g[1]))[:12]
    for name, group in groups:
        out.append(f"| {name or 'nothing'} | {len(group)} | "
                   f"{share(int(group.hit.sum()), len(group))} |")  # fmt: skip
    return out


def caused(results: Results) -> list[str]:
    """Return the table of false alarms by cause."""
    table = causes(results.pool(scenarios=TIMED))
    return [
        "The same recordings. Artefacts within 0.3 s of a false alarm; several at once stand "
        "together.",
        "",
        "| cause | twitch | jerk | movement |",
        "|---|---|---|---|",
        *[f"| {c} | {r.twitch} | {r.jerk} | {r.movement} |" for c, r in table.iterrows()],
    ]
