"""Settings that say how foreign files are read: columns, stage codes, time zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from click.testing import CliRunner

from tests.recordings import make_recording, write_captures
from tests.settings.case import SettingCase
from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.model.recording import Recording
from twitchsense.results.night import analyze
from twitchsense.settings import Settings

#: Stages of ten epochs: awake for two minutes, then asleep.
AWAKE_THEN_ASLEEP = ("my-wake",) * 4 + ("N2",) * 6


@lru_cache
def five_minutes() -> Recording:
    """Return five minutes from 21:30 UTC on, of a wearer whose time zone is unknown."""
    return replace(make_recording(5, gap=False), zone=None)


def sleep_onset(table: pd.DataFrame) -> Callable[[Settings], object]:
    """Return the sleep onset (s) with a hypnogram file, or that it is refused."""

    def result(settings: Settings) -> object:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "stages.csv"
            table.to_csv(path, index=False)
            try:
                return analyze(five_minutes(), hypnogram=path, settings=settings).onset.time_s
            except InputError:
                return "refused"

    return result


def channels_of_foreign_capture(settings: Settings) -> str:
    """Analyse a capture with column names of another program from the command line."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        capture = write_captures(make_recording(1, utc=False, gap=False), folder)[0]
        capture.write_text(capture.read_text().replace("time_s,emg1_uv", "Time,muscle", 1))
        pairs = (f'"{k}" = "{v}"\n' for k, v in settings.columns.items())
        (folder / "mine.toml").write_text("[columns]\n" + "".join(pairs))
        out = folder / "out"
        words = ["analyze", capture, "--settings", folder / "mine.toml", "--out", out, "-q"]
        done = CliRunner().invoke(main, [*map(str, words), "--no-report"])
        return "read" if done.exit_code == 0 else "refused"


_epochs = pd.DataFrame({"onset": range(0, 300, 30), "duration": 30, "stage": AWAKE_THEN_ASLEEP})
_clock_times = pd.DataFrame(
    {
        "onset": pd.date_range("2026-03-03 22:30", periods=10, freq="30s").astype(str),
        "duration": 30,
        "stage": ["W" if stage == "my-wake" else stage for stage in AWAKE_THEN_ASLEEP],
    }
)

CASES = (
    SettingCase("columns", {"Time": "time_s", "muscle": "emg1_uv"}, channels_of_foreign_capture,
                "refused", "read"),
    SettingCase("stages", {"my-wake": "W"}, sleep_onset(_epochs), "refused", 120.0),
    SettingCase("zone", "Europe/Berlin", sleep_onset(_clock_times), "refused", 120.0,
                base={"zone": "Europe/London"}),
)  # fmt: skip
