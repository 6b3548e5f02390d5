"""The files of `twitchsense trend`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from twitchsense.report.trend_page import render_weeks
from twitchsense.results.files import check_directory, to_csv, to_json, write_file
from twitchsense.trend.weeks import Weeks


def save_weeks(weeks: Weeks, directory: Path) -> Path:
    """Write ``trend.html``, ``nights.csv``, ``associations.csv`` and ``trend.json``.

    Raises
    ------
    InputError
        If the directory is a file or can't be written.
    """
    check_directory(directory)
    made = {
        "nights.csv": to_csv(weeks.nights.assign(evening=weeks.nights["evening"].map(_day))),
        "associations.csv": to_csv(weeks.associations),
        "trend.json": to_json(weeks.to_dict()),
        "trend.html": render_weeks(weeks),
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        write_file(directory / name, text)
    return directory


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else ""
