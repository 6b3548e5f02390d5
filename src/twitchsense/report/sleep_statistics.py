"""Sleep of a night in the terms of sleep laboratories: time in bed, total sleep time, stages.

With a hypnogram the numbers are counted from its epochs. Without one they are estimated from
movement of the leg, with the range of sleep onset, or cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.report.number_text import as_dict, format_interval
from twitchsense.report.protocols import NightLike
from twitchsense.report.reference_ranges import leg_movement_score
from twitchsense.report.time_labels import (
    format_duration,
    is_onset_known,
    is_onset_left_censored,
    onset_interval,
)
from twitchsense.sleep.context_intervals import SLEEP_CONTEXTS

Bools = NDArray[np.bool_]

#: Stages in the order of the table, with their names; ``S`` is sleep of unknown stage.
STAGE_NAMES: Final[dict[str, str]] = {
    "W": "Wake",
    "R": "REM sleep (R)",
    "N1": "N1",
    "N2": "N2",
    "N3": "N3",
    "S": "Sleep, stage unknown",
}
NOT_KNOWN: Final = "can’t be told"


@dataclass(frozen=True, slots=True)
class HypnogramStatistics:
    """Sleep statistics of a hypnogram, within the recording.

    Attributes
    ----------
    in_bed_s : float
        From the first scored epoch to the last.
    asleep_s : float
        Total sleep time.
    latency_s : float or None
        From the first scored epoch to the first epoch of sleep; None without sleep.
    waso_s : float
        Wake after sleep onset, until the last scored epoch.
    stage_s : dict
        Seconds of each stage that was scored.
    """

    in_bed_s: float
    asleep_s: float
    latency_s: float | None
    waso_s: float
    stage_s: dict[str, float]

    @property
    def efficiency(self) -> float:
        """Total sleep time divided by time in bed."""
        return self.asleep_s / self.in_bed_s if self.in_bed_s else 0.0


def stages_of_epochs(night: NightLike) -> NDArray[np.object_]:
    """Return the stage of each epoch of a night by its hypnogram, "" where it has none.

    Parameters
    ----------
    night : Night

    Returns
    -------
    ndarray of str objects, shape (n,)
    """
    table = night.epochs
    if "stage" not in table:
        return np.full(len(table), "", dtype=object)
    return table["stage"].fillna("").astype(str).to_numpy(dtype=object)


def has_hypnogram(night: NightLike) -> bool:
    """Return whether any epoch of a night has a stage from a hypnogram."""
    return bool((stages_of_epochs(night) != "").any())


def hypnogram_statistics(night: NightLike) -> HypnogramStatistics | None:
    """Return the statistics of a night's hypnogram; None without one.

    Parameters
    ----------
    night : Night

    Returns
    -------
    HypnogramStatistics or None
    """
    stage = stages_of_epochs(night)
    scored = np.flatnonzero(stage != "")
    if not len(scored):
        return None
    table = night.epochs
    length = table["duration"].to_numpy(np.float64)
    start = table["onset"].to_numpy(np.float64)
    first, last = scored[0], scored[-1]
    asleep = np.isin(stage, ["R", "N1", "N2", "N3", "S"])
    begin = np.flatnonzero(asleep)
    after_onset = np.arange(len(stage)) > (begin[0] if len(begin) else len(stage))
    return HypnogramStatistics(
        in_bed_s=float(start[last] + length[last] - start[first]),
        asleep_s=float(length[asleep].sum()),
        latency_s=float(start[begin[0]] - start[first]) if len(begin) else None,
        waso_s=float(length[after_onset & (stage == "W")].sum()),
        stage_s={s: float(length[stage == s].sum()) for s in STAGE_NAMES if (stage == s).any()},
    )


def sleep_rows(night: NightLike, summary: dict[str, Any]) -> list[dict[str, str]]:
    """Return the table of sleep: name, value and remark of each number.

    Parameters
    ----------
    night : Night
    summary : dict
        The content of ``summary.json``.

    Returns
    -------
    list of dict
        ``name``, ``value``, ``remark``.
    """
    statistics = hypnogram_statistics(night)
    rows = _estimated_rows(night) if statistics is None else _hypnogram_rows(statistics)
    cell = as_dict(leg_movement_score(as_dict(summary.get("leg_movements"))).get("plms_index"))
    index = format_interval(cell.get("rate_per_h"), cell.get("low"), cell.get("high"), "per h")
    remark = "periodic leg movements per hour of sleep"
    if as_dict(summary.get("leg_movements")).get("sensor") == "acc":
        remark = "needs EMG"
    elif statistics is None:
        remark += ", sleep estimated"
    return [*rows, _row("PLMS index", NOT_KNOWN if index == "–" else index, remark)]


def _hypnogram_rows(sleep: HypnogramStatistics) -> list[dict[str, str]]:
    latency = NOT_KNOWN if sleep.latency_s is None else _minutes(sleep.latency_s)
    rows = [
        _row("Time in bed", format_sleep(sleep.in_bed_s), "first to last scored epoch"),
        _row("Total sleep time", format_sleep(sleep.asleep_s)),
        _row("Sleep efficiency", f"{100 * sleep.efficiency:.0f} %", "sleep ÷ time in bed"),
        _row("Sleep latency", latency, "until the first epoch of sleep"),
        _row("Wake after sleep onset (WASO)", _minutes(sleep.waso_s)),
    ]
    for stage, seconds in sleep.stage_s.items():
        if stage == "W":
            continue
        share = f"{100 * seconds / sleep.asleep_s:.0f} % of sleep" if sleep.asleep_s else ""
        rows.append(_row(STAGE_NAMES[stage], _minutes(seconds), share))
    return rows


def _estimated_rows(night: NightLike) -> list[dict[str, str]]:
    length_s = (night.recording.end_ns - night.recording.start_ns) / 1e9
    bounds = estimated_sleep_s(night)
    latency = _latency_text(night)
    sleep, share = NOT_KNOWN, NOT_KNOWN
    if bounds is not None:
        sleep = _range(*bounds, format_duration)
        low, high = (f"{100 * b / length_s:.0f}" for b in bounds)
        share = f"{low}–{high} %" if low != high else f"{high} %"
    return [
        _row("Time in bed", NOT_KNOWN, f"recorded: {format_duration(length_s)}"),
        _row("Total sleep time", sleep, "estimated; includes lying still awake"),
        _row("Sleep efficiency", share, "of the recording, estimated"),
        _row("Sleep latency", latency, "from the start of the recording, estimated"),
        _row("Wake after sleep onset (WASO)", NOT_KNOWN, "lying still awake looks like sleep"),
        _row("N1, N2, N3, REM sleep", NOT_KNOWN, "needs a hypnogram"),
    ]


def estimated_sleep_s(night: NightLike) -> tuple[float, float] | None:
    """Return the shortest and the longest time asleep by movement of the leg.

    The range is that of sleep onset; wake later in the night is not in it.

    Parameters
    ----------
    night : Night

    Returns
    -------
    tuple of float or None
        Seconds; None if sleep onset is unknown.
    """
    if not is_onset_known(night) or night.onset.time_s is None:
        return None
    table = night.epochs
    start = table["onset"].to_numpy(np.float64)
    length = table["duration"].to_numpy(np.float64)
    asleep: Bools = table["context"].astype(str).isin(SLEEP_CONTEXTS).to_numpy()
    low, high = onset_interval(night) or (night.onset.time_s, night.onset.time_s)
    shortest = float(length[asleep & (start >= high)].sum())
    longest = float(length[asleep].sum()) + max(0.0, night.onset.time_s - low)
    return min(shortest, longest), longest


def _latency_text(night: NightLike) -> str:
    onset = night.onset
    if onset.time_s is None or not is_onset_known(night):
        return NOT_KNOWN
    start = night.recording.start_ns / 1e9
    interval = onset_interval(night)
    if interval is None:
        return _minutes(onset.time_s - start)
    low, high = (max(0.0, t - start) / 60 for t in interval)
    if is_onset_left_censored(night):
        return f"0–{high:.0f} min"
    return f"{(onset.time_s - start) / 60:.0f} min ({low:.0f}–{high:.0f})"


def _range(low: float, high: float, write: Any) -> str:
    texts = [write(low), write(high)]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60, 1)
    return f"{minutes:g} min" if minutes < 100 else f"{minutes:.0f} min"


def format_sleep(seconds: float) -> str:
    """Return a time of a hypnogram so that shares of it can be checked: ``9.5 min``, ``7 h 5 min``.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str
        With a tenth of a minute below 100 min.
    """
    return _minutes(seconds) if round(seconds / 60, 1) < 100 else format_duration(seconds)


def _row(name: str, value: str, remark: str = "") -> dict[str, str]:
    return {"name": name, "value": value, "remark": remark}
