"""The host's side of the protocol: hand-worked bytes, and hostile ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wearable.vectors import VECTORS, unhex
from twitchsense.devices.contract import PacketError
from twitchsense.devices.framing import (
    MAX_FRAME_BYTES,
    FragmentAssembler,
    PacketErrorReason,
)
from twitchsense.devices.v1 import v1_control
from twitchsense.devices.v1.v1_control import Opcode, ResponseStatus, decode_response
from twitchsense.devices.v1.v1_frames import (
    FLAG_REPLAY,
    DeviceInfo,
    StreamInfo,
    decode_frame,
    decode_info,
    unwrap_ticks,
)

INFO = decode_info(unhex(VECTORS["info"]["usual"]["bytes"]))
FRAMES = [unhex(v["bytes"]) for v in VECTORS["frame"]]


@pytest.mark.parametrize("vector", VECTORS["info"].values(), ids=VECTORS["info"])
def test_info(vector):
    info = decode_info(unhex(vector["bytes"]))
    assert (info.leg or "", info.tick_hz, info.device) == (
        vector["leg"],
        vector["tick_hz"],
        vector["device"],
    )
    assert info.streams == tuple(StreamInfo(**s) for s in vector["streams"])


@pytest.mark.parametrize("vector", VECTORS["frame"], ids=lambda v: v["name"])
def test_frame(vector):
    frame = decode_frame(unhex(vector["bytes"]), INFO)
    fields = ("type", "flags", "boot", "seq", "ticks")
    assert {f: getattr(frame, f) for f in fields} == {f: vector[f] for f in fields}
    assert frame.samples.tolist() == vector["samples"]
    if vector["samples"]:
        stream = INFO.stream_by_id[frame.type]
        assert stream.to_physical(frame.samples).tolist() == vector["physical"]
        assert INFO.sample_index(stream, frame.ticks) == vector["first_sample"]


@pytest.mark.parametrize("vector", VECTORS["no_frame"], ids=lambda v: v["reason"])
def test_invalid_frames_are_rejected(vector):
    with pytest.raises(PacketError) as caught:
        decode_frame(unhex(vector["bytes"]), INFO)
    assert caught.value.reason == vector["reason"]


@pytest.mark.parametrize("grid", VECTORS["grid"], ids=lambda g: str(g["rate_mhz"]))
def test_grid(grid):
    stream = StreamInfo(1, "emg", 1, grid["rate_mhz"], 1)
    info = DeviceInfo(0, None, grid["tick_hz"], 1, (stream,))
    assert [info.sample_index(stream, t) for t in grid["ticks"]] == grid["samples"]
    for tick in grid["off"]:
        with pytest.raises(PacketError) as caught:
            info.sample_index(stream, tick)
        assert caught.value.reason is PacketErrorReason.OFF_GRID


def test_fragments():
    assembler = FragmentAssembler()
    first, last = map(unhex, VECTORS["fragments"]["pieces"])
    assert assembler.push(first) is None
    assert assembler.push(last) == unhex(VECTORS["fragments"]["whole"])
    assert assembler.push(FRAMES[0]) == FRAMES[0]
    for bad in ([last], [first, first[:2], b""], [first, unhex("f0 82 00")]):
        for piece in bad[:-2]:
            assembler.push(piece)
        with pytest.raises(PacketError, match="fragment"):
            list(map(assembler.push, bad[-2:]))
    # the next frame is not harmed
    assert [assembler.push(first), assembler.push(last)][1] == unhex(VECTORS["fragments"]["whole"])


@pytest.mark.parametrize("vector", VECTORS["request"], ids=lambda v: v["name"])
def test_request(vector):
    arguments = {k: v for k, v in vector.items() if k not in ("name", "bytes")}
    assert getattr(v1_control, f"encode_{vector['name']}")(**arguments) == unhex(vector["bytes"])


@pytest.mark.parametrize("vector", VECTORS["response"], ids=lambda v: v["name"])
def test_response(vector):
    response = decode_response(unhex(vector["bytes"]))
    assert response.op is Opcode[vector["name"].upper()]
    assert response.token == vector["token"]
    assert response.status is ResponseStatus[vector["status"].upper()]
    expected = vector.get("state")
    assert (response.state is None) == (expected is None)
    if expected:
        assert {k: getattr(response.state, k) for k in expected} == expected
    assert response.range == ((vector["first"], vector["last"]) if "first" in vector else None)
    assert response.clock == (
        (vector["ticks"], vector["boot_count"]) if "ticks" in vector else None
    )


@pytest.mark.parametrize("vector", VECTORS["no_response"], ids=lambda v: v["reason"])
def test_invalid_responses_are_rejected(vector):
    with pytest.raises(PacketError) as caught:
        decode_response(unhex(vector["bytes"]))
    assert caught.value.reason == vector["reason"]


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [(0, 2, "version"), (3, 0, "info"), (3, 9, "info"), (2, 3, "info"), (16, 0, "info"),
     (18, 0, "info"), (19, 24, "info"), (28, 1, "info"), (30, 2, "info"), (3, 3, "too_short")],
)  # fmt: skip
def test_invalid_info_is_rejected(at, value, reason):
    data = bytearray(unhex(VECTORS["info"]["usual"]["bytes"]))
    data[at] = value
    with pytest.raises(PacketError) as caught:
        decode_info(bytes(data))
    assert caught.value.reason == reason


# -- laws ------------------------------------------------------------------------------------


def _or_refused(decode, *arguments):
    try:
        return decode(*arguments)
    except PacketError as error:
        PacketErrorReason(error.reason)
        return None


near_frames = st.tuples(
    st.sampled_from(FRAMES), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)))
).map(lambda pair: _mutate(*pair))


def _mutate(frame, edits):
    data = bytearray(frame)
    for at, value in edits:
        if at < len(data):
            data[at] = value
        elif at % 2:
            data.append(value)
        else:
            del data[-1:]
    return bytes(data)


@given(st.one_of(st.binary(max_size=600), near_frames))
def test_altered_frames_are_decoded_or_rejected(data):
    frame = _or_refused(decode_frame, data, INFO)
    if frame is not None:
        assert frame.samples.nbytes <= MAX_FRAME_BYTES
        _or_refused(INFO.sample_index, INFO.streams[0], frame.ticks)


@given(st.sampled_from(FRAMES), st.integers(0, 8 * 20), st.integers(1, 0xFFFF))
def test_every_error_burst_of_16_bits_is_detected(frame, shift, burst):
    """What the polynomial promises; REPLAY alone is free."""
    body = int.from_bytes(frame, "big") ^ (burst << shift)
    if body.bit_length() > 8 * len(frame):
        return
    damaged = body.to_bytes(len(frame), "big")
    plain = bytes([damaged[0], damaged[1] ^ FLAG_REPLAY, *damaged[2:]])
    got = _or_refused(decode_frame, damaged, INFO)
    assert got is None or frame in (damaged, plain)


@given(st.binary(max_size=80))
def test_altered_responses_and_infos_are_decoded_or_rejected(data):
    _or_refused(decode_response, data)
    _or_refused(decode_info, data)


@given(st.lists(st.one_of(st.binary(max_size=30), st.binary(max_size=9).map(b"\xf0".__add__))))
def test_the_fragment_buffer_is_bounded(pieces):
    assembler = FragmentAssembler()
    for piece in pieces:
        whole = _or_refused(assembler.push, piece)
        assert whole is None or len(whole) <= max(MAX_FRAME_BYTES, len(piece))


@given(st.integers(0, 2**40), st.integers(-(2**31) + 1, 2**31 - 1))
def test_ticks_unwrap(near, step):
    true = max(0, near + step)
    assert unwrap_ticks(true % 2**32, near) == true


@given(st.integers(1000, 1_000_000), st.integers(1, 10**9), st.integers(0, 10**9))
def test_the_grid_loses_no_sample(tick_hz, rate, k):
    rate = min(rate, 1000 * tick_hz)
    stream = StreamInfo(1, "emg", 1, rate, 1)
    info = DeviceInfo(0, None, tick_hz, 1, (stream,))
    assert info.sample_index(stream, k * 1000 * tick_hz // rate) == k


def test_physical_values_are_exact_steps():
    counts = np.arange(-32768, 32768, dtype=np.int16)[:, None]
    assert np.array_equal(INFO.stream_by_id[2].to_physical(counts), counts / 4096.0)
