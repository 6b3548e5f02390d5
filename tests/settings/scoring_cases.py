"""Settings that sleep context, labels and scores read, on hand-made tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tests.scoring.builders import STAGES, burst_row, lm, onsets, rejected, row
from tests.settings.case import SettingCase
from tests.signals import SimulatedLeg
from tests.sleep.builders import (
    ACC,
    EMG,
    acc_seconds,
    detections,
    emg_seconds,
    events,
    hypnogram,
    jerks,
    recording,
    restless,
)
from twitchsense.model.detections import Detections
from twitchsense.model.per_second import PerSecond
from twitchsense.model.recording import Recording
from twitchsense.scoring.labels.label_events import label_detections
from twitchsense.scoring.summary import build_summary
from twitchsense.settings import Settings
from twitchsense.sleep.context import Context, find_context

Result = Callable[[Settings], Any]
Row = dict[str, Any]

#: Times of the kicks of `kicking`, s.
KICKS = np.arange(660.5, 1800.0, 60.0)
#: Times (s) in `STAGES`: awake, just asleep, in NREM sleep.
AWAKE, FALLING_ASLEEP, ASLEEP = 100.0, 1300.0, 2400.0


# -- labels ---------------------------------------------------------------------------------


def _label(
    settings: Settings, table: list[Row], others: Sequence[Row] = (), active_fraction: float = 0.0
) -> tuple[Recording, Detections, Context]:
    """Label hand-made events of the two hours of `STAGES`."""
    night = recording(EMG, seconds=7200)
    found = detections(events(*table), emg1=emg_seconds(7200, active_fraction=active_fraction))
    found = Detections(found.events, rejected(*others), found.seconds)
    context = find_context(night, found, settings, STAGES)
    return night, label_detections(found, context, settings), context


def labels(*table: Row, others: Sequence[Row] = (), active_fraction: float = 0.0) -> Result:
    """Return the labels of events, each once."""

    def result(settings: Settings) -> str:
        found = _label(settings, list(table), others, active_fraction)[1]
        return " + ".join(sorted(set(found.events["label"])))

    return result


def n_events(*table: Row) -> Result:
    """Return the number of events after labelling."""
    return lambda settings: len(_label(settings, list(table))[1].events)


def confidence(*table: Row) -> Result:
    """Return the confidence of the first event."""
    return lambda settings: float(_label(settings, list(table))[1].events["confidence"].iloc[0])


def fragmentary_myoclonus(name: str, times: Sequence[float]) -> Result:
    """Return a value of the block of fragmentary myoclonus in the summary of some twitches."""
    table = [row(t, "twitch", 0.03) for t in times]

    def result(settings: Settings) -> Any:
        night, found, context = _label(settings, table)
        block = build_summary(night, found, context, settings, True)["fragmentary_myoclonus"]
        return {"verdict": block["efm_pattern"]["verdict"],
                "minutes": block["efm_pattern"]["minutes"],
                "mini_epochs": block["fm_index"]["sleep"]["count"]}[name]  # fmt: skip

    return result


def jittered(rate: float, n: int, jitter: float, start: float = AWAKE) -> list[float]:
    """Return onsets whose intervals alternate between longer and shorter ones."""
    steps = (1 + jitter * (-1.0) ** np.arange(n - 1)) / rate
    return (start + np.concatenate([[0.0], np.cumsum(steps)])).tolist()


def tremor(rate: float, n: int) -> list[Row]:
    return [burst_row(t, "twitch", 0.03) for t in onsets(rate, n)]


def contractions(times: Sequence[float], **more: Any) -> list[Row]:
    return [burst_row(t, **more) for t in times]


def alternating(sides: str) -> list[Row]:
    """Return bursts of 300 ms at 1.5 Hz on the legs L and R."""
    legs = {"L": "left", "R": "right"}
    times = onsets(1.5, len(sides))
    return [burst_row(t, leg=legs[side]) for t, side in zip(times, sides, strict=True)]


def jolts(times: Sequence[float], sizes: Sequence[float] = (0.3,), duration: float = 0.2) -> list:
    """Return bumps without muscle activity."""
    return [
        {"onset": t, "trial_type": "movement", "reason": "bump", "channel": "acc", "leg": "",
         "duration": duration, "peak_g": sizes[k % len(sizes)]}
        for k, t in enumerate(times)
    ]  # fmt: skip


def quiet_jerks(times: Sequence[float]) -> list[Row]:
    """Return jerks of the same size with little muscle activity."""
    return [row(t, "jerk", 0.1, amplitude_uv=40.0, peak_g=0.3, grade="mild") for t in times]


def strong_jerks(times: Sequence[float], grades: Sequence[str] = ("violent",)) -> list[Row]:
    return [
        row(t, "jerk", 0.1, peak_g=0.6, grade=grades[k % len(grades)]) for k, t in enumerate(times)
    ]


@lru_cache
def rocking_leg() -> Recording:
    """Return a minute with a leg that swings 6 times at 1.1 Hz, with some other movement."""
    leg = SimulatedLeg(60, seed=4)
    n = 550
    leg.acc[2000 : 2000 + n, 0] += 0.4 * np.sin(2 * np.pi * 1.1 * np.arange(n) / 100)
    leg.acc[2000 : 2000 + n, 0] += 0.1 * np.sin(2 * np.pi * 3.0 * np.arange(n) / 100)
    return leg.recording()


def rocking(settings: Settings) -> str:
    """Return the label of the swinging leg, in sleep."""
    night = rocking_leg()
    found = detections(
        events(burst_row(20.0, "gross_movement", 5.5, peak_g=0.4, channel="acc")),
        emg1=emg_seconds(60), acc=acc_seconds(60),
    )  # fmt: skip
    context = find_context(night, found, settings, hypnogram(("N2", 1)))
    return str(label_detections(found, context, settings, night).events["label"].iloc[0])


# -- sleep context --------------------------------------------------------------------------


def context_at(minutes: float) -> Result:
    """Return the context at some minutes from the start of `STAGES`."""

    def result(settings: Settings) -> str:
        found = detections(emg1=emg_seconds(7200))
        context = find_context(recording(EMG, seconds=7200), found, settings, STAGES)
        return str(context.at([60 * minutes]).item())

    return result


def still_leg(seconds: int = 7200) -> PerSecond:
    """Return an accelerometer that is restless for ten minutes and then still."""
    return restless(acc_seconds(seconds), 0, 600)


def turning_slowly() -> PerSecond:
    """Return an accelerometer that turns by 40 degrees for half an hour, without activity."""
    return restless(still_leg(), 600, 1800, g=0.002)


def up_again() -> PerSecond:
    """Return an accelerometer that is still for 7 min, restless for 8 min, then still."""
    return restless(still_leg(), 1020, 1500)


def fidgeting() -> PerSecond:
    """Return an accelerometer with some activity for half an hour, without turning."""
    acc = still_leg()
    acc.level[600:1800] = 0.02
    acc.max[600:1800] = 0.04
    return acc


def kicking() -> PerSecond:
    """Return an accelerometer with a kick every minute, from 11 to 30 min."""
    acc = still_leg()
    for second in KICKS:
        acc.level[int(second) - 1 : int(second) + 2] = 0.4
    return acc


def by_inactivity(settings: Settings) -> Settings:
    """Return the settings with sleep estimated by sustained inactivity."""
    context = settings.context.model_copy(update={"estimate_by": "inactivity"})
    return settings.model_copy(update={"context": context})


def sleep_onset(
    acc: Callable[[], PerSecond], method: str = "", kicks: bool = False, by_default: bool = False
) -> Callable[[Settings], float | None]:
    """Return the sleep onset (s) by sustained inactivity, by one method, or by default."""

    def result(settings: Settings) -> float | None:
        settings = settings if by_default else by_inactivity(settings)
        table = jerks(KICKS) if kicks else None
        found = detections(table, acc=acc())
        onset = find_context(recording(ACC, seconds=7200), found, settings).onset
        return onset.by_method[method] if method else onset.time_s

    return result


def onset_of_relaxed_muscle(settings: Settings) -> float | None:
    """Return the sleep onset (s) by tone of a leg that is tense for 50 min."""
    emg = emg_seconds(7200)
    emg.level[:3000] = 6.0
    found = detections(emg1=emg, acc=still_leg())
    onset = find_context(recording(EMG, ACC, seconds=7200), found, settings).onset
    return onset.by_method["tone"]


def context_without_electrode(settings: Settings) -> str:
    """Return the context in the middle of 15 min without contact of the electrode."""
    emg = emg_seconds(7200)
    emg.valid[3000:3900] = False
    found = detections(emg1=emg, acc=still_leg())
    context = find_context(recording(EMG, ACC, seconds=7200), found, settings)
    return str(context.at([3450.0]).item())


# -- cases ------------------------------------------------------------------------------------

FOOT, FAST, ALMA = "hypnagogic_foot_tremor_like", "high_freq_leg_movement", "alma_like"
ROCK, GROSS, HICCUP = "rhythmic_movement_like", "gross_movement", "hiccup_like"
TREMOR, TWITCH, OTHER = "tremor_like", "fasciculation_like", "voluntary_or_unclassified"
VIOLENT, START = "repetitive_violent_jerks", "sleep_start"
JERK_AWAKE, JERK_ASLEEP = "myoclonic_jerk_awake", "myoclonic_jerk_asleep"

five_hz = labels(*tremor(5.0, 20))
one_hz = labels(*contractions(onsets(1.0, 6)))
alternation = labels(*alternating("LRLRLRLR"))
hiccups = labels(others=jolts(onsets(0.25, 6)))
three_jerks = strong_jerks((100.0, 110.0, 120.0))
jerk_of_100_ms = row(FALLING_ASLEEP, "jerk", 0.1)
two_jerks, row_of_jerks = (
    labels(*(row(FALLING_ASLEEP + t, "jerk", 0.1) for t in times)) for times in ((0, 8), (0, 8, 16))
)

CONTEXT = (
    SettingCase("context.drowsy_min", 10.0, context_at(13), "wake", "drowsy"),
    SettingCase("context.onset_min", 25.0, context_at(40), "asleep", "sleep_onset"),
    SettingCase("context.still_deg", 60.0, sleep_onset(turning_slowly), 1805.0, 570.0),
    SettingCase("context.still_min", 10.0, sleep_onset(up_again), 605.0, 1505.0),
    SettingCase("context.quiet_g", 0.03, sleep_onset(fidgeting), 1800.0, 605.0),
    SettingCase("context.immobile_g", 0.03, sleep_onset(fidgeting, "immobile_5min"), 605.0, 1800.0),
    SettingCase("context.mask_events", False, sleep_onset(kicking, kicks=True), 605.0, 1770.0),
    SettingCase("context.mask_s", 0.0, sleep_onset(kicking, kicks=True), 605.0, 1770.0),
    SettingCase("context.tone_uv", 8.0, onset_of_relaxed_muscle, 3000.0, 605.0),
    SettingCase("context.unworn_min", 20.0, context_without_electrode, "unknown", "asleep"),
    SettingCase(
        "context.estimate_by", "inactivity", sleep_onset(up_again, by_default=True), 1560.0, 605.0
    ),
    SettingCase("context.definition", "persistent_10min", sleep_onset(up_again), 605.0, 1505.0),
    SettingCase("context.definition", "immobile_5min", sleep_onset(fidgeting), 1800.0, 605.0),
)

TRAINS = (
    SettingCase("trains.tremor_hz", (6.0, 18.0), five_hz, TREMOR, TWITCH),
    SettingCase("trains.tremor_hz", (3.5, 4.5), five_hz, TREMOR, TWITCH),
    SettingCase("trains.tremor_cycles", 30, five_hz, TREMOR, TWITCH),
    SettingCase("trains.tremor_s", 6.0, five_hz, TREMOR, TWITCH),
    SettingCase("trains.fast_hz", (2.0, 4.0), one_hz, FOOT, OTHER),
    SettingCase("trains.fast_hz", (0.3, 0.8), one_hz, FOOT, OTHER),
    SettingCase("trains.fast_least", 7, one_hz, FOOT, OTHER),
    SettingCase("trains.foot_ms", (350.0, 1000.0), one_hz, FOOT, FAST),
    SettingCase("trains.foot_ms", (250.0, 280.0), one_hz, FOOT, FAST),
    SettingCase("trains.fast_ms", 400.0, one_hz, FOOT, OTHER),
    SettingCase("trains.fast_cv", 0.1, labels(*contractions(jittered(1.0, 6, 0.3))), FOOT, OTHER),
    SettingCase("trains.fast_g", 0.02, one_hz, FOOT, OTHER),
    SettingCase("trains.alma_hz", (2.0, 3.0), alternation, ALMA, FOOT),
    SettingCase("trains.alma_hz", (0.5, 1.0), alternation, ALMA, FOOT),
    SettingCase("trains.alma_ms", (350.0, 500.0), alternation, ALMA, FOOT),
    SettingCase("trains.alma_ms", (100.0, 200.0), alternation, ALMA, FOOT),
    SettingCase("trains.alma_least", 9, alternation, ALMA, FOOT),
    SettingCase("trains.alma_share", 0.6, labels(*alternating("LRLRRLRLLR")), FOOT, ALMA),
    SettingCase("trains.rock_hz", (1.5, 2.0), rocking, ROCK, GROSS),
    SettingCase("trains.rock_hz", (0.5, 0.8), rocking, ROCK, GROSS),
    SettingCase("trains.rock_least", 8, rocking, ROCK, GROSS),
    SettingCase("trains.rock_share", 0.99, rocking, ROCK, GROSS),
    SettingCase("trains.rock_g", 0.5, rocking, ROCK, GROSS),
    SettingCase("trains.hiccup_s", (6.0, 20.0), hiccups, HICCUP, ""),
    SettingCase("trains.hiccup_s", (1.0, 3.0), hiccups, HICCUP, ""),
    SettingCase("trains.hiccup_least", 7, hiccups, HICCUP, ""),
    SettingCase("trains.hiccup_cv", 0.1, labels(others=jolts(jittered(0.25, 6, 0.2))), HICCUP, ""),
    SettingCase(
        "trains.hiccup_size", 0.1, labels(others=jolts(onsets(0.25, 6), (0.2, 0.3))), HICCUP, ""
    ),
    SettingCase("trains.hiccup_ms", 150.0, hiccups, HICCUP, ""),
    SettingCase(
        "trains.hiccup_uv", 30.0, labels(*quiet_jerks(onsets(0.25, 6))), HICCUP, JERK_AWAKE
    ),
    SettingCase("trains.jerks_least", 4, labels(*three_jerks), VIOLENT, JERK_AWAKE),
    SettingCase("trains.jerks_s", 15.0, labels(*three_jerks), VIOLENT, JERK_AWAKE),
    SettingCase(
        "trains.jerks_per_h", 5, labels(*strong_jerks(range(100, 900, 100))), JERK_AWAKE, VIOLENT
    ),
    SettingCase("trains.jerks_violent", 4, labels(*three_jerks), VIOLENT, JERK_AWAKE),
)

LABELS = (
    SettingCase(
        "labels.absorb_s", 3.0, n_events(lm(100, 12.0, GROSS), row(114, "twitch", 0.03)), 2, 1
    ),
    SettingCase("labels.start_ms", (150.0, 300.0), labels(jerk_of_100_ms), START, JERK_ASLEEP),
    SettingCase("labels.start_ms", (50.0, 80.0), labels(jerk_of_100_ms), START, JERK_ASLEEP),
    SettingCase("labels.start_core_ms", (150.0, 250.0), confidence(jerk_of_100_ms), 1.0, 0.85),
    SettingCase("labels.start_core_ms", (75.0, 90.0), confidence(jerk_of_100_ms), 1.0, 0.85),
    SettingCase("labels.volley", 1, two_jerks, START, JERK_ASLEEP),
    SettingCase("labels.volley_s", 20.0, row_of_jerks, START, JERK_ASLEEP),
    SettingCase(
        "labels.active_share",
        0.05,
        labels(row(AWAKE, "twitch", 0.03), active_fraction=0.1),
        TWITCH,
        OTHER,
    ),
    SettingCase(
        "labels.efm_per_min", 8, fragmentary_myoclonus("minutes", np.arange(1200, 3600, 10)), 40, 0
    ),
    SettingCase(
        "labels.efm_min",
        35.0,
        fragmentary_myoclonus("verdict", np.arange(1200, 3000, 8)),
        "present",
        "absent",
    ),
    SettingCase(
        "labels.fm_epoch_s",
        1.0,
        fragmentary_myoclonus("mini_epochs", np.arange(1200, 1300, 1.5)),
        34,
        67,
    ),
)

LIMB = (
    SettingCase(
        "limb.rules",
        "aasm",
        labels(*(lm(ASLEEP + 7 * k) for k in range(5))),
        "isolated_leg_movement + short_interval_leg_movement",
        "periodic_leg_movement_like",
    ),
    SettingCase(
        "limb.rules",
        "wasm2016-strict",
        labels(*(lm(ASLEEP + t) for t in (0, 5, 25, 45, 65))),
        "isolated_leg_movement + periodic_leg_movement_like",
        "isolated_leg_movement + short_interval_leg_movement",
    ),
)

CASES = (*CONTEXT, *TRAINS, *LABELS, *LIMB)  # fmt: skip
