"""Detection beside recording: nothing it does or fails to do reaches the recorder."""

from __future__ import annotations

import asyncio
import threading

import pytest

from benchmarks.recorder.replay import BOOT, FrameSequence
from benchmarks.recorder.scaling import record
from firmware_sim.wearable.encoder import Encoder
from twitchsense.acquire.frame_queue import FrameSource, StoredFrame
from twitchsense.devices.v1.v1_frames import decode_frame, decode_info
from twitchsense.live.worker import DetectionWorker
from twitchsense.nightfile.records import Boot


@pytest.fixture(scope="module")
def film():
    return FrameSequence.make(8.0, "rest_twitches")


@pytest.fixture(scope="module")
def stored(film):
    """Return the frames of one connection."""
    model = film.model
    info = decode_info(bytes(Encoder().info(model.streams, model.tick_hz, model.device, "")))
    source = FrameSource(info, Boot(model.serial, BOOT), 0, lambda _: None)
    return [
        StoredFrame(source, decode_frame(data, info), round(due * 1e9))
        for due, data in zip(film.due, film.frames, strict=True)
    ]


def test_a_slow_detector_gets_larger_batches_until_frames_are_dropped(stored):
    begun, go, seen = threading.Event(), threading.Event(), []

    def show(frames):
        begun.set()
        go.wait(30)
        seen.append(frames)

    worker = DetectionWorker(show, limit=40)
    worker.put(stored[:1])
    assert begun.wait(30)
    for frame in stored[1:61]:
        worker.put([frame])
    assert worker.n_dropped == 20
    go.set()
    worker.close()
    assert seen == [stored[:1], stored[1:41]]


def test_an_error_of_the_detector_does_not_stop_the_recorder(stored, caplog):
    def broken(frames):
        raise RuntimeError("odd")

    worker = DetectionWorker(broken)
    worker.put(stored[:1])
    worker.put(stored[1:2])
    worker.close()
    assert "the recording continues" in caplog.text


@pytest.mark.slow  # records several wearables
def test_several_wearables_are_recorded_byte_for_byte(film, tmp_path):
    run = asyncio.run(record(film, 3, 2.0, tmp_path / "n.night", live=True))
    assert run["frames_sent"] > 3 * 20
    assert run["stored"] == {"same": run["frames_sent"], "wrong": 0, "damaged": 0, "losses": 0}
    assert run["asked_again"] == run["turned_away"] == run["not_searched"] == 0
