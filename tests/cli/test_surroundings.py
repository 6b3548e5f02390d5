"""Commands in odd surroundings; all of them: ``python -m benchmarks.faults.surroundings``."""

import errno
import os
import sqlite3
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.schema import write_error

FULL = Path("/dev/full")


@pytest.mark.skipif(os.name != "posix", reason="closed descriptors are of POSIX")
def test_no_file_of_results_gets_a_standard_descriptor_that_was_closed(tmp_path):
    """A compiled library prints its warnings to descriptor 2, whatever file that is."""
    kept = os.dup(2)
    os.close(2)
    try:
        with pytest.raises(SystemExit):
            main.main(["--help"])
        descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
        os.close(descriptor)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert descriptor > 2


def test_too_many_open_files_are_status_2_with_a_cure(tmp_path, monkeypatch):
    def no_more(*args, **kwargs):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "x.csv")

    monkeypatch.setattr("twitchsense.results.load.open_result", no_more)
    done = CliRunner().invoke(main, ["report", str(tmp_path)])
    assert done.exit_code == 2
    assert "ulimit -n" in done.output


def test_a_night_where_files_cannot_be_locked_is_refused_with_a_cure(tmp_path):
    error = write_error(tmp_path / "a.night", sqlite3.OperationalError("database is locked"))
    assert "choose a folder on a disk of this computer" in str(error)


@pytest.mark.skipif(os.name != "posix", reason="limits are of POSIX")
def test_too_little_memory_is_refused_before_libraries_are_loaded(monkeypatch):
    """With 400 MB of address space, OpenBLAS waits for ever while it is loaded."""
    monkeypatch.setattr("resource.getrlimit", lambda name: (400_000_000, -1))
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 2
    assert "ulimit -v" in done.output


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
def test_messages_that_cannot_be_written_end_no_recording(tmp_path, monkeypatch):
    """``2>&1 | tee`` whose reader has gone, or a full disk under the log of a recorder."""
    with FULL.open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        monkeypatch.setattr(sys, "__stderr__", full)
        with pytest.raises(SystemExit) as ended:
            main.main(["record", "--device", "sim", "--out", str(tmp_path / "a.night"),
                       "--duration", "1", "--min-valid", "0"])  # fmt: skip
    assert ended.value.code == 0
    (report,) = read_loss_reports(tmp_path / "a.night")
    assert report.received > 0
