"""The driver of LSL streams, by bytes alone: description, timestamps, blocks."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from xml.sax.saxutils import escape

import numpy as np
import pytest

from tests.devices.lsl_case import lsl_case
from twitchsense.devices.contract import Direction, Message, PacketError, StartRefusedError
from twitchsense.devices.dialogue import Read, Subscribe, Write
from twitchsense.devices.lsl.lsl_description import parse_description
from twitchsense.devices.lsl.lsl_driver import (
    DATA_UUID,
    DESCRIPTION_UUID,
    OPTIONS_UUID,
    TIMESTAMPS_UUID,
    LslDriver,
    TimestampCheck,
    encode_block,
)
from twitchsense.devices.sample_timing.selection import make_placement
from twitchsense.errors import InputError
from twitchsense.nightfile.analysed_streams import reason_to_leave_out
from twitchsense.testing import check_driver, surviving_mutations

NS = 1_000_000_000
T0 = 1_800_000_000 * NS


def describe(channels, *, kind="EMG", fs=500.0, format_="float32", count=None):
    """Return the XML of a stream; channels are (label, type, unit)."""
    rows = "".join(
        f"<channel><label>{a}</label><type>{b}</type><unit>{escape(c)}</unit></channel>"
        for a, b, c in channels
    )
    return (
        f"<info><name>s</name><type>{kind}</type><channel_count>{count or len(channels)}"
        f"</channel_count><channel_format>{format_}</channel_format><source_id>x</source_id>"
        f"<nominal_srate>{fs}</nominal_srate><hostname>h</hostname>"
        f"<desc><channels>{rows}</channels></desc></info>"
    ).encode()


def message(uuid, data, at_ns=T0):
    direction = {OPTIONS_UUID: Direction.WRITE, DATA_UUID: Direction.NOTIFY}
    return Message(uuid, direction.get(uuid, Direction.READ), data, at_ns)


def opened(xml, options=None, *, regular=True):
    decoder = LslDriver().make_decoder()
    decoder.push(message(OPTIONS_UUID, json.dumps(options or {}).encode()))
    decoder.push(message(DESCRIPTION_UUID, xml))
    decoder.push(message(TIMESTAMPS_UUID, TimestampCheck(regular, 0.002).to_bytes()))
    return decoder


def run_dialogue(xml, options=None, check=None):
    """Run `open` against a stream; return the steps."""
    dialogue = LslDriver().open(options or {})
    answers = {
        DESCRIPTION_UUID: xml,
        TIMESTAMPS_UUID: (check or TimestampCheck(True, 0.002)).to_bytes(),
    }
    steps, value = [], None
    while True:
        try:
            steps.append(dialogue.send(value))
        except StopIteration:
            return steps
        value = answers.get(steps[-1].characteristic) if isinstance(steps[-1], Read) else None


EMG = describe([("a", "EMG", "microvolts"), ("b", "EMG", "microvolts")])
ACC = [("Acc Z", "ACC", "m/s²"), ("Acc X", "ACC", "m/s²"), ("Acc Y", "ACC", "m/s²")]


@pytest.mark.parametrize(
    ("unit", "value"), [("microvolts", 1.0), ("mV", 1000.0), ("V", 1e6), ("nV", 1e-3)]
)
def test_emg_is_in_microvolts(unit, value):
    (found,) = parse_description(describe([("a", "EMG", unit)]), {}, regular=True).streams
    assert found.stream.unit == "uV"
    assert found.stream.to_physical(np.array([[1.0]])) == pytest.approx(value)


def test_channels_of_one_stream_are_told_apart_by_their_type():
    channels = [("a", "EMG", "mV"), *ACC, ("t", "Trigger", "")]
    layout = parse_description(describe(channels, kind=""), {}, regular=True)
    emg, acc = layout.streams
    assert (emg.columns, emg.stream.columns) == ((0,), ("emg1_uv",))
    assert (acc.columns, acc.stream.columns) == ((2, 3, 1), ("acc_x_g", "acc_y_g", "acc_z_g"))
    assert acc.stream.to_physical(np.full((1, 3), 9.80665)) == pytest.approx(1.0)
    assert "1 channels are of the type 'Trigger'" in layout.problems[0]


def test_nothing_is_guessed_of_channels_without_unit_or_type():
    bare = describe([], kind="Custom", count=3)
    with pytest.raises(StartRefusedError, match=r"3 channels are of the type 'Custom'.*kind=emg"):
        run_dialogue(bare)
    emg = parse_description(bare, {"kind": "emg"}, regular=True).streams[0].stream
    assert (emg.unit, emg.width) == ("count", 3)
    assert "--gain" in reason_to_leave_out(emg, {})
    assert reason_to_leave_out(emg, {"gain": "10"}) == ""
    acc = parse_description(bare, {"kind": "acc"}, regular=True).streams[0].stream
    assert "unit=g" in reason_to_leave_out(acc, {"gain": "10"})
    acc = parse_description(bare, {"kind": "acc", "unit": "mg"}, regular=True).streams[0].stream
    assert acc.to_physical(np.array([[1000, 0, 0]])).tolist() == [[1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        (b"<info>", "description"),
        (b"\xff", "description"),
        (describe([("m", "", "")], format_="string"), "text, not a signal"),
        (describe([("m", "EMG", "")], fs=0), "no sampling rate"),
        (describe([("m", "EMG", "")], fs=math.nan), "no sampling rate"),
    ],
)
def test_other_streams_are_refused_with_the_reason(xml, problem):
    with pytest.raises(PacketError, match=problem):
        run_dialogue(xml)


def test_units_that_are_not_known_or_differ_are_refused():
    for channels, text in (
        ([("a", "EMG", "furlong")], "unit 'furlong'"),
        ([("a", "EMG", "mV"), ("b", "EMG", "uV")], "different units"),
        ([("a", "ACC", "g")] * 6, "6 acc channels; send each sensor"),
    ):
        with pytest.raises(StartRefusedError, match=text):
            run_dialogue(describe(channels))


def test_the_dialogue_reads_subscribes_and_checks():
    steps = run_dialogue(EMG, {"timestamps": "regular"})
    assert [type(s) for s in steps] == [Write, Read, Read, Subscribe]
    assert json.loads(steps[0].data) == {"timestamps": "regular"}
    with pytest.raises(StartRefusedError, match="states 500 Hz and sends 250 Hz"):
        run_dialogue(EMG, check=TimestampCheck(False, 0.004))
    with pytest.raises(InputError, match="kind=leg is not known"):
        run_dialogue(EMG, {"kind": "leg"})


def test_stamps_of_a_clock_are_told_from_those_of_arrivals():
    grid = np.arange(100) / 500
    assert TimestampCheck.of(grid) == TimestampCheck(True, pytest.approx(0.002))
    lost = np.delete(grid, slice(40, 47))
    assert TimestampCheck.of(lost).regular
    rng = np.random.default_rng(1)
    assert not TimestampCheck.of(grid + rng.uniform(0, 0.001, 100)).regular
    # blocks of ten, stamped when they arrive
    blocks = np.repeat(rng.uniform(0, 0.005, 10), 10) + grid
    assert not TimestampCheck.of(blocks).regular
    assert TimestampCheck.of(grid[:5]) == TimestampCheck(False, 0.0)


@pytest.mark.parametrize("format_", ["float32", "double64", "int8", "int16", "int32", "int64"])
def test_samples_are_exact_and_stand_at_their_stamps(format_):
    dtype = {"float32": "f4", "double64": "f8"}.get(format_, f"i{format_[3:]}")
    values = np.arange(-20, 20).reshape(20, 2) * 3
    samples = values.astype(np.dtype(dtype) if dtype[0] == "f" else np.dtype(format_))
    decoder = opened(describe([("a", "EMG", "uV"), ("b", "EMG", "uV")], format_=format_))
    timestamps = 70.0 + np.arange(20) / 500
    # sent 30 ms after the last sample by a computer whose clock is 4 s ahead
    block = encode_block(-4.0, float(timestamps[-1]) - 4.0 + 0.030, timestamps, samples)
    (packet,) = decoder.push(message(DATA_UUID, block))
    assert packet.samples.tolist() == values.tolist()
    assert packet.position == round(timestamps[-1] * 1e6)
    assert packet.arrival_ns == pytest.approx(T0 - 30_000_000, abs=1000)


def test_a_gap_in_the_stamps_and_missing_numbers_are_lost_samples():
    decoder, number = opened(EMG), 0
    (stream,) = decoder.streams
    placement, placed = make_placement(stream), []
    for _ in range(100):
        numbers = number + np.arange(25)
        number += 25
        samples = np.stack([numbers, -numbers], 1).astype(np.float32)
        if number == 50:
            numbers, samples = numbers[:20], samples[:20]  # five are lost at the end
        if number == 75:
            samples[3] = np.nan
        timestamps = 9.0 + numbers / 500
        block = encode_block(0.0, float(timestamps[-1]), timestamps, samples)
        for packet in decoder.push(message(DATA_UUID, block, T0 + int(timestamps[-1] * NS))):
            placed += placement.push(packet)
    placed += placement.close()
    assert (placement.loss.exact, placement.loss.total) == (6, 6)
    for part in placed:
        assert part.packet.samples[:, 0].tolist() == list(
            range(part.index, part.index + len(part.packet.samples))
        )


def test_stamps_of_arrivals_place_nothing():
    decoder = opened(EMG, regular=False)
    timestamps = 70.0 + np.array([0, 0.0021, 0.0039, 0.5, 0.502])
    block = encode_block(math.nan, 1e9, timestamps, np.zeros((5, 2), np.float32))
    first, second = decoder.push(message(DATA_UUID, block))
    assert (len(first.samples), first.position, len(second.samples)) == (3, None, 2)
    assert second.arrival_ns == T0  # without a time correction
    assert second.arrival_ns - first.arrival_ns == pytest.approx(0.4981 * NS, abs=1000)
    assert decoder.streams[0].timing is None
    assert opened(EMG, {"timestamps": "regular"}, regular=False).streams[0].timing is not None


def test_a_new_connection_starts_a_new_run():
    decoder = opened(EMG)
    block = encode_block(0.0, 1.0, np.array([1.0]), np.zeros((1, 2), np.float32))
    assert not decoder.push(message(DATA_UUID, block))[0].restarted
    decoder.push(message(DESCRIPTION_UUID, EMG))
    with pytest.raises(PacketError, match="undescribed"):
        decoder.push(message(DATA_UUID, block))
    decoder.push(message(TIMESTAMPS_UUID, TimestampCheck(True, 0.002).to_bytes()))
    assert decoder.push(message(DATA_UUID, block))[0].restarted
    assert not decoder.push(message(DATA_UUID, block))[0].restarted


@pytest.mark.slow
def test_the_kit_finds_no_fault_and_every_driver_that_is_wrong_on_purpose():
    # a stream does not advertise, so that nothing recognises it
    case = replace(lsl_case(), advertised=None)
    check_driver(LslDriver(), case)
    check_driver(LslDriver(), replace(lsl_case(restart=False), advertised=None))
    assert surviving_mutations(LslDriver(), case) == []


def test_any_bytes_are_safe():
    rng = np.random.default_rng(5)
    good = encode_block(0.0, 1.0, np.arange(9.0), np.zeros((9, 2), np.float32))
    decoder = opened(EMG)
    for i in range(3000):
        uuid = (OPTIONS_UUID, DESCRIPTION_UUID, TIMESTAMPS_UUID, DATA_UUID, DATA_UUID)[i % 5]
        data = bytearray((b'{"a": 1}', EMG, b'{"regular": true, "period_s": 1}', good, good)[i % 5])
        for _ in range(rng.integers(0, 4)):
            data[rng.integers(len(data))] = rng.integers(256)
        try:
            decoder.push(message(uuid, bytes(data[: rng.integers(1, len(data) + 1)])))
        except PacketError:
            continue
