"""Pushes hostile values into the decoder of every driver: only its refusal may follow.

python -m benchmarks.fuzz.drivers --count 1000000 [--kinds npg,polar] [--log LOG]

The values of a session with the simulated device, with outages and a restart, are cut, extended,
changed, exchanged and replaced by random bytes. `--log` takes a raw log (`twitchsense decode`) of
the only kind instead.
"""

from __future__ import annotations

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from benchmarks.recorder.driver_nights import KINDS, run_night
from tests.devices.logs import v1_case
from tests.devices.lsl_case import lsl_case
from tests.devices.polar_case import polar_case
from tests.devices.test_movesense_backfill import recorded as movesense_with_log
from tests.devices.test_polar_memory import recorded as polar_in_memory
from twitchsense.devices.contract import Message
from twitchsense.devices.lsl.lsl_driver import LslDriver
from twitchsense.devices.registry import get_driver
from twitchsense.io.device_logs.raw_log import read_raw_log
from twitchsense.testing import push_hostile_values

#: Duration of a session, h.
_HOURS = 0.03

Log = tuple[Message, ...]

#: Sessions, by kind and variant.
LOGS: dict[str, Callable[[], Log]] = {
    "twitchsense": lambda: v1_case().log,
    **{kind: (lambda kind=kind: tuple(run_night(kind, _HOURS, 1)[1])) for kind in KINDS},
    "polar:compressed": lambda: polar_case("sense").log,
    "polar:memory": lambda: tuple(polar_in_memory(seconds=20.0)[0].log),
    "movesense:log": lambda: tuple(movesense_with_log()[0].log),
    # long, since a hostile description ends the stream, and the samples after it are refused
    "lsl": lambda: lsl_case(seconds=200.0).log,
}


def fuzz(name: str, log: Log, count: int, seed: int) -> dict[str, object]:
    """Push values into the driver of a kind; return what came of them."""
    began = time.monotonic()
    tracemalloc.start()
    driver = LslDriver() if name == LslDriver.kind else get_driver(name.partition(":")[0])
    outcomes = push_hostile_values(driver, log, count, seed)
    peak_kb = round(tracemalloc.get_traced_memory()[1] / 1024)
    tracemalloc.stop()
    return {
        "device": name,
        "values": outcomes.total(),
        "seconds": round(time.monotonic() - began, 1),
        "peak_traced_kb": peak_kb,
        "outcomes": dict(outcomes.most_common()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default=",".join(LOGS))
    parser.add_argument("--log", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.kinds.split(","):
        if options.log is not None:
            log: Log = tuple(message for _, message in read_raw_log(options.log))
        else:
            log = LOGS[name]()
        print(json.dumps(fuzz(name, log, options.count, options.seed)), flush=True)


if __name__ == "__main__":
    main()
