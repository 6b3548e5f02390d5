"""Channels that are searched in threads give the tables of channels searched in turn."""

from __future__ import annotations

import threading

import pytest

from tests.signals import SimulatedLeg
from twitchsense.detect import detector as detector_module
from twitchsense.detect.detector import ChannelThreads, Detector, max_threads
from twitchsense.dsp.engine import engine
from twitchsense.errors import InputError
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings
from twitchsense.threads import VARIABLE, single_threaded_children


@pytest.fixture(autouse=True)
def _as_if_compiled(monkeypatch):
    monkeypatch.setattr(detector_module, "kernels", lambda: object())


def tables(recording, threads, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(threads))
    detector = Detector(Settings(), recording.channels)
    for block in recording.blocks(11):
        detector.push(*block)
    return detector.close()


def test_tables_do_not_depend_on_the_threads(monkeypatch):
    one, other = SimulatedLeg(25, seed=1).jerk(12).twitch(17), SimulatedLeg(25, seed=2).jerk(14)
    signals = {"emg_left_uv": (one.emg, 1000), "emg_right_uv": (other.emg, 1000)}
    signals |= {f"acc_right_{a}_g": (other.acc[:, i], 100) for i, a in enumerate("xyz")}
    recording = Recording.from_arrays(signals)
    serial, parallel = (tables(recording, n, monkeypatch) for n in (1, 3))
    assert len(serial.events) >= 2
    assert serial.events.equals(parallel.events)
    assert serial.rejected.equals(parallel.rejected)
    assert serial.valid_s == parallel.valid_s


def test_searches_run_side_by_side(monkeypatch):
    monkeypatch.setenv(VARIABLE, "3")
    meet = threading.Barrier(3, timeout=10)
    threads = ChannelThreads(3)
    threads.run([meet.wait] * 3)
    threads.close()


def test_failure_of_a_search_is_raised(monkeypatch):
    monkeypatch.setenv(VARIABLE, "2")
    threads = ChannelThreads(2)
    with pytest.raises(ZeroDivisionError):
        threads.run([lambda: None, lambda: 1 // 0])
    threads.close()


def test_workers_of_a_cohort_use_one_thread():
    with single_threaded_children():
        assert max_threads() == 1


def test_scipy_engine_uses_one_thread(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv(VARIABLE, "4")
    with engine("scipy"):
        assert max_threads() == 1


@pytest.mark.parametrize("given", ["two", "0", "-1", "1.5", "²"])
def test_a_number_of_threads_that_is_none_is_refused(monkeypatch, given):
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(InputError, match="not a number of threads"):
        max_threads()
