"""Named scenarios: which events occur when, and how often."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firmware_sim import event_generators
from firmware_sim.event_generators import EventGenerator, artefact_generator
from firmware_sim.hypnogram import StageSequence, falling_asleep, fixed_stages, whole_night
from firmware_sim.schedule import EventKind, Planner, Schedule, SimulatedEvent
from firmware_sim.time_grid import make_rng

#: Durations (ms) of the staircase.
STAIR_MS = (10, 15, 20, 25, 35, 50, 75, 100, 150, 200, 250, 300, 400, 500)
#: Signal-to-noise ratios (dB) of the staircase.
STAIR_DB = (10, 15, 20, 30)
#: RMS of the EMG noise (µV) of the staircase.
STAIR_NOISE_UV = 3.0


def add_poisson(
    planner: Planner, generate: EventGenerator, per_hour: float, start: float, end: float
) -> None:
    """Add events at random times; one that would overlap another gets up to 5 random times.

    Parameters
    ----------
    planner : Planner
    generate : callable
        Adds an event at a time (s), and returns whether it did.
    per_hour : float
        Mean rate.
    start, end : float
        Interval, s.
    """
    for _ in range(int(planner.rng.poisson(max(end - start, 0.0) / 3600.0 * per_hour))):
        for _ in range(5):
            if generate(planner, float(planner.rng.uniform(start, end))):
                break


def add_irregular(
    planner: Planner,
    generate: EventGenerator,
    median_s: float,
    start: float,
    end: float,
    spread: float = 0.9,
) -> None:
    """Add events with widely varying intervals, such as fasciculations.

    Parameters
    ----------
    planner : Planner
    generate : callable
        Adds an event at a time (s), and returns whether it did.
    median_s : float
        Median interval, s.
    start, end : float
        Interval in which events begin, s.
    spread : float
        Standard deviation of the logarithm of the intervals.
    """
    at = start + float(planner.rng.uniform(0.3, 1.0)) * median_s
    while at < end - 1.0:
        generate(planner, at)
        at += event_generators.truncated_lognormal(
            planner.rng, median_s, spread, 0.9, 20 * median_s
        )


def plm_series(planner: Planner, start: float, end: float, median_s: float = 24.0) -> float:
    """Add periodic leg movements 15-40 s apart, most 20-26 s (Ferri 2006); return the end (s)."""
    at = start
    while at < end - 12.0:
        event_generators.leg_movement(planner, at, median_s=2.4)
        at += event_generators.truncated_lognormal(planner.rng, median_s, 0.22, 15.0, 40.0)
    return at


def _quiet(planner: Planner) -> Schedule:
    return planner.finish(2.2)


def _rest_twitches(planner: Planner) -> Schedule:
    add_irregular(planner, event_generators.unit_twitch, 5.0, 0.0, planner.seconds)
    return planner.finish(2.2)


def _sleep_onset(planner: Planner) -> Schedule:
    onset = planner.hypnogram.sleep_onset_s or 0.0
    end = min(onset + 600.0, planner.seconds)
    add_irregular(
        planner, event_generators.jerk, 40.0, max(onset - 150.0, 0.0) + 5.0, end, spread=0.7
    )
    add_poisson(planner, event_generators.leg_movement, 20.0, 0.0, onset)
    add_irregular(planner, event_generators.small_twitch, 9.0, 0.0, planner.seconds)
    add_poisson(planner, event_generators.posture_change, 12.0, 0.0, onset)
    return planner.finish(2.2)


def _plm(planner: Planner) -> Schedule:
    # Series of some minutes with pauses longer than 90 s, in which movements are isolated.
    at = float(planner.rng.uniform(6.0, 15.0))
    while at < planner.seconds - 60.0:
        at = plm_series(planner, at, min(at + planner.rng.uniform(180, 900), planner.seconds))
        event_generators.leg_movement(planner, at + 100.0)
        at += 220.0
    add_irregular(planner, event_generators.small_twitch, 40.0, 0.0, planner.seconds)
    return planner.finish(2.2)


def _fragmentary(planner: Planner) -> Schedule:
    add_irregular(planner, event_generators.small_twitch, 5.5, 0.0, planner.seconds, spread=0.7)
    return planner.finish(2.2)


def _violent(planner: Planner) -> Schedule:
    # Volleys of jerks some seconds apart, then a pause.
    at = float(planner.rng.uniform(4.0, 8.0))
    while at < planner.seconds - 4.0:
        for _ in range(int(planner.rng.integers(3, 8))):
            event_generators.violent_jerk(planner, at)
            at += float(planner.rng.uniform(2.8, 7.0))
        at += float(planner.rng.uniform(8.0, 30.0))
    add_poisson(planner, event_generators.cluster_twitch, 60.0, 0.0, planner.seconds)
    return planner.finish(2.2)


def _artefacts(planner: Planner) -> Schedule:
    seconds = planner.seconds
    for kind in (EventKind.ECG, EventKind.MAINS, EventKind.TONIC_UNIT, EventKind.WANDER):
        add_poisson(planner, artefact_generator(kind, seconds / 5.0), 8.0, 0.0, seconds)
    for kind, rate in (
        (EventKind.SATURATION, 6.0),
        (EventKind.FLAT, 6.0),
        (EventKind.DROPOUT, 15.0),
        (EventKind.POP, 90.0),
        (EventKind.CRACKLE, 40.0),
        (EventKind.STEP, 40.0),
        (EventKind.BUMP, 90.0),
        (EventKind.KNOCK, 60.0),
    ):
        add_poisson(planner, artefact_generator(kind), rate, 0.0, seconds)
    return planner.finish(3.0, heart_bpm=float(planner.rng.uniform(45.0, 110.0)))


def _staircase(planner: Planner) -> Schedule:
    rng = planner.rng
    at = 2.0
    while at < planner.seconds - 2.0:
        steps = [(ms, db) for ms in STAIR_MS for db in STAIR_DB]
        for which in rng.permutation(len(steps)):
            ms, db = steps[which]
            planner.add(
                SimulatedEvent(
                    EventKind.STAIR,
                    at,
                    ms / 1000.0,
                    amplitude_uv=STAIR_NOISE_UV * 10.0 ** (db / 20.0),
                    peak_g=0.002 + 0.00006 * ms,
                    seed=planner.new_seed(),
                    cause=f"snr_{db}db",
                )
            )
            at += ms / 1000.0 + float(rng.uniform(1.4, 2.4))
    return planner.finish(STAIR_NOISE_UV, tonic=False)


# Mean events per hour of each stage in a whole night.  [E]: within the ranges of
# docs/definitions.md, for a restless but plausible sleeper.
_RATES: tuple[tuple[EventGenerator, dict[str, float]], ...] = (
    (event_generators.gross_movement, {"W": 9, "N1": 4, "N2": 1.0, "N3": 0.3, "R": 1.0}),
    (event_generators.posture_change, {"W": 6, "N1": 2, "N2": 1.2, "N3": 0.3, "R": 0.8}),
    (event_generators.leg_shift, {"W": 5, "N1": 2, "N2": 0.8, "N3": 0.2, "R": 0.8}),
    (event_generators.leg_movement, {"W": 18, "N1": 6, "N2": 3, "N3": 0.5, "R": 2}),
    (event_generators.jerk, {"N1": 3, "N2": 1.2, "N3": 0.2, "R": 0.6}),
    (event_generators.contraction, {"W": 8, "N1": 3, "N2": 1, "N3": 0.3, "R": 2}),
    (event_generators.small_twitch, {"N1": 40, "N2": 25, "N3": 9, "R": 45}),
    (artefact_generator(EventKind.SATURATION), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 0.15)),
    (artefact_generator(EventKind.FLAT), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 0.1)),
    (artefact_generator(EventKind.DROPOUT), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 0.8)),
    (artefact_generator(EventKind.POP), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 2.0)),
    (artefact_generator(EventKind.CRACKLE), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 0.5)),
    (artefact_generator(EventKind.STEP), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 0.7)),
    (artefact_generator(EventKind.BUMP), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 2.0)),
    (artefact_generator(EventKind.KNOCK), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 1.0)),
    (artefact_generator(EventKind.ECG), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 0.25)),
    (artefact_generator(EventKind.MAINS), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 0.4)),
    (artefact_generator(EventKind.TONIC_UNIT), {"W": 1.5, "N1": 0.8, "N2": 0.2}),
    (artefact_generator(EventKind.WANDER), dict.fromkeys(("W", "N1", "N2", "N3", "R"), 0.4)),
)


def _night(planner: Planner) -> Schedule:
    rng, hypnogram, seconds = planner.rng, planner.hypnogram, planner.seconds
    bouts = [(a, min(b, seconds), stage) for a, b, stage in hypnogram.bouts() if a < seconds]
    onset = hypnogram.sleep_onset_s or seconds
    for index, (start, end, stage) in enumerate(bouts):  # the sleeper gets up once, in a long wake
        if stage == "W" and index and end - start > 300.0 and end < seconds - 400.0:
            event_generators.walking(planner, start + 60.0)
    if seconds >= 3.0 * 3600.0:  # one episode of violent, repetitive jerks in the second third
        at = seconds * float(rng.uniform(0.4, 0.6))
        for _ in range(int(rng.integers(4, 7))):
            event_generators.violent_jerk(planner, at)
            at += float(rng.uniform(3.0, 9.0))
    for start, end, stage in bouts:  # periodic movements occur in N2
        if stage == "N2" and end - start > 240.0 and rng.random() < 0.45:
            first = start + rng.uniform(10.0, 60.0)
            plm_series(planner, first, min(first + rng.uniform(150.0, 700.0), end))
    # Sleep starts: a few around sleep onset, whatever the length of the recording.
    for _ in range(int(rng.integers(3, 6))):
        for _ in range(5):
            early, late = max(onset - 150.0, 5.0), min(onset + 480.0, seconds - 3.0)
            if event_generators.jerk(planner, float(rng.uniform(early, max(early, late)))):
                break
    for make, rates in _RATES:
        for start, end, stage in bouts:
            add_poisson(planner, make, rates.get(stage, 0.0), start, end)
    drowsy, deep = max(onset - 200.0, 0.0), min(onset + 500.0, seconds)
    add_irregular(planner, event_generators.small_twitch, 25.0, drowsy, deep)
    for start, end, stage in bouts:
        if stage == "W":  # fasciculations at rest occur in episodes
            add_irregular(planner, event_generators.unit_twitch, 18.0, start, end)
    return planner.finish(2.2, heart_bpm=float(rng.uniform(50.0, 72.0)))


def hiccups(planner: Planner, start: float, end: float) -> float:
    """Add one episode of hiccups at a nearly constant rhythm; return its end (s)."""
    rng = planner.rng
    typical, at = float(rng.uniform(2.5, 9.0)), start
    while at < end:
        event_generators.hiccup(planner, at)
        at += typical * float(np.clip(1.0 + 0.2 * rng.standard_normal(), 0.6, 1.6))
    return at


def _hiccups(planner: Planner) -> Schedule:
    rng, at = planner.rng, float(planner.rng.uniform(20.0, 60.0))
    while at < planner.seconds - 200.0:
        at = hiccups(planner, at, at + float(rng.uniform(60.0, 400.0)))
        at += float(rng.uniform(60.0, 400.0))
    add_poisson(planner, event_generators.leg_movement, 8.0, 0.0, planner.seconds)
    add_poisson(planner, event_generators.posture_change, 6.0, 0.0, planner.seconds)
    add_irregular(planner, event_generators.small_twitch, 40.0, 0.0, planner.seconds)
    return planner.finish(2.2)


def _trains(planner: Planner) -> Schedule:
    seconds = planner.seconds
    onset = planner.hypnogram.sleep_onset_s or seconds
    light = next((e for _, e, s in planner.hypnogram.bouts() if s == "N1"), seconds)
    add_poisson(planner, event_generators.foot_tremor, 40.0, 0.0, min(light, seconds))
    add_poisson(planner, event_generators.tremor, 30.0, 0.0, seconds)
    add_poisson(
        planner, event_generators.high_frequency_movements, 30.0, min(light, seconds), seconds
    )
    add_poisson(planner, event_generators.leg_movement, 20.0, 0.0, seconds)
    add_poisson(planner, event_generators.posture_change, 8.0, 0.0, onset)
    return planner.finish(2.2)


def _alternation(planner: Planner) -> Schedule:
    add_poisson(planner, event_generators.alternating_activation, 40.0, 0.0, planner.seconds)
    add_poisson(planner, event_generators.leg_movement, 20.0, 0.0, planner.seconds)
    return planner.finish(2.2)


def _labels(planner: Planner) -> Schedule:
    """Return a night that contains every label, each in its context."""
    rng, hypnogram, seconds = planner.rng, planner.hypnogram, planner.seconds
    bouts = [(a, min(b, seconds), stage) for a, b, stage in hypnogram.bouts() if a < seconds]
    onset = hypnogram.sleep_onset_s or seconds
    for make, per_hour in (
        (event_generators.posture_change, 14.0),
        (event_generators.gross_movement, 8.0),
    ):
        add_poisson(planner, make, per_hour, 0.0, onset)
    volley = seconds * float(rng.uniform(0.45, 0.7))
    for _ in range(int(rng.integers(5, 9))):
        event_generators.violent_jerk(planner, volley)
        volley += float(rng.uniform(3.0, 8.0))
    for _ in range(int(rng.integers(4, 7))):
        event_generators.jerk(planner, float(rng.uniform(max(onset - 200.0, 0.0), onset + 500.0)))
    spell = float(rng.uniform(onset + 900.0, max(seconds - 400.0, onset + 900.0)))
    hiccups(planner, spell, spell + float(rng.uniform(90.0, 300.0)))
    for start, end, stage in bouts:
        if stage == "N2" and end - start > 300.0:
            first = start + float(rng.uniform(10.0, 60.0))
            plm_series(planner, first, min(first + float(rng.uniform(200.0, 500.0)), end))
        if stage in ("N2", "N3"):
            add_irregular(planner, event_generators.small_twitch, 7.0, start, end, spread=0.7)
        elif stage == "R":
            add_irregular(planner, event_generators.small_twitch, 15.0, start, end)
        elif stage == "W":
            add_irregular(planner, event_generators.unit_twitch, 12.0, start, end)
            add_poisson(planner, event_generators.contraction, 6.0, start, end)
    add_poisson(planner, event_generators.leg_movement, 4.0, onset, seconds)
    add_poisson(planner, event_generators.jerk, 2.0, onset + 700.0, seconds)
    return planner.finish(2.2, heart_bpm=float(rng.uniform(50.0, 72.0)))


def _restless_onset(planner: Planner) -> Schedule:
    """Return restlessness in wake, jerks at each sleep onset, and periodic movements after it."""
    rng, seconds = planner.rng, planner.seconds
    bouts = [(a, min(b, seconds), s) for a, b, s in planner.hypnogram.bouts() if a < seconds]
    onset = planner.hypnogram.sleep_onset_s or seconds
    for start, end, stage in bouts:
        if stage == "W" and end - start >= 60.0:
            # the sleeper turns over every few minutes, the last time just before sleep
            at = start + float(rng.uniform(5.0, 40.0))
            while at < end - 20.0:
                generate = (
                    event_generators.posture_change
                    if rng.random() < 0.7
                    else event_generators.gross_movement
                )
                generate(planner, at)
                at += float(rng.uniform(40.0, 200.0))
            event_generators.posture_change(planner, end - float(rng.uniform(12.0, 18.0)))
    first, last = max(onset - 250.0, 3.0), min(onset + 900.0, seconds)
    add_irregular(planner, event_generators.jerk, 35.0, first, last, spread=0.6)
    plm_series(planner, first + 7.0, min(onset + 1800.0, seconds))
    add_irregular(planner, event_generators.small_twitch, 25.0, 0.0, seconds)
    return planner.finish(2.2)


_Stages = Callable[[float, np.random.Generator], StageSequence]
_SCENARIOS: dict[str, tuple[_Stages, Callable[[Planner], Schedule]]] = {
    "night": (whole_night, _night),
    "quiet": (lambda m, _: fixed_stages(m, ("W", 0.1), ("N2", 0.9)), _quiet),
    "rest_twitches": (lambda m, _: fixed_stages(m, ("W", 1.0)), _rest_twitches),
    "sleep_onset": (lambda m, _: falling_asleep(m), _sleep_onset),
    "plm": (lambda m, _: fixed_stages(m, ("N2", 1.0)), _plm),
    "fragmentary": (lambda m, _: fixed_stages(m, ("N2", 0.7), ("N3", 0.3)), _fragmentary),
    "violent": (lambda m, _: fixed_stages(m, ("N2", 1.0)), _violent),
    "artefacts": (lambda m, _: fixed_stages(m, ("W", 0.2), ("N2", 0.8)), _artefacts),
    "hiccups": (lambda m, _: falling_asleep(m), _hiccups),
    "trains": (lambda m, _: fixed_stages(m, ("W", 0.3), ("N1", 0.3), ("N2", 0.4)), _trains),
    "alternation": (lambda m, _: fixed_stages(m, ("W", 0.3), ("N2", 0.7)), _alternation),
    "restless_onset": (whole_night, _restless_onset),
    "labels": (whole_night, _labels),
    "staircase": (lambda m, _: fixed_stages(m, ("W", 1.0)), _staircase),
}

#: Names of the scenarios.
NAMES = tuple(_SCENARIOS)


def make_schedule(
    name: str, minutes: float, seed: int, channels: int, hypnogram: StageSequence | None = None
) -> Schedule:
    """Return the schedule of a scenario.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    minutes : float
        Length of the recording.
    seed : int
        Random seed.
    channels : int
        Number of EMG channels.
    hypnogram : StageSequence, optional
        Sleep stages to use instead of those of the scenario.

    Returns
    -------
    Schedule
    """
    stages, fill = _SCENARIOS[name]
    rng = make_rng(seed, "plan", name)
    planner = Planner(minutes * 60.0, hypnogram or stages(minutes, rng), channels, rng)
    return fill(planner)
