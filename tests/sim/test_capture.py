"""The recording: sensor, blocks, clocks, losses and schedules."""

import ast
import itertools
from pathlib import Path

import numpy as np
import pytest

import firmware_sim
from firmware_sim import scenarios
from firmware_sim.capture import CaptureSettings, SimulatedCapture
from firmware_sim.event_generators import artefact_generator
from firmware_sim.hypnogram import whole_night
from firmware_sim.schedule import SUSTAINED, EventKind, Planner, Schedule, SimulatedEvent
from firmware_sim.sensor import Sensor
from firmware_sim.time_grid import make_rng
from firmware_sim.truth import TruthRow, label_rows


def joined(capture: SimulatedCapture, tiles: int):
    blocks = list(capture.blocks(tiles))
    emg = np.concatenate([block.emg for block in blocks])
    acc = np.concatenate([block.acc for block in blocks])
    return emg, acc, capture.truth_rows()


def test_block_size_does_not_change_the_samples() -> None:
    settings = CaptureSettings(4, 5, "artefacts", fs_emg=500.0)
    emg, acc, rows = joined(SimulatedCapture(settings), 1)
    emg_whole, acc_whole, rows_whole = joined(SimulatedCapture(settings), 100)
    assert np.array_equal(emg, emg_whole)
    assert np.array_equal(acc, acc_whole)
    assert rows == rows_whole


def test_the_quiet_scenario_has_the_stated_noise() -> None:
    emg, acc, rows = joined(SimulatedCapture(CaptureSettings(2, 3, "quiet")), 5)
    assert rows == []
    assert emg.shape == (120_000, 2)
    assert acc.shape == (12_000, 3)
    # White, 1/f and resting tone together: 1.5-4 uV RMS (a real resting leg: 2.4).
    assert 1.5 < np.std(emg[:, 0] * 0.2) < 4.0
    still = np.diff(acc[:, 0] * Sensor().acc_lsb_g) / np.sqrt(2)
    assert 0.0007 < np.std(still) < 0.0015
    assert np.linalg.norm(acc.mean(axis=0) * Sensor().acc_lsb_g) == pytest.approx(1.0, abs=0.03)


def test_converter_rounds_to_steps_and_clips_at_the_rails() -> None:
    sensor = Sensor()
    counts = sensor.to_counts(np.array([0.09, 0.11, -0.31, 1e6, -1e6]), 0.2)
    assert counts.tolist() == [0, 1, -2, 32767, -32768]


def test_events_are_the_same_at_every_sampling_rate() -> None:
    tables = []
    for fs in (500.0, 1000.0):
        _, _, rows = joined(SimulatedCapture(CaptureSettings(1, 3, "rest_twitches", fs_emg=fs)), 5)
        tables.append(rows)
    assert tables[0] == tables[1]
    assert tables[0]


def test_true_twitches_exceed_the_noise() -> None:
    emg, _, rows = joined(SimulatedCapture(CaptureSettings(1, 3, "rest_twitches")), 5)
    for row in rows:
        trace = emg[:, int(row.channel[-1]) - 1] * 0.2
        first, last = int(row.onset * 1000) - 5, int((row.onset + row.duration) * 1000) + 6
        assert np.ptp(trace[first:last]) == pytest.approx(row.amplitude_uv, rel=0.2, abs=20)


def test_a_fast_clock_gives_more_samples() -> None:
    capture = SimulatedCapture(
        CaptureSettings(2, 1, "quiet", drift_ppm=500.0, acc_drift_ppm=-500.0)
    )
    assert capture.emg_count == 120_060
    assert capture.acc_count == 11_994


def _at(kind: EventKind, onset: float, duration: float, **more: float) -> SimulatedEvent:
    return SimulatedEvent(kind, onset, duration, seed=4, **more)


def _with(events: tuple[SimulatedEvent, ...], monkeypatch: pytest.MonkeyPatch) -> SimulatedCapture:
    hypnogram = whole_night(1.0, make_rng(1))
    schedule = Schedule(60.0, hypnogram, events, 2.2)
    monkeypatch.setattr(scenarios, "make_schedule", lambda *_: schedule)
    return SimulatedCapture(CaptureSettings(1, 1, "quiet", channels=1))


def test_each_artefact_has_its_effect_on_the_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = _with(
        (
            _at(EventKind.FLAT, 5.0, 4.0),
            _at(EventKind.SATURATION, 12.0, 2.0, amplitude_uv=60_000.0),
            _at(EventKind.POP, 25.0, 0.2, amplitude_uv=1000.0),
            _at(EventKind.BUMP, 30.0, 0.4, peak_g=0.2),
            _at(EventKind.DROPOUT, 35.0, 2.0),
            _at(EventKind.MAINS, 40.0, 15.0, amplitude_uv=40.0),
        ),
        monkeypatch,
    )
    (block,) = capture.blocks()
    emg = block.emg[:, 0] * 0.2
    assert np.std(emg[5100:8900]) < 0.5
    assert np.sum(np.abs(block.emg[12_000:14_500, 0]) >= 32767) > 100
    assert 800 < np.ptp(emg[24_900:25_300]) < 1300
    assert np.std(emg[29_500:31_000]) < 5.0
    moved = block.acc[2990:3050] * Sensor().acc_lsb_g
    assert 0.1 < np.abs(moved - moved[:5].mean(axis=0)).max() < 0.25
    assert np.flatnonzero(~block.emg_kept).tolist() == list(range(35_000, 37_000))
    assert np.flatnonzero(~block.acc_kept).tolist() == list(range(3500, 3700))
    power = np.abs(np.fft.rfft(emg[43_000:53_000])) ** 2  # 0.1 Hz a bin
    assert power[490:511].sum() > 0.5 * power[200:4500].sum()


@pytest.mark.parametrize("name", scenarios.NAMES)
def test_events_do_not_overlap_or_leave_the_recording(name: str) -> None:
    schedule = scenarios.make_schedule(name, 30.0, 2, 2)
    events = [event for event in schedule.events if event.kind not in SUSTAINED]
    assert all(event.onset >= 0.0 and event.end <= schedule.seconds for event in schedule.events)
    for side in ("left", "right"):  # what one leg feels
        mine = [event for event in events if event.side in ("", side)]
        for first, second in itertools.pairwise(mine):
            assert second.onset >= first.end + 0.3
    assert (len(schedule.events) == 0) == (name == "quiet")


@pytest.mark.parametrize("name", scenarios.NAMES)
@pytest.mark.parametrize("minutes", [0.1, 0.7, 3.0, 11.0])
def test_a_schedule_of_any_length_can_be_made(name: str, minutes: float) -> None:
    for seed in range(3):
        schedule = scenarios.make_schedule(name, minutes, seed, 1)
        assert len(schedule.hypnogram.stages) * 30.0 >= schedule.seconds
        assert all(event.channel == 0 for event in schedule.events)


def test_periodic_movements_are_10_to_90_s_apart() -> None:
    schedule = scenarios.make_schedule("plm", 20.0, 4, 2)
    onsets = [e.onset for e in schedule.events if e.kind is EventKind.LEG_MOVEMENT]
    lengths = [e.duration for e in schedule.events if e.kind is EventKind.LEG_MOVEMENT]
    intervals = np.diff(onsets)
    inside = (intervals >= 15.0) & (intervals <= 80.0)
    assert inside.mean() > 0.85
    assert 18.0 < np.median(intervals) < 32.0
    assert 0.5 <= min(lengths) <= max(lengths) <= 10.0
    assert 1.5 < np.median(lengths) < 4.0


def test_a_night_has_plausible_sleep_and_rates() -> None:
    schedule = scenarios.make_schedule("night", 480.0, 1, 2)
    stages = schedule.hypnogram.stages
    assert len(stages) == 960
    share = {stage: stages.count(stage) / 960 for stage in ("W", "N1", "N2", "N3", "R")}
    assert 0.04 < share["W"] < 0.2
    assert 0.35 < share["N2"] < 0.7
    assert 0.08 < share["N3"] < 0.3
    assert 0.1 < share["R"] < 0.35
    counts = {kind: sum(e.kind is kind for e in schedule.events) for kind in EventKind}
    assert 100 < counts[EventKind.UNIT] + counts[EventKind.CLUSTER] < 1500
    assert 5 < counts[EventKind.JERK] < 60
    assert 20 < counts[EventKind.LEG_MOVEMENT] < 400


@pytest.mark.parametrize("seed", range(5))
def test_an_hour_contains_sleep_onset_with_jerks(seed: int) -> None:
    schedule = scenarios.make_schedule("night", 60.0, seed, 2)
    onset = schedule.hypnogram.sleep_onset_s
    assert onset is not None
    assert 300.0 < onset < 1200.0
    jerks = [e.onset for e in schedule.events if e.kind is EventKind.JERK]
    assert any(onset - 300.0 < at < onset + 600.0 for at in jerks)


def test_contexts_follow_the_contract() -> None:
    hypnogram = scenarios.make_schedule("night", 60.0, 1, 2).hypnogram
    onset = hypnogram.sleep_onset_s
    assert onset is not None
    wanted = [(-301, "wake"), (-299, "drowsy"), (1, "sleep_onset"), (599, "sleep_onset")]
    for offset, context in wanted:
        assert hypnogram.context_at(onset + offset) == context


@pytest.mark.parametrize(
    ("onsets", "labels"),
    [
        ((0, 20, 40, 60), ["periodic"] * 4),
        ((0, 20, 40), ["isolated"] * 3),
        ((0, 10, 20, 110), ["periodic"] * 4),
        ((0, 20, 40, 130.5), ["isolated"] * 4),
        ((0, 20, 40, 45), ["isolated"] * 3 + ["short"]),
    ],
)
def test_movements_are_labelled_by_their_intervals(onsets, labels) -> None:
    rows = [TruthRow(1000.0 + at, 2.0, "movement") for at in onsets]
    named = label_rows(rows, scenarios.make_schedule("plm", 60.0, 1, 1).hypnogram, "")
    assert [row.label.split("_")[0] for row in named] == labels


def test_overlapping_reservations_are_rejected() -> None:
    planner = Planner(60.0, whole_night(1.0, make_rng(1)), 2, make_rng(2))
    assert planner.add(SimulatedEvent(EventKind.JERK, 10.0, 0.2))
    assert not planner.add(SimulatedEvent(EventKind.UNIT, 10.1, 0.02))
    assert not planner.add(SimulatedEvent(EventKind.JERK, 59.9, 0.2))
    assert artefact_generator(EventKind.POP)(planner, 30.0)


def test_the_simulator_never_imports_the_analysis() -> None:
    for path in Path(firmware_sim.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.split(".")[0] == "twitchsense" for name in names), path
