"""matplotlib reads a settings file of the user when it is imported."""

from __future__ import annotations

import os
import sys

import pytest

from twitchsense.errors import InputError
from twitchsense.report.matplotlib_file import check_matplotlib_file


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder of a process that has not imported matplotlib."""
    for name in ("MATPLOTLIBRC", "MPLCONFIGDIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        (None, "matplotlibrc"),
        ("MATPLOTLIBRC", "rc"),
        ("MATPLOTLIBRC", "folder/matplotlibrc"),
        ("MPLCONFIGDIR", "folder/matplotlibrc"),
        ("HOME", "folder/.config/matplotlib/matplotlibrc"),
    ],
)
def test_a_settings_file_that_matplotlib_would_read_for_ever_is_refused(
    folder, monkeypatch, variable, place
):
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if variable:
        monkeypatch.setenv(variable, str(path if place == "rc" else folder / "folder"))
    check_matplotlib_file()  # there is none yet
    os.mkfifo(path)
    with pytest.raises(InputError, match=rf"{path.name}: is a named pipe; remove it, or set"):
        check_matplotlib_file()
    path.unlink()
    path.write_bytes(b"lines.linewidth: 3  # \xff")
    with pytest.raises(InputError, match="is not in UTF-8"):
        check_matplotlib_file()
    path.write_text("lines.linewidth: 3\n")
    check_matplotlib_file()
