"""Output files: all or none, whatever fails and whenever a signal arrives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.full_disk import full_disk
from twitchsense import output_files
from twitchsense.deferred_signals import deferred_signals, repeat_lost_signals
from twitchsense.errors import InputError
from twitchsense.output_files import staged, write_directory, write_file

FILES = [("a", "new"), ("b/c", "new"), ("summary", "new")]


def tree(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()
    }


@pytest.fixture
def old(tmp_path):
    out = tmp_path / "out"
    write_directory(out, [("a", "old"), ("summary", "old"), ("report", "old"), ("mine", "mine")])
    return out


def test_files_replace_older_ones_and_leave_others_alone(old):
    write_directory(old, FILES, remove=["report"], last="summary")
    assert tree(old.parent) == {
        "out/a": "new", "out/b/c": "new", "out/summary": "new", "out/mine": "mine"
    }  # fmt: skip


@pytest.mark.parametrize("step", range(6))
def test_a_failed_move_puts_the_older_files_back(old, monkeypatch, step):
    before, count, rename = tree(old), 0, Path.rename

    def fail(path, target):
        nonlocal count
        count += 1
        if count == step + 1:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(InputError, match=r"out: cannot be written \(No space left"):
        write_directory(old, FILES, remove=["report"], last="summary")
    monkeypatch.undo()
    assert tree(old.parent) == {f"out/{name}": text for name, text in before.items()}
    assert not (old / "b").exists()


def test_a_lost_signal_that_comes_again_at_once_is_sent_once_more(monkeypatch):
    """On a busy computer the second signal may come before the timer's `start` has returned."""
    started = []

    def start(timer):
        started.append(timer)
        if len(started) == 1:
            raise SystemExit(143)

    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    repeat_lost_signals()
    monkeypatch.setattr(threading.Timer, "start", start)
    sys.unraisablehook(SimpleNamespace(exc_value=SystemExit(143)))
    assert len(started) == 2
    assert started[1].args == [os.getpid(), signal.SIGTERM]


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be locked there")
def test_commands_that_write_into_one_folder_take_turns(old, monkeypatch):
    """Files of two commands are never mixed: the second waits until the first has moved all."""
    rename, order = Path.rename, []

    def wait(path, target):
        if not order:
            order.append("first moves")
            second.start()
            second.join(0.2)
            order.append("first goes on")
        return rename(path, target)

    def write_second():
        write_directory(old, [(name, "2") for name, _ in FILES], last="summary")
        order.append("second is done")

    second = threading.Thread(target=write_second)
    monkeypatch.setattr(Path, "rename", wait)
    write_directory(old, FILES, last="summary")
    second.join()
    assert order == ["first moves", "first goes on", "second is done"]
    assert {tree(old)[name] for name, _ in FILES} == {"2"}


def test_the_file_that_tells_completeness_leaves_first_and_comes_last(old, monkeypatch):
    moved, rename = [], Path.rename

    def note(path, target):
        moved.append((path, Path(target)))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", note)
    files = [*FILES, ("traces", "new")]  # one whose name is after that of the summary
    write_directory(old, files, remove=["report"], last="summary")
    assert moved[0][0] == old / "summary"
    assert moved[-1][1] == old / "summary"


def write_new_files(out):
    with staged(out, replace=False) as folder:
        (folder / "x").write_text("new")
        (folder / "summary").write_text("new")


def test_a_file_that_must_not_be_replaced_keeps_all_files_away(old):
    before = tree(old)
    with pytest.raises(InputError, match="summary: already exists"):
        write_new_files(old)
    assert tree(old) == before


def test_a_file_in_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(InputError, match="is a file, not a directory") as caught:
        write_file(tmp_path / "notes" / "report.html", "")
    assert caught.value.source == str(tmp_path / "notes")


def test_a_full_disk_leaves_a_file_as_it_was(tmp_path):
    path = tmp_path / "new" / "file"
    with full_disk(), pytest.raises(InputError, match=r"new/file: cannot be written \(File too"):
        write_file(path, "new")
    assert list(tmp_path.iterdir()) == []
    write_file(path, "old")
    with full_disk(), pytest.raises(InputError, match="free some space"):
        write_file(path, "new")
    assert tree(tmp_path) == {"new/file": "old"}


def test_an_error_of_a_file_that_is_read_does_not_blame_the_output(tmp_path):
    with pytest.raises(FileNotFoundError), staged(tmp_path / "out"):
        (tmp_path / "input.csv").read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_cannot_be_removed_is_named(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(output_files.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(RuntimeError), staged(tmp_path / "out"):
        raise RuntimeError
    (part,) = tmp_path.iterdir()
    assert f"{part}: is an unfinished part that cannot be removed; delete it" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_files_are_moved_waits_until_they_are_in_place(old, monkeypatch, number):
    class Stop(BaseException):
        pass

    def stop(signum, frame):
        raise Stop

    rename = Path.rename

    def interrupted(path, target):
        signal.raise_signal(number)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    usual = signal.signal(number, stop)
    try:
        with pytest.raises(Stop):
            write_directory(old, FILES, last="summary")
    finally:
        signal.signal(number, usual)
    assert tree(old) == {**dict(FILES), "report": "old", "mine": "mine"}
    assert [p.name for p in old.parent.iterdir()] == ["out"]


def test_an_ignored_signal_stays_ignored():
    usual = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with deferred_signals():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, usual)


@pytest.mark.slow
def test_no_command_leaves_parts_on_a_full_disk_or_after_a_signal():
    """The short form of the campaign of docs/reliability.md."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults", "--short"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| 0 |") >= 5


@pytest.mark.slow
def test_a_standard_output_that_takes_no_more_data_is_an_error(tmp_path):
    """Without a buffer, Python loses the rest of a write that is cut short, and says nothing."""
    rows = "".join(f"{20 * k},1.5,left\n" for k in range(200))
    (tmp_path / "list.csv").write_text("onset,duration,leg\n" + rows)
    command = [sys.executable, "-m", "twitchsense.cli", "score-limb", "list.csv", "--json"]
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            command,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            preexec_fn=_limit,
        )
    assert done.returncode == 2
    assert done.stderr.startswith(
        "twitchsense: standard output: cannot be written (File too large)"
    )


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
