from __future__ import annotations

from pathlib import Path

import pytest

from tests.recordings import make_recording, write_captures
from twitchsense.cohort.manifest import NightEntry
from twitchsense.settings import Settings

pytest.importorskip("pyarrow")


@pytest.fixture(scope="session")
def captures(tmp_path_factory) -> list[list[Path]]:
    """Six nights of one minute, two files each."""
    home = tmp_path_factory.mktemp("captures")
    nights = []
    for k in range(6):
        folder = home / f"n{k}"
        folder.mkdir()
        nights.append(write_captures(make_recording(1, seed=k, gap=False), folder))
    return nights


@pytest.fixture
def nights(captures) -> list[NightEntry]:
    return [
        NightEntry(f"n{k}", tuple(files), f"list.csv, line {k + 2}", Settings())
        for k, files in enumerate(captures)
    ]


@pytest.fixture
def listed(captures, tmp_path) -> Path:
    """Return the path of a list of these nights."""
    path = tmp_path / "list.csv"
    rows = [f"n{k},{';'.join(map(str, files))}\n" for k, files in enumerate(captures)]
    path.write_text("night,captures\n" + "".join(rows))
    return path
