import numpy as np
import pytest

from twitchsense import analyze
from twitchsense.bench.synthetic import make_tile, repeat_arrays, tile_recording


def test_a_tile_reads_like_itself_repeated():
    tile = make_tile(seconds=30)
    recording = tile_recording(tile, 100)
    whole = np.resize(tile["emg2_uv"][0], 100_000)
    samples = recording.segments_of("emg2")[0].samples
    assert len(samples) == 100_000
    for start, stop in ((0, 10), (29_990, 30_010), (60_000, 61_000), (99_990, 100_500), (5, 5)):
        np.testing.assert_array_equal(samples.read(start, stop)[:, 0], whole[start:stop])
    acc = recording.segments_of("acc")[0].samples.read(2_995, 3_005)
    for axis, name in enumerate("xyz"):
        np.testing.assert_array_equal(
            acc[:, axis], np.resize(tile[f"acc_{name}_g"][0], 10_000)[2_995:3_005]
        )


def test_repeated_in_memory_and_when_read_are_the_same_night():
    tile = make_tile(seconds=60, events_per_h=600)
    lazy = analyze(tile_recording(tile, 150)).events
    from twitchsense import Recording

    eager = analyze(Recording.from_arrays(repeat_arrays(tile, 150))).events
    assert len(lazy) > 5
    assert lazy.equals(eager)


@pytest.mark.parametrize("per_h", [0, 60, 7200])
def test_tile_has_the_requested_event_rate(per_h):
    tile = make_tile(seconds=60, events_per_h=per_h, n_emg=1)
    quiet = make_tile(seconds=60, events_per_h=0, n_emg=1)
    assert set(tile) == {"emg1_uv", "acc_x_g", "acc_y_g", "acc_z_g"}
    assert len(tile["emg1_uv"][0]) == 60_000
    louder = np.abs(tile["emg1_uv"][0]) > 1.2 * np.abs(quiet["emg1_uv"][0]).max()
    seen = np.count_nonzero(np.diff(np.flatnonzero(louder), prepend=-1000) > 100)
    assert 0.5 * per_h / 60 <= seen <= per_h / 60


def test_the_same_seed_is_the_same_signal():
    a, b, c = (make_tile(seconds=20, seed=s)["emg1_uv"][0] for s in (3, 3, 4))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
