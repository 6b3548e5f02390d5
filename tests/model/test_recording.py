"""Recording: times, chunks, windows."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from twitchsense.errors import InputError
from twitchsense.model.channels import NS, ArraySamples, Channel
from twitchsense.model.recording import Recording


def with_gap():
    x = np.arange(1000.0)
    x[300:400] = np.nan
    acc = np.arange(100.0)
    return Recording.from_arrays({"emg1_uv": (x, 1000), "acc_x_g": (acc, 100)})


def test_start_end_and_channels():
    recording = with_gap()
    assert (recording.start_ns, recording.end_ns) == (0, NS)
    assert recording.channel("acc").width == 1
    assert [len(s.samples) for s in recording.segments_of("emg1")] == [300, 600]
    with pytest.raises(KeyError):
        recording.channel("emg9")


def test_empty_recording_has_no_extent():
    empty = Recording((Channel("emg1", "emg", "uV", 1000.0, ("emg1_uv",)),), ())
    assert (empty.start_ns, empty.end_ns) == (0, 0)
    assert list(empty.chunks()) == []


@pytest.mark.parametrize("seconds", [0.001, 0.0333, 0.25, 60])
def test_chunks_cover_everything_once_and_in_order(seconds):
    recording = with_gap()
    chunks = list(recording.chunks(seconds))
    for segment in recording.segments:
        mine = [
            c
            for c in chunks
            if (c.channel, c.segment_start_ns) == (segment.channel, segment.start_ns)
        ]
        assert [c.first_index for c in mine] == np.cumsum(
            [0, *(len(c.samples) for c in mine[:-1])]
        ).tolist()
        np.testing.assert_array_equal(
            np.concatenate([c.samples for c in mine]),
            segment.samples.read(0, len(segment.samples)),
        )


@pytest.mark.parametrize("seconds", [0.0333, 0.25, 60])
def test_blocks_hold_the_chunks_of_a_period(seconds):
    recording = with_gap()
    blocks = list(recording.blocks(seconds))
    for channel in recording.channels:
        mine = [c for c in recording.chunks(seconds) if c.channel == channel.name]
        joined = [c for block in blocks for c in block if c.channel == channel.name]
        assert [(c.segment_start_ns, c.first_index, len(c.samples)) for c in joined] == [
            (c.segment_start_ns, c.first_index, len(c.samples)) for c in mine
        ]
    if seconds == 60:
        assert len(blocks) == 1


def test_window_returns_existing_samples():
    times, samples = with_gap().window("emg1", 298_000_000, 403_000_000)
    assert times.tolist() == [298_000_000, 299_000_000, 400_000_000, 401_000_000, 402_000_000]
    assert samples[:, 0].tolist() == [298, 299, 400, 401, 402]
    times, samples = with_gap().window("emg1", 310_000_000, 320_000_000)
    assert len(times) == 0
    assert samples.shape == (0, 1)


def test_start_needs_a_time_zone_and_is_converted_to_utc():
    signals = {"emg1_uv": ([1.0, 2.0], 1000)}
    east = timezone(timedelta(hours=2))
    start = datetime(2026, 3, 1, 2, 0, 0, 250_000, tzinfo=east)
    recording = Recording.from_arrays(signals, start=start, zone="Europe/Berlin")
    assert recording.start_utc_ns == 1_772_323_200_250_000_000
    assert recording.zone == "Europe/Berlin"
    with pytest.raises(InputError, match="time zone"):
        Recording.from_arrays(signals, start=datetime(2026, 3, 1))
    for text, zone in (("2026-03-01T01:00:00.25+01:00", None), ("2026-03-01 01:00:00.25", "CET")):
        stated = Recording.from_arrays(signals, start=text, zone=zone)
        assert stated.start_utc_ns == recording.start_utc_ns
    with pytest.raises(InputError, match="no such time zone as 'Mars'"):
        Recording.from_arrays(signals, zone="Mars")
    assert Recording.from_arrays(signals).start_utc_ns is None


def test_array_samples_return_slices():
    samples = ArraySamples(np.arange(6, dtype=np.float32).reshape(3, 2))
    assert len(samples) == 3
    assert samples.read(1, 2).tolist() == [[2, 3]]


def test_arrays_of_float32_are_not_copied_and_gaps_are_found_across_pieces(monkeypatch):
    x = np.arange(40, dtype=np.float32)
    x[[0, 7, 8, 20]] = np.nan, np.inf, np.nan, -np.inf
    expected = [(1, 7), (9, 20), (21, 40)]
    for piece in (1, 4, 8, 100):
        monkeypatch.setattr("twitchsense.model.array_channels.PIECE", piece)
        segments = Recording.from_arrays({"emg1_uv": (x, 1000)}).segments
        assert [(s.start_ns // 1_000_000, len(s.samples)) for s in segments] == [
            (a, b - a) for a, b in expected
        ]
        assert all(np.shares_memory(s.samples.read(0, 1), x) for s in segments)
