"""Coverage-guided fuzzing of all decoders of received bytes: only `PacketError` may be raised.

Needs ``pip install atheris``. Run ``python benchmarks/fuzz/coverage.py --runs 1000000``; prints
libFuzzer's output (``cov:`` is the number of covered edges) and exits with status 0 if no input
raised another exception, buffered more than a frame, or gave samples of a wrong shape.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import tomllib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["twitchsense.devices"]):
    from twitchsense.devices.contract import PacketError
    from twitchsense.devices.framing import MAX_FRAME_BYTES, FragmentAssembler
    from twitchsense.devices.v1.v1_control import decode_response
    from twitchsense.devices.v1.v1_frames import (
        MARKER_TYPE,
        DeviceInfo,
        checksum,
        decode_frame,
        decode_info,
        unwrap_ticks,
    )

import firmware_sim

_VECTORS = tomllib.loads(
    (Path(firmware_sim.__file__).parent / "vectors" / "v1.toml").read_text("utf-8")
)
INFO = decode_info(bytes.fromhex(_VECTORS["info"]["usual"]["bytes"]))


def read_frame(data: bytes, info: DeviceInfo) -> None:
    """Decode a frame as the recorder and the reader do, up to the index of its samples."""
    frame = decode_frame(data, info)
    ticks = unwrap_ticks(frame.ticks, 1 << 33)
    assert abs(ticks - (1 << 33)) <= 1 << 31
    if frame.type == MARKER_TYPE:
        assert not frame.samples.size
        return
    stream = info.stream_by_id[frame.type]
    assert frame.samples.shape == (data[2], stream.width)
    assert stream.to_physical(frame.samples).shape == frame.samples.shape
    info.sample_index(stream, ticks)


def read_signed_frame(data: bytes, info: DeviceInfo) -> None:
    """Decode a frame after correcting its checksum, which mutations would not find."""
    if len(data) >= 14:
        data = data[:-2] + checksum(data[:-2]).to_bytes(2, "little")
    read_frame(data, info)


def read_described_device(data: bytes) -> None:
    """Decode a device description, and a frame with it."""
    size = 16 + 12 * (data[3] % 9 if len(data) > 3 else 0)
    read_signed_frame(data[size:], decode_info(data[:size]))


def read_notifications(data: bytes) -> None:
    """Decode a series of notifications, each preceded by its length."""
    assembler = FragmentAssembler()
    while data:
        size, data = data[0], data[1:]
        piece, data = data[:size], data[size:]
        try:
            whole = assembler.push(piece)
        except PacketError:
            whole = None
        assert len(assembler._pieces) <= MAX_FRAME_BYTES
        if whole is not None:
            with contextlib.suppress(PacketError):
                read_signed_frame(whole, INFO)


TARGETS = (
    lambda data: read_frame(data, INFO),
    lambda data: read_signed_frame(data, INFO),
    read_described_device,
    read_notifications,
    decode_info,
    decode_response,
)


def fuzz_one(data: bytes) -> None:
    if data:
        try:
            TARGETS[data[0] % len(TARGETS)](data[1:])
        except PacketError as error:
            if not error.reason:
                raise AssertionError("an error without a reason") from error


def write_seeds(folder: Path) -> None:
    kinds = {
        0: [v["bytes"] for v in _VECTORS["frame"]],
        1: [v["bytes"] for v in _VECTORS["frame"]],
        2: [v["bytes"] for v in _VECTORS["info"].values()],
        4: [v["bytes"] for v in _VECTORS["info"].values()],
        5: [v["bytes"] for v in _VECTORS["response"]],
    }
    seeds = [bytes([k]) + bytes.fromhex(text) for k, texts in kinds.items() for text in texts]
    pieces = [bytes.fromhex(p) for p in _VECTORS["fragments"]["pieces"]]
    seeds.append(b"\x03" + b"".join(bytes([len(p)]) + p for p in pieces))
    frame = bytes.fromhex(_VECTORS["frame"][0]["bytes"])
    seeds += [b"\x02" + bytes.fromhex(v["bytes"]) + frame for v in _VECTORS["info"].values()]
    for number, seed in enumerate(seeds):
        (folder / str(number)).write_bytes(seed)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    write_seeds(folder)
    atheris.Setup(
        [
            sys.argv[0],
            f"-atheris_runs={options.runs}",
            f"-seed={options.seed}",
            "-max_len=600",
            "-print_final_stats=1",
            f"-artifact_prefix={folder}/",
            str(folder),
        ],
        fuzz_one,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
