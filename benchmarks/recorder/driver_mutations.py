"""Which check notices each driver that is wrong on purpose: the table of docs/broken-drivers.md.

python -m benchmarks.recorder.driver_mutations
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.devices.builders import npg_case
from tests.devices.ganglion_case import ganglion_case
from tests.devices.gforce_case import gforce_case
from tests.devices.logs import v1_case
from tests.devices.lsl_case import lsl_case
from tests.devices.movesense_case import movesense_case
from tests.devices.myo_case import myo_case
from tests.devices.polar_case import polar_case
from twitchsense.devices.lsl.lsl_driver import LslDriver
from twitchsense.devices.registry import get_driver
from twitchsense.testing import MUTATIONS, DriverCase, mutation_outcomes

#: Cases by column of the table; the kind of the driver is the first word.
CASES: dict[str, Callable[[], DriverCase]] = {
    "twitchsense": v1_case,
    "npg": npg_case,
    "polar H10": lambda: polar_case("h10"),
    "polar Verity Sense": lambda: polar_case("sense"),
    "movesense": lambda: movesense_case(options={"ecg": "512"}),
    "movesense, clock wraps": lambda: movesense_case(clock_ms=2**32 - 20_000),
    "ganglion, firmware 3": lambda: ganglion_case("3.0.2", loss=0.02),
    "ganglion, firmware 2": lambda: ganglion_case("2.0.1", loss=0.02),
    "myo": lambda: myo_case(loss=0.02),
    "gforce, EMG": lambda: gforce_case("emg"),
    "gforce, acceleration": lambda: gforce_case("acc"),
    "lsl": lambda: replace(lsl_case(), advertised=None),
}


def main() -> None:
    columns = {}
    for name, make in CASES.items():
        kind = name.replace(",", " ").split()[0]
        driver = LslDriver() if kind == LslDriver.kind else get_driver(kind)
        columns[name] = mutation_outcomes(driver, make())
    print("| name | the driver's mistake | " + " | ".join(columns) + " |")
    print("|---" * (2 + len(columns)) + "|")
    for name, mutation in MUTATIONS.items():
        outcomes = " | ".join(column[name] for column in columns.values())
        print(f"| `{name}` | {mutation.wrong} | {outcomes} |")


if __name__ == "__main__":
    main()
