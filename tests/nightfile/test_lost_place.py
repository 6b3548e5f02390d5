"""Night files that are removed, moved, replaced or linked while they are recorded."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing

import pytest

from tests.nightfile.builders import KEY, T0, device, make_frames
from twitchsense.acquire.adapter import Adapter
from twitchsense.acquire.recorder import Recorder
from twitchsense.errors import InputError
from twitchsense.nightfile import lock
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.records import Boot, Marker, Packet
from twitchsense.nightfile.schema import StorageError
from twitchsense.nightfile.writer import NightFileWriter

pytestmark = pytest.mark.skipif(os.name != "posix", reason="open files cannot be removed there")
FRAMES = [Packet(Boot(KEY, 1), seq, T0 + round(at * 1e9), d) for seq, at, d in make_frames(10)]


@pytest.fixture(autouse=True)
def locks(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))


def texts(path):
    reader = NightFileReader(path)
    found = [text for _, _, text in reader.rows("marker")]
    reader.close()
    return found


def begin(path):
    night = NightFileWriter(path, {"session": "7"})
    night.write([device(), *FRAMES[:50], Marker(T0, "before")])
    return night


def remove(path):
    path.unlink()


def move(path):
    path.rename(path.with_name("elsewhere.night"))


def replace_by_an_empty_file(path):
    path.with_name("empty").touch()
    path.with_name("empty").replace(path)


def remove_with_its_log(path):
    for name in (path.name, path.name + "-wal", path.name + "-shm", path.name + ".lock"):
        path.with_name(name).unlink()


@pytest.mark.parametrize("lose", [remove, move, replace_by_an_empty_file, remove_with_its_log])
def test_a_night_that_loses_its_place_goes_on_with_all_that_was_stored(tmp_path, lose, caplog):
    path = tmp_path / "a.night"
    night = begin(path)
    lose(path)
    assert not night.is_in_place()
    night.write([*FRAMES[50:], Marker(T0, "after")])
    assert night.path == tmp_path / ("a-2.night" if path.exists() and path.stat().st_size == 0
                                     else "a.night")  # fmt: skip
    assert "the recording goes on in" in caplog.text
    assert night.is_in_place()
    assert len(night.stored_seqs(Boot(KEY, 1))) == len(FRAMES)
    assert night.meta()["session"] == "7"
    night.write([Marker(T0, "later")])
    night.close()
    assert texts(night.path) == ["before", "after", "later"]
    left = {p.name for p in tmp_path.iterdir() if p.is_file()}
    assert left == {night.path.name, *({"a.night", "elsewhere.night"} & left)}


def test_a_night_that_is_overwritten_goes_on_with_what_is_in_its_log(tmp_path, caplog):
    other = begin(tmp_path / "b.night")
    other.close()
    content = (tmp_path / "b.night").read_bytes()
    for name, new in (("a", content), ("empty", b""), ("text", b"a letter\n" * 100_000)):
        path = tmp_path / f"{name}.night"
        night = begin(path)
        path.touch()  # a time alone changes nothing
        night.write(FRAMES[50:60])
        assert night.path == path
        path.write_bytes(new)
        assert not night.is_in_place()
        night.write([*FRAMES[60:], Marker(T0, "after")])
        assert night.path == tmp_path / f"{name}-2.night"
        assert "was overwritten by another program" in caplog.text
        assert night.is_in_place()
        assert len(night.stored_seqs(Boot(KEY, 1))) == len(FRAMES)
        assert night.meta()["session"] == "7"
        night.close()
        assert texts(night.path) == ["before", "after"]
        assert path.read_bytes() == new
        left = {p.name for p in tmp_path.glob(f"{name}*")}
        assert left == {path.name, night.path.name}


def test_a_night_that_is_overwritten_keeps_its_descriptions_without_its_log(tmp_path):
    path = tmp_path / "a.night"
    night = begin(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert night.is_in_place()  # the transfer of the log is no overwriting
    path.write_bytes(b"")
    night.write(FRAMES[50:])
    assert len(night.stored_seqs(Boot(KEY, 1))) == len(FRAMES) - 50
    night.close()
    assert texts(night.path) == ["before"]


def test_another_night_at_the_same_path_keeps_its_log(tmp_path):
    """SQLite deletes the log at the path of a database that is closed, whosever it is."""
    path = tmp_path / "a.night"
    night = begin(path)
    folder = tmp_path / "other"
    folder.mkdir()
    other = begin(folder / "a.night")
    for suffix in ("-wal", ""):
        (folder / f"a.night{suffix}").replace(tmp_path / f"a.night{suffix}")
    log = (tmp_path / "a.night-wal").read_bytes()
    night.write([Marker(T0, "after")])
    assert night.path.name == "a-2.night"
    night.close()
    assert (tmp_path / "a.night-wal").read_bytes() == log
    assert texts(night.path) == ["before", "after"]
    assert texts(path) == ["before"]
    other.close()


def test_a_removed_folder_is_an_error_until_it_is_back(tmp_path):
    folder = tmp_path / "nights"
    folder.mkdir()
    night = begin(folder / "a.night")
    moved = folder.rename(tmp_path / "moved")
    for _ in range(2):
        with pytest.raises(StorageError):
            night.write([Marker(T0, "after")])
    folder.mkdir()
    night.write([Marker(T0, "after")])
    night.close()
    assert texts(folder / "a.night") == ["before", "after"]
    assert (moved / "a.night").exists()


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_to_a_night_are_one_night(tmp_path, link):
    path = tmp_path / "a.night"
    begin(path).close()
    other = tmp_path / "other" / "b.night"
    other.parent.mkdir()
    link(path, other)
    night = NightFileWriter(other)
    assert lock.is_being_written(path)
    with pytest.raises(InputError, match=f"is being recorded by process {os.getpid()}"):
        NightFileWriter(path)
    night.write([Marker(T0, "by the link")])
    night.close()
    NightFileWriter(path).close()
    assert texts(path) == ["before", "by the link"]


def test_locks_follow_no_link_and_change_no_other_file(tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("1234 and more")
    place = tmp_path / "a.night.lock"
    for make, problem in (
        (lambda: place.symlink_to(precious), "is a link"),
        (lambda: place.symlink_to(tmp_path / "missing"), "is a link"),
        (lambda: place.hardlink_to(precious), "is not a lock"),
        (lambda: place.write_text("a letter"), "is not a lock"),
    ):
        make()
        with pytest.raises(InputError, match=rf"a\.night\.lock: {problem}"):
            NightFileWriter(tmp_path / "a.night")
        assert place.is_symlink() or place.exists()
        place.unlink()
    assert precious.read_text() == "1234 and more"
    assert not (tmp_path / "missing").exists()


def test_the_folder_of_locks_is_the_users_own(tmp_path, monkeypatch, caplog):
    folder = tmp_path / "run" / "twitchsense"
    folder.mkdir(parents=True, mode=0o777)
    folder.chmod(0o777)
    assert lock.lock_folder() == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(OSError, match="is a link"):
        lock.lock_folder()
    folder.unlink()
    folder.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(OSError, match="belongs to another user"):
        lock.lock_folder()
    NightFileWriter(tmp_path / "a.night").close()
    assert "links to it are not locked" in caplog.text


def test_a_file_that_was_removed_stays_readable_for_its_readers(tmp_path):
    path = tmp_path / "a.night"
    night = begin(path)
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM packet").fetchone() == (50,)
    path.unlink()
    night.write(FRAMES[50:])  # the log of the old file stays while it is read
    night.close()
    assert reader.execute("SELECT count(*) FROM packet").fetchone() == (50,)
    reader.close()
    check = NightFileReader(path)
    assert check.query("SELECT count(*) FROM packet") == [(len(FRAMES),)]
    check.close()


def test_the_recorder_notices_it_while_no_frames_arrive(tmp_path, caplog):
    path = tmp_path / "a.night"
    night = begin(path)
    recorder = Recorder(Adapter(), night, [], now_ns=lambda: T0, inline=True)
    path.unlink()
    asyncio.run(recorder.flush())
    assert "the recording goes on in" in caplog.text
    assert texts(path) == ["before"]
    night.close()
