"""Feed random, mutated and replayed bytes to every decoder.

Only `PacketError` may be raised, and memory must stay bounded.

Run ``python benchmarks/fuzz/random_bytes.py --count 1000000``. For inputs chosen by coverage see
`fuzz.coverage`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import tomllib
import tracemalloc
from collections import Counter
from pathlib import Path

import firmware_sim
from twitchsense.devices.contract import PacketError
from twitchsense.devices.framing import FragmentAssembler
from twitchsense.devices.v1.v1_control import decode_response
from twitchsense.devices.v1.v1_frames import decode_frame, decode_info


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    text = (Path(firmware_sim.__file__).parent / "vectors" / "v1.toml").read_text()
    vectors = tomllib.loads(text)
    info = decode_info(bytes.fromhex(vectors["info"]["usual"]["bytes"]))
    seeds = [bytes.fromhex(v["bytes"]) for k in ("frame", "response") for v in vectors[k]]
    seeds += [bytes.fromhex(v["bytes"]) for v in vectors["info"].values()]
    seeds += [bytes.fromhex(p) for p in vectors["fragments"]["pieces"]]
    rng = random.Random(options.seed)
    assembler = FragmentAssembler()
    decoders = (
        lambda data: decode_frame(data, info),
        decode_response,
        decode_info,
        assembler.push,
    )
    reasons: Counter[str] = Counter()
    began = time.monotonic()
    tracemalloc.start()
    for _ in range(options.count):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((0, 1, 1, 2, 5))):
            mutation = rng.randrange(4)
            if mutation == 0 and data:
                data[rng.randrange(len(data))] = rng.randrange(256)
            elif mutation == 1:
                del data[rng.randrange(len(data) + 1) :]
            elif mutation == 2:
                data += rng.randbytes(rng.randrange(40))
            else:
                data = bytearray(rng.randbytes(rng.randrange(300)))
        for decode in decoders:
            try:
                decode(bytes(data))
                reasons["decoded"] += 1
            except PacketError as error:
                reasons[str(error.reason)] += 1
    result = {
        "inputs": options.count,
        "decodings": sum(reasons.values()),
        "seconds": round(time.monotonic() - began, 1),
        "peak_traced_kb": round(tracemalloc.get_traced_memory()[1] / 1024),
        "outcomes": dict(reasons.most_common()),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
