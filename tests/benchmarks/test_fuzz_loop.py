"""Short parts of the fuzz runs, and faults that their loop must find."""

import os
import signal

import pytest

from benchmarks.fuzz import captures as fuzz_captures
from benchmarks.fuzz import documents as fuzz_documents
from benchmarks.fuzz.loop import Corpus, run, run_limited


@pytest.mark.slow
@pytest.mark.parametrize(
    ("corpus", "count"), [(fuzz_captures.CORPUS, 120), (fuzz_documents.CORPUS, 160)]
)
def test_damaged_inputs_are_read_or_refused(tmp_path, corpus, count):
    found = run(corpus, count, 11, tmp_path)
    assert found.failures == []
    assert found.total("read") + found.total("refused") == count
    assert found.total("read") > 5
    assert found.total("refused") > 5


def broken(read):
    return Corpus("broken", lambda folder: {"a": ("a.txt", b"abc")}, lambda data, rng: data, read)


def test_other_errors_and_files_left_behind_are_failures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inputs").mkdir()

    def read(name, path, rng):
        path.with_name("left").touch()
        raise KeyError("bug")

    found = run(broken(read), 2, 1, tmp_path / "inputs")
    assert len(found.failures) == 3
    assert "KeyError" in found.failures[0]
    assert "left behind ['left']" in found.failures[2]


@pytest.mark.slow  # starts processes
def test_a_reader_that_takes_over_1_gb_or_ends_the_process_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calls = []

    def allocate(name, path, rng):
        calls.append(bytearray(2 * 10**9) if calls else b"")

    def end(name, path, rng):
        calls.append(0)
        if len(calls) > 1:
            os.kill(os.getpid(), signal.SIGKILL)

    [failure] = run_limited(broken(allocate), 1, 1).failures
    assert "MemoryError" in failure
    calls.clear()
    [failure] = run_limited(broken(end), 1, 1).failures
    assert "the process ended (-9)" in failure
