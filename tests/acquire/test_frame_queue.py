"""What came, on its way to the disk: hostile bytes are told apart, and memory is bounded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.wearable.wire import crc16
from tests.wearable.nights import KEY, T0, info_bytes, make_frames
from twitchsense.acquire.frame_queue import LIMIT, Arrival, Inbox, Lane, decode
from twitchsense.devices.v1_frames import decode_info
from twitchsense.nightfile.records import Boot, Damaged, Packet

FRAMES = [data for _, _, data in make_frames(5)]


def lane(start=0):
    return Lane(decode_info(info_bytes()), Boot(KEY, 1), start, lambda stored: None)


def renumbered(data, seq):
    body = data[:4] + seq.to_bytes(4, "little") + data[8:-2]
    return body + crc16(body).to_bytes(2, "little")


def kinds(records):
    return [r.reason if isinstance(r, Damaged) else r.seq for r in records]


def test_a_number_that_cannot_be_yet_is_no_frame():
    mine = lane()
    ahead = [renumbered(FRAMES[0], seq) for seq in (0, LIMIT, LIMIT + 1, 2**32 - 1, LIMIT * 2)]
    records, frames = decode([Arrival(mine, T0, data) for data in ahead])
    assert kinds(records) == [0, LIMIT, LIMIT + 1, "sequence", LIMIT * 2]
    assert [f.frame.seq for f in frames] == [0, LIMIT, LIMIT + 1, LIMIT * 2]


def test_frames_of_another_boot_are_told():
    body = FRAMES[0][:3] + b"\x07" + FRAMES[0][4:-2]
    records, _ = decode([Arrival(lane(), T0, body + crc16(body).to_bytes(2, "little"))])
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
def test_hostile_notifications_are_frames_or_damage_and_nothing_is_invented(pieces):
    mine = lane()
    arrivals = []
    for number, changes, length in pieces:
        data = bytearray(FRAMES[number])
        for at, value in changes:
            data[at % len(data)] = value
        arrivals.append(Arrival(mine, T0, bytes(data[:length] if length < 200 else data)))
    records, frames = decode(arrivals)
    assert len(records) <= len(arrivals)
    for record in records:
        assert isinstance(record, (Packet, Damaged))
    for stored in frames:
        sent = FRAMES[stored.frame.seq]
        assert stored.frame.samples.tobytes() == sent[12:-2]


def test_a_full_inbox_counts_what_waits_for_the_disk_too():
    inbox = Inbox(limit=3)
    mine = lane()
    inbox.held = 2
    for data in FRAMES[:3]:
        inbox.put(Arrival(mine, T0, data))
    assert (len(inbox.take()), inbox.overflows) == (1, 2)
