"""Detection beside recording: joined frames say the same, and no fault reaches the recorder."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.many_wearables import BOOT, Film, record
from firmware_sim.wearable.wire import Wire
from twitchsense.acquire.inbox import Lane, Stored
from twitchsense.devices.twitch import decode_frame, decode_info
from twitchsense.live.aside import Aside, join_frames
from twitchsense.live.lane import LiveLane
from twitchsense.store.records import Boot


@pytest.fixture(scope="module")
def film():
    return Film.make(40.0, "rest_twitches")


@pytest.fixture(scope="module")
def stored(film):
    """Return the frames of a minute of one connection, with a hole in it."""
    model = film.model
    info = decode_info(bytes(Wire().info(model.streams, model.tick_hz, model.device, "")))
    lane = Lane(info, Boot(model.serial, BOOT), 0, lambda _: None)
    frames = [
        Stored(lane, decode_frame(data, info), round(due * 1e9))
        for due, data in zip(film.due, film.frames, strict=True)
    ]
    return frames[:300] + frames[320:]


def findings(frames):
    lane = LiveLane("x", frames[0].lane.info)
    return [f for s in frames for f in lane.push(s.frame, s.arrival_ns)]


def batches(frames, seed):
    rng = np.random.default_rng(seed)
    cuts = np.flatnonzero(rng.random(len(frames)) < 0.1)
    parts = np.split(np.arange(len(frames)), cuts)
    return [[frames[i] for i in part] for part in parts if len(part)]


@pytest.mark.parametrize("seed", [1, 2])
def test_joined_frames_hold_the_same_samples_and_movements(stored, seed):
    joined = [s for batch in batches(stored, seed) for s in join_frames(batch)]
    assert len(joined) < len(stored) / 3
    for kind in stored[0].lane.info.by_id:
        parts, whole = (
            np.concatenate([s.frame.samples for s in group if s.frame.type == kind])
            for group in (stored, joined)
        )
        np.testing.assert_array_equal(parts, whole)
    alone, together = findings(stored), findings(joined)
    assert len(alone) >= 2

    def told(found):
        return [(f.kind, f.channel, f.offset_ns - f.onset_ns, f.amplitude_uv) for f in found]

    assert told(together) == told(alone)


def test_what_does_not_follow_is_not_joined(stored):
    first, second = [s for s in stored if s.frame.type == 1][:2]
    other = replace(second, lane=replace(second.lane))
    replayed = replace(second, frame=replace(second.frame, flags=1))
    late = replace(second, frame=replace(second.frame, ticks=second.frame.ticks + 33))
    assert len(join_frames([first, second])) == 1
    for after in (first, other, replayed, late):
        assert join_frames([first, after]) == [first, after]
    wrapped = [replace(s, frame=replace(s.frame, ticks=(s.frame.ticks + shift) % (1 << 32)))
               for s, shift in ((first, -100), (second, -100))]  # fmt: skip
    assert len(join_frames(wrapped)) == 1


def test_a_slow_detector_gets_more_at_a_time_and_then_less_than_all(stored):
    go, seen = threading.Event(), []

    def show(frames):
        go.wait(30)
        seen.append(frames)

    aside = Aside(show, limit=40)
    for frame in stored[:60]:
        aside.put([frame])
    assert 20 <= aside.left_out <= 21  # one may have been taken before the others came
    go.set()
    aside.close()
    assert len(seen) <= 2
    total = sum(len(s.frame.samples) for part in seen for s in part)
    assert total == sum(len(s.frame.samples) for s in stored[: 60 - aside.left_out])


def test_a_fault_of_the_detector_does_not_reach_the_recorder(stored, caplog):
    def broken(frames):
        raise RuntimeError("odd")

    aside = Aside(broken)
    aside.put(stored[:1])
    aside.put(stored[1:2])
    aside.close()
    assert "the recording goes on" in caplog.text


def test_several_wearables_are_recorded_byte_for_byte(film, tmp_path):
    run = asyncio.run(record(film, 3, 2.0, tmp_path / "n.night", live=True))
    assert run["frames_sent"] > 3 * 20
    assert run["stored"] == {"same": run["frames_sent"], "wrong": 0, "damaged": 0, "losses": 0}
    assert run["asked_again"] == run["turned_away"] == run["not_searched"] == 0
