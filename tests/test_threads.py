"""Work beside the calling thread: the same results and errors, in the same order."""

from __future__ import annotations

import threading

import pytest

from twitchsense.errors import InputError
from twitchsense.io.read import hash_files, read
from twitchsense.threads import VARIABLE, BackgroundThread, read_ahead

EMG = "time_s,emg1_uv\n" + "".join(f"{k / 1000:.3f},{k % 7}.5\n" for k in range(3000))


@pytest.mark.parametrize("threads", ["1", "2"])
def test_items_and_the_error_come_in_order(monkeypatch, threads):
    monkeypatch.setenv(VARIABLE, threads)

    def items():
        yield from (1, 2, 3)
        raise ZeroDivisionError

    found = read_ahead(items())
    assert [next(found) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_next_item_is_made_while_the_last_is_used(monkeypatch):
    monkeypatch.setenv(VARIABLE, "2")
    meet = threading.Barrier(2, timeout=10)

    def items():
        yield 1
        meet.wait()
        yield 2

    found = read_ahead(items())
    assert next(found) == 1
    meet.wait()
    assert list(found) == [2]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_abandoned_items_end_their_thread(monkeypatch, threads):
    monkeypatch.setenv(VARIABLE, threads)
    found = read_ahead(iter(range(9)))
    assert next(found) == 0
    found.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("ahead")]


def test_function_beside_gives_its_result_or_its_error(monkeypatch):
    monkeypatch.setenv(VARIABLE, "2")
    with BackgroundThread() as background:
        assert background.start(max, 3, 5)() == 5
        result = background.start(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError):
        result()


@pytest.mark.parametrize("threads", ["1", "2"])
def test_recording_does_not_depend_on_the_threads(monkeypatch, tmp_path, threads):
    monkeypatch.setenv(VARIABLE, threads)
    path = tmp_path / "emg.csv"
    path.write_text(EMG)
    recording = read(path)
    assert recording.sha256 == hash_files([path])
    samples = recording.segments[0].samples
    assert samples.read(0, len(samples))[:8, 0].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 0.5]


def test_same_content_under_two_names_is_refused(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(EMG)
    with pytest.raises(InputError, match="same file is given twice"):
        read(tmp_path / "a.csv", tmp_path / "b.csv")
