import json
import signal
import sys
from math import ceil

import numpy as np
import pytest
from click.testing import CliRunner

from twitchsense.bench import process, suite
from twitchsense.bench.latency import iter_packets, time_packets
from twitchsense.bench.synthetic import make_tile, tile_recording
from twitchsense.cli.app import main
from twitchsense.cli.bench import format_table
from twitchsense.detect.detector import Detector
from twitchsense.errors import TwitchsenseError
from twitchsense.settings import Settings

pytestmark = pytest.mark.slow  # runs the benchmark, in processes of its own


@pytest.fixture(autouse=True)
def _default_sigterm():
    yield
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@pytest.fixture(scope="module")
def figures():
    with pytest.MonkeyPatch.context() as patch:
        start = process.time_start
        patch.setattr(suite, "time_start", lambda repeats: start(1))
        result = CliRunner().invoke(
            main, ["bench", "--json", "--minutes", "2", "--engine", "scipy"]
        )
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_figures_of_throughput(figures):
    arrays = figures["arrays"]
    assert arrays["hours"] == pytest.approx(1 / 30)
    assert arrays["seconds"] == min(arrays["wall_s"], arrays["cpu_s"])
    assert arrays["times_sum"] == pytest.approx(arrays["seconds"] / arrays["sum_s"])
    assert arrays["times_real_time"] == pytest.approx(120 / arrays["seconds"])
    assert sum(arrays["stages"].values()) == pytest.approx(arrays["seconds"])
    # the largest stage of this engine; two minutes give few samples of the others
    assert "ECG canceller" in arrays["stages"]


def test_figures_of_both_engines(figures):
    engines = figures["engines"]
    assert figures["about"]["engine"] == "scipy"
    assert engines["scipy_s"] > 0
    if engines["native_s"] is None:
        assert engines["why_not_native"]
    else:
        assert engines["scipy_over_native"] == engines["scipy_s"] / engines["native_s"]


def test_figures_of_files(figures):
    csv = figures["csv"]
    assert csv["hours"] == pytest.approx(40 / 3600)
    # 40 001 lines of some 20 characters, 4 001 of some 30
    assert 0.7 < csv["megabytes"] < 1.5
    assert csv["times_parse"] == pytest.approx(csv["seconds"] / csv["parse_s"])


def test_figures_of_live_detection(figures):
    live = figures["live"]
    assert live["packets"] == ceil(120_000 / 57) + ceil(12_000 / 38)
    assert live["p50_ms"] <= live["p99_ms"] <= live["most_ms"]
    shown, settled = live["shown_s"]["twitch"], live["settled_s"]["twitch"]
    assert shown["count"] == settled["count"] > 5
    for twitch in (shown, settled):
        assert 0 < twitch["p50"] <= twitch["p95"] <= twitch["most"] < 5
    assert shown["p50"] < settled["p50"] - 0.2


def test_figures_of_memory_and_start_up(figures):
    memory, start = figures["memory"], figures["start"]
    assert memory["hours"] == pytest.approx(1 / 30)
    if sys.platform == "linux":
        assert memory["base_mb"] > 30
        assert memory["above_mb"] == pytest.approx(memory["peak_mb"] - memory["base_mb"])
        assert memory["above_mb"] > 0
    assert start["help_s"] > 0
    assert start["analyze_s"] > start["import_s"] >= 0


def test_table_shows_the_figures(figures):
    text = format_table(figures)
    for words in (
        "arrays of 2 min → events",
        "ECG canceller",
        "numpy.sum",
        "twitch",
        "--help",
        "cores",
    ):
        assert words in text
    assert "--help" in text
    figures = {**figures, "memory": {**figures["memory"], "above_mb": None}}
    assert "memory for" not in format_table(figures)


def test_packets_hold_every_sample_once_and_come_in_time():
    recording = tile_recording(make_tile(seconds=20, n_emg=1), 21.3)
    last, parts = 0, {}
    for at, chunk in iter_packets(recording, {"emg": 57, "acc": 38}):
        assert at >= last
        last = at
        parts.setdefault(chunk.channel, []).append(chunk)
        done = chunk.first_index + len(chunk.samples)
        assert at == round(done * 1e9 / recording.channel(chunk.channel).fs)
    for name, chunks in parts.items():
        assert [c.first_index for c in chunks[1:]] == list(
            np.cumsum([len(c.samples) for c in chunks[:-1]])
        )
        samples = recording.segments_of(name)[0].samples
        whole = np.concatenate([c.samples for c in chunks])
        np.testing.assert_array_equal(whole, samples.read(0, len(samples)))


def test_delays_are_those_of_the_final_candidates():
    recording = tile_recording(make_tile(seconds=90, events_per_h=600), 90)
    size = {"emg": 100, "acc": 10}
    delays = time_packets(recording, size)["settled_s"]
    detector, longest = Detector(Settings(), recording.channels), {}
    for at, chunk in iter_packets(recording, size):
        for f in detector.push(chunk):
            if not f.reason and f.onset_ns >= 30e9:
                longest.setdefault(f.kind, []).append((at - f.offset_ns) / 1e9)
    assert {k: (d["count"], d["most"]) for k, d in delays.items()} == {
        k: (len(d), max(d)) for k, d in longest.items()
    }


def test_a_failing_child_process_is_an_error():
    with pytest.raises(TwitchsenseError, match="no_such_function"):
        process.run_in_process("no_such_function()")


def test_zero_minutes_are_refused():
    result = CliRunner().invoke(main, ["bench", "--minutes", "0"])
    assert result.exit_code == 2
    assert "--minutes" in result.stderr
    assert result.stdout == ""
