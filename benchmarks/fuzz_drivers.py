"""Pushes hostile values into the decoder of a driver: only its refusal may follow.

python -m benchmarks.fuzz_drivers LOG --device KIND --count 1000000

LOG is a raw log of the device (`twitchsense decode`).
"""

from __future__ import annotations

import argparse
import json
import time
import tracemalloc
from pathlib import Path

from twitchsense.devices.registry import get_driver
from twitchsense.io.raw_log import read_raw_log
from twitchsense.testing import push_hostile_values


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--device", required=True)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    log = [message for _, message in read_raw_log(options.log)]
    began = time.monotonic()
    tracemalloc.start()
    outcomes = push_hostile_values(get_driver(options.device), log, options.count, options.seed)
    result = {
        "device": options.device,
        "values": options.count,
        "seconds": round(time.monotonic() - began, 1),
        "peak_traced_kb": round(tracemalloc.get_traced_memory()[1] / 1024),
        "outcomes": dict(outcomes.most_common()),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
