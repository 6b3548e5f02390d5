"""The commands that write results, with small inputs for them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from firmware_sim.capture import CaptureSettings, SimulatedCapture
from firmware_sim.capture_files import write_capture
from tests.devices.logs import v1_case, write_log
from tests.nightfile.builders import write_night as write_night_file
from tests.trend.builders import evening, write_night
from twitchsense.cli.app import main

#: Stages of an export by Apple Health; the offsets have seconds.
_ODD_OFFSET = """<?xml version="1.0"?><HealthData><ExportDate value="2026-03-02 08:00:00 +0100"/>
<Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="W"
 startDate="2026-03-01 23:00:00 +01000001" endDate="2026-03-01 23:10:00 +01000001"
 value="HKCategoryValueSleepAnalysisAsleepCore"/></HealthData>
"""


@dataclass(frozen=True)
class Command:
    """A command whose output appears whole or not at all.

    Attributes
    ----------
    name : str
    arguments : tuple of str
        ``{in}`` stands for the folder of the inputs; the working folder is that of the output.
    old : str
        Folder of the inputs that is at ``out`` before the command begins; "" for none.
    varies : tuple of str
        Endings of files whose content differs from run to run.
    whole_parts : callable, optional
        Splits the names of the output into groups, each of which is whole by itself.
    short : bool
        Whether the command is quick enough for the short form.
    """

    name: str
    arguments: tuple[str, ...]
    old: str = ""
    varies: tuple[str, ...] = ("report.html",)
    whole_parts: Callable[[str], str] = field(default=lambda name: "")
    short: bool = False


def night_of(name: str) -> str:
    """Return the night that a file of a cohort's dataset belongs to."""
    return Path(name).name if name.endswith(".parquet") else name


_CAPTURE = ("{in}/capture/emg.csv", "{in}/capture/acc.csv")
_ANALYZE = ("analyze", *_CAPTURE, "--out", "out", "-q")

COMMANDS = (
    Command("analyze, new folder", _ANALYZE),
    Command("analyze, over older results", _ANALYZE, "results-b"),
    Command("analyze --no-report, over older results", (*_ANALYZE, "--no-report"), "results-b",
            short=True),
    Command(
        "analyze, Apple hypnogram with an odd offset",
        ("analyze", "{in}/utc/emg.csv", "--hypnogram", "{in}/apple.xml", "--out", "out", "-q"),
    ),
    Command("report", ("report", "out", "-q"), "results"),
    Command("report --for-visit", ("report", "out", "--for-visit", "-q"), "results"),
    Command("repair", ("repair", "{in}/damaged.night", "--out", "new.night", "-q"),
            varies=(".night",)),
    Command("trend, new folder", ("trend", "{in}/nights", "--out", "out", "-q")),
    Command("trend, over an older one", ("trend", "{in}/nights", "--out", "out", "-q"), "weeks"),
    Command("demo", ("demo", "--out", "out", "--minutes", "2", "-q")),
    *(
        Command(f"export --to {kind}", ("export", *_CAPTURE, "--to", kind, "--out", "out"),
                short=kind == "bids")
        for kind in ("csv", "parquet", "edf", "bids")
    ),
    *(
        Command(f"export --to {kind}", ("export", "{in}/results", "--to", kind, "--out", "out"),
                short=kind == "annot")
        for kind in ("annot", "nsrr", "mne")
    ),
    Command(
        "decode",
        ("decode", "{in}/log.csv", "--device", "twitchsense", "--out", "out"),
        short=True,
    ),
    Command("score-limb --json", ("score-limb", "{in}/movements.csv", "--json"), short=True),
    Command(
        "agree --json", ("agree", "{in}/results/events.csv", "{in}/capture/truth.csv", "--json")
    ),
    Command(
        "cohort",
        ("cohort", "{in}/list.csv", "--out", "out", "--workers", "2", "-q"),
        varies=(".parquet",),
        whole_parts=night_of,
    ),
)  # fmt: skip


def write_inputs(folder: Path, *, short: bool = False) -> None:
    """Write the inputs of all commands, or of those of the short form, into an empty folder."""
    for name, seed in (("capture", 1), ("capture-b", 2)):
        settings = CaptureSettings(minutes=0.5, seed=seed, scenario="violent")
        write_capture(SimulatedCapture(settings), folder / name)
    for name, capture in (("results", "capture"), ("results-b", "capture-b")):
        captures = [str(folder / capture / file) for file in ("emg.csv", "acc.csv")]
        run(["analyze", *captures, "--out", str(folder / name), "-q", *(["--no-report"] * short)])
    write_log(folder / "log.csv", v1_case().log)
    rows = "".join(f"{20 * k},1.5,left\n" for k in range(200))
    (folder / "movements.csv").write_text("onset,duration,leg\n" + rows)
    captures = f"{folder}/capture/emg.csv;{folder}/capture/acc.csv"
    (folder / "list.csv").write_text("night,captures\n" + f"a,{captures}\nb,{captures}\n")
    shutil.rmtree(folder / "capture-b")
    if short:
        return
    night = write_night_file(folder / "damaged.night", 120)
    pages = bytearray(night.read_bytes())
    pages[3 * 4096 : 4 * 4096] = bytes(4096)
    night.write_bytes(pages)
    for k in range(6):
        write_night(folder / "nights", f"n{k}", evening(k), counts=(80 + k, 10, 40))
    run(["trend", str(folder / "nights" / "n0"), "--out", str(folder / "weeks"), "-q"])
    table = pd.read_csv(folder / "capture" / "emg.csv")
    times = pd.to_datetime(table.pop("time_s"), unit="s", origin="2026-03-01 22:00")
    table.insert(0, "time_utc", times.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    (folder / "utc").mkdir()
    table.to_csv(folder / "utc" / "emg.csv", index=False)
    (folder / "apple.xml").write_text(_ODD_OFFSET)


def run(arguments: list[str]) -> None:
    """Run a command in this process; raise if it fails."""
    main.main(arguments, standalone_mode=False)
