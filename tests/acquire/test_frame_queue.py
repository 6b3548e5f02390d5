"""Queue and decoding of notifications: damaged bytes are recognised, memory is bounded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.wearable.encoder import crc16
from tests.nightfile.builders import KEY, T0, info_bytes, make_frames
from twitchsense.acquire.frame_queue import (
    MAX_QUEUED,
    FrameQueue,
    FrameSource,
    Notification,
    decode_notifications,
)
from twitchsense.devices.v1.v1_frames import decode_info
from twitchsense.nightfile.records import Boot, DamagedFrame, Packet

FRAMES = [data for _, _, data in make_frames(5)]


def make_source():
    return FrameSource(decode_info(info_bytes()), Boot(KEY, 1), 0, lambda stored: None)


def renumbered(data, seq):
    body = data[:4] + seq.to_bytes(4, "little") + data[8:-2]
    return body + crc16(body).to_bytes(2, "little")


def kinds(records):
    return [r.reason if isinstance(r, DamagedFrame) else r.seq for r in records]


def test_a_frame_with_an_implausible_sequence_number_is_damaged():
    source = make_source()
    numbered = [
        renumbered(FRAMES[0], seq)
        for seq in (0, MAX_QUEUED, MAX_QUEUED + 1, 2**32 - 1, MAX_QUEUED * 2)
    ]
    records, frames = decode_notifications([Notification(source, T0, data) for data in numbered])
    assert kinds(records) == [0, MAX_QUEUED, MAX_QUEUED + 1, "sequence", MAX_QUEUED * 2]
    assert [f.frame.seq for f in frames] == [0, MAX_QUEUED, MAX_QUEUED + 1, MAX_QUEUED * 2]


def test_a_frame_of_another_boot_is_damaged():
    body = FRAMES[0][:3] + b"\x07" + FRAMES[0][4:-2]
    records, _ = decode_notifications(
        [Notification(make_source(), T0, body + crc16(body).to_bytes(2, "little"))]
    )
    assert kinds(records) == ["boot"]


mutations = st.lists(
    st.tuples(
        st.integers(0, len(FRAMES) - 1),
        st.lists(st.tuples(st.integers(0, 243), st.integers(0, 255)), max_size=3),
        st.integers(0, 244),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(mutations)
def test_altered_notifications_are_unchanged_frames_or_damaged(altered):
    source = make_source()
    notifications = []
    for number, changes, length in altered:
        data = bytearray(FRAMES[number])
        for position, value in changes:
            data[position % len(data)] = value
        notifications.append(
            Notification(source, T0, bytes(data[:length] if length < 200 else data))
        )
    records, frames = decode_notifications(notifications)
    assert len(records) <= len(notifications)
    for record in records:
        assert isinstance(record, (Packet, DamagedFrame))
    for stored in frames:
        sent = FRAMES[stored.frame.seq]
        assert stored.frame.samples.tobytes() == sent[12:-2]


def test_a_full_queue_counts_uncommitted_items_and_drops_notifications():
    queue = FrameQueue(limit=3)
    source = make_source()
    queue.n_uncommitted = 2
    for data in FRAMES[:3]:
        queue.put(Notification(source, T0, data))
    assert (len(queue.drain()), queue.n_overflows) == (1, 2)
