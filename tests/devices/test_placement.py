"""Placement of packets: samples keep their number, and the loss is the truth within its class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.builders import make_packets, stream
from twitchsense.devices.contract import SamplePacket
from twitchsense.devices.sample_timing.loss import LossCount, describe_loss
from twitchsense.devices.sample_timing.selection import make_placement
from twitchsense.devices.streams import SampleClock, SampleCounter

NS = 1_000_000_000


def place(packets):
    """All placed packets in order, and the loss."""
    placement = make_placement(packets.spec)
    placed = [p for packet in packets.packets for p in placement.push(packet)]
    placed += placement.close()
    return placed, placement.loss


def check_samples(packets, placed):
    """Every packet is returned once, unchanged, and none stands before the one before it."""
    assert [id(p.packet) for p in placed] == [id(p) for p in packets.packets]
    ends = [p.index + len(p.packet.samples) for p in placed]
    starts = [p.index for p in placed]
    assert all(start >= end for start, end in zip(starts[1:], ends, strict=False))


def relative(placed):
    index = np.array([p.index for p in placed])
    return index - index[0]


#: Which of 400 packets are lost: bursts of losses, from none to nearly all.
losses = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 40)), min_size=1, max_size=20).map(
    lambda runs: [lost for kept, gone in runs for lost in [False] * kept + [True] * gone]
)
sizes = st.integers(1, 40)


@settings(max_examples=200, deadline=None)
@given(losses, sizes, st.integers(0, 10**6))
def test_a_counter_that_never_wraps_gives_the_true_loss(lost, size, seed):
    delays = np.random.default_rng(seed).uniform(0, 5, len(lost))
    packets = make_packets(stream(SampleCounter(None)), [size] * len(lost), lost, delays)
    placed, loss = place(packets)
    check_samples(packets, placed)
    assert relative(placed).tolist() == (packets.index - packets.index[0]).tolist()
    assert (loss.exact, loss.ambiguous, loss.unknown) == (packets.lost, 0, 0)


@settings(max_examples=200, deadline=None)
@given(losses, st.integers(1, 25), st.integers(0, 10**6), st.booleans())
def test_a_counter_of_8_bits_is_exact_below_its_modulus_and_says_so(lost, size, seed, slow):
    """Delays up to 5 s, as in a fade of the radio, are not taken for a loss.

    The first packet is on time: if it is not, nothing shows how late the others are.
    """
    rng = np.random.default_rng(seed)
    delays = rng.uniform(0, 0.03, len(lost))
    if slow and len(lost) > 1:
        start = rng.integers(1, len(lost))
        delays[start : start + 3] += 5.0
    packets = make_packets(stream(SampleCounter(256)), [size] * len(lost), lost, delays)
    placed, loss = place(packets)
    check_samples(packets, placed)
    missing = np.diff(packets.index) - size
    wrong = relative(placed) - (packets.index - packets.index[0])
    # whatever is wrong is wrong by whole turns of the counter, and said to be ambiguous
    assert (wrong % 256 == 0).all()
    assert loss.ambiguous > 0 or not wrong.any()
    last = packets.packets[-1]
    last_delay_s = last.arrival_ns / NS - 100 - (packets.index[-1] + size - 1) / 500
    if missing.max(initial=0) < 256 and last_delay_s < 0.2:  # the fade is over
        assert relative(placed).tolist() == (packets.index - packets.index[0]).tolist()
        assert (loss.exact, loss.ambiguous) == (packets.lost, 0)
    elif missing.max(initial=0) >= 256:
        assert loss.ambiguous > 0


def test_losses_longer_than_the_modulus_are_found_by_the_arrivals():
    lost = [False] * 2000
    lost[500:700] = [True] * 200  # 4 s of 0.512
    lost[1500:1535] = [True] * 35  # 350 samples: one turn and 94
    delays = np.random.default_rng(1).uniform(0, 0.03, len(lost))
    packets = make_packets(stream(SampleCounter(256)), [10] * len(lost), lost, delays)
    placed, loss = place(packets)
    assert relative(placed).tolist() == (packets.index - packets.index[0]).tolist()
    assert (loss.exact, loss.ambiguous, loss.gaps) == (0, 2350, 2)


@settings(max_examples=200, deadline=None)
@given(
    losses,
    st.integers(4, 40),
    st.integers(0, 10**6),
    st.sampled_from(["first", "last"]),
    st.sampled_from([None, 2**32]),
    st.floats(-0.01, 0.01),
)
def test_a_clock_gives_the_true_loss_at_a_rate_that_is_not_the_stated_one(
    lost, size, seed, sample, modulus, error
):
    """Delays up to 15 s, since the time of arrival is not used."""
    delays = np.random.default_rng(seed).uniform(0, 15, len(lost))
    clock = SampleClock(1000, sample, modulus, jitter_s=0.001, samples_per_packet=size)
    spec = stream(clock, 52.0, fs_tolerance=0.012)
    packets = make_packets(spec, [size] * len(lost), lost, delays, true_fs=52.0 * (1 + error))
    placed, loss = place(packets)
    check_samples(packets, placed)
    assert (loss.ambiguous, loss.unknown) == (0, 0)
    assert loss.exact == packets.lost
    assert relative(placed).tolist() == (packets.index - packets.index[0]).tolist()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(20, 80), min_size=20, max_size=200), st.integers(0, 10**6))
def test_a_clock_with_packets_of_any_size(sizes, seed):
    rng = np.random.default_rng(seed)
    lost = (rng.random(len(sizes)) < 0.2).tolist()
    lost[0] = lost[-1] = False
    clock = SampleClock(10**9, "last", epoch="2000-01-01T00:00:00Z", jitter_s=1e-4)
    spec = stream(clock, 52.0, fs_tolerance=0.005)
    packets = make_packets(spec, sizes, lost, rng.uniform(0, 5, len(sizes)), true_fs=52.1)
    placed, loss = place(packets)
    check_samples(packets, placed)
    # a gap is as long as the clock says: to a sample, or 1 in 1000
    assert loss.exact == pytest.approx(packets.lost, abs=1 + loss.gaps, rel=0.005)


@settings(max_examples=100, deadline=None)
@given(losses, st.integers(2, 20), st.integers(0, 10**6))
def test_without_counter_and_clock_only_long_gaps_are_seen(lost, size, seed):
    delays = np.random.default_rng(seed).uniform(0, 0.03, len(lost))
    packets = make_packets(stream(None, 200.0), [size] * len(lost), lost, delays)
    placed, loss = place(packets)
    check_samples(packets, placed)
    assert (loss.exact, loss.ambiguous) == (0, 0)
    # the samples that are seen to be missing are missing, up to the jitter of delivery
    assert loss.unknown <= packets.lost + 0.05 * 200 * (loss.gaps + 1)


def test_a_long_gap_of_arrival_is_a_gap_and_no_stretch():
    lost = [False] * 300 + [True] * 500 + [False] * 300
    delays = np.random.default_rng(2).uniform(0, 0.03, len(lost))
    packets = make_packets(stream(None, 200.0), [2] * len(lost), lost, delays)
    placed, loss = place(packets)
    assert loss.gaps == 1
    assert loss.unknown == pytest.approx(1000, abs=10)
    at_gap = relative(placed)[300] - relative(placed)[299]
    assert at_gap == pytest.approx(1002, abs=10)


def test_a_restart_begins_a_run_and_its_gap_is_ambiguous():
    packets = make_packets(stream(SampleCounter(256)), [10] * 100, [False] * 100, [0.01] * 100)
    second = [
        SamplePacket(p.stream, p.samples, p.position, p.arrival_ns + 30 * NS, i == 0)
        for i, p in enumerate(packets.packets)
    ]
    packets.packets += second
    placed, loss = place(packets)
    assert [p.run for p in placed] == [0] * 100 + [1] * 100
    # the second run starts 28 s after the end of the first: 30 s less the 2 s of the run
    assert loss.exact == 0
    assert loss.ambiguous == pytest.approx(28 * 500, abs=20)


@pytest.mark.parametrize("change_s", [-3600.0, 7.5e8])
def test_a_clock_that_was_set_begins_a_run(change_s):
    clock = SampleClock(10**9, "last", epoch="2000-01-01T00:00:00Z")
    packets = make_packets(stream(clock, 52.0), [20] * 100, [False] * 100, [0.01] * 100)
    for i in range(50, 100):
        p = packets.packets[i]
        position = p.position + round(change_s * 1e9) + 10**15
        packets.packets[i] = SamplePacket(p.stream, p.samples, position, p.arrival_ns)
    for i in range(50):
        p = packets.packets[i]
        packets.packets[i] = SamplePacket(p.stream, p.samples, p.position + 10**15, p.arrival_ns)
    placed, loss = place(packets)
    assert [p.run for p in placed] == [0] * 50 + [1] * 50
    assert loss.total <= 2


def test_packets_that_are_sent_again_close_their_gap():
    packets = make_packets(stream(SampleCounter(None)), [10] * 10, [False] * 10, [0.0] * 10)
    late = packets.packets.pop(4)
    packets.packets += [late, late]
    placed, loss = place(packets)
    assert loss.total == 0
    assert [p.index for p in placed][-2:] == [40, 40]


@pytest.mark.parametrize(
    ("loss", "timing", "text"),
    [
        (LossCount(exact=18), SampleCounter(None), "1.8 % lost, known exactly"),
        (LossCount(exact=0), SampleClock(1000, "first"), "0 % lost, known exactly"),
        (
            LossCount(exact=4, ambiguous=14),
            SampleCounter(256),
            "at least 0.4 % lost, about 1.8 % by the times of arrival",
        ),
        (LossCount(), None, "shorter loss cannot be seen with this device"),
    ],
)
def test_loss_in_words(loss, timing, text):
    assert text in describe_loss(loss, 1000 - loss.total, timing)


@pytest.mark.parametrize("rate_error", [-0.003, 0.0, 0.003])
def test_a_small_loss_that_goes_on_is_told_from_a_slow_clock(rate_error):
    """Without a counter, 2 % of loss must not pass as a rate that is 2 % slower."""
    n, rng = 12_000, np.random.default_rng(4)
    spec = stream(None, 500.0, fs_tolerance=0.003)
    is_lost = (rng.random(n) < 0.02) & (np.arange(n) > 10)
    delays_s = 0.02 + rng.exponential(0.005, n)
    packets = make_packets(spec, [10] * n, is_lost, delays_s, 500.0 * (1 + rate_error))
    _, loss = place(packets)
    # a clock within its tolerance is no loss; what exceeds it is counted
    assert packets.lost * 0.6 <= loss.unknown <= packets.lost * 1.5
    _, loss = place(make_packets(spec, [10] * n, [False] * n, delays_s, 500.0 * (1 + rate_error)))
    assert loss.unknown == 0
