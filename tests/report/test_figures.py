import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import twitchsense as ts
from tests.recordings import make_recording
from twitchsense.model.per_second import PerSecond
from twitchsense.report.decimate import decimate_waveform, min_max_envelope
from twitchsense.report.figures import to_svg
from twitchsense.report.night_intervals import validity_intervals
from twitchsense.report.overview import (
    plot_channel,
    plot_context,
    plot_events,
    plot_night,
    plot_valid,
)
from twitchsense.report.page import render_report
from twitchsense.report.time_labels import (
    WallClock,
    format_duration,
    format_event_duration,
    format_hours_minutes,
    format_minutes_from_onset,
)
from twitchsense.report.waveforms import event_figure, plot_average, plot_event


@pytest.fixture(scope="module")
def night():
    return ts.analyze(make_recording(12))


def test_lanes_draw_on_the_axes_given_and_return_them(night):
    for draw in (
        lambda ax: plot_channel(night, "emg1", ax=ax),
        lambda ax: plot_channel(night, "acc", ax=ax),
        lambda ax: plot_events(night, ax=ax),
        lambda ax: plot_context(night, ax=ax),
        lambda ax: plot_valid(night, ax=ax),
        lambda ax: plot_average(night, "jerk", ax=ax),
        lambda ax: ts.plot_intervals(night, ax=ax),
        lambda ax: ts.plot_night(night, ax=ax),
        lambda ax: plot_event(night, 0, ax=ax),
    ):
        ax = Figure().add_subplot()
        assert draw(ax) is ax
        assert isinstance(draw(None), Axes)


def test_without_axes_a_notebook_shows_the_picture_and_a_report_leaves_none(night):
    plot_night(night, Figure().add_subplot(2, 1, 2))
    event_figure(night, night.events.iloc[0])
    render_report(night)
    assert plt.get_fignums() == []
    ax = plot_night(night)
    assert [plt.figure(n) for n in plt.get_fignums()] == [ax.figure]
    assert "tkinter" not in sys.modules


def test_without_clock_time_the_axis_counts_from_the_start():
    night = ts.analyze(make_recording(4, utc=False, gap=False))
    svg = to_svg(plot_night(night).figure)
    assert "from the start" in svg
    assert "clock time" not in svg


def test_svg_is_small_text_without_dates(night):
    svg = to_svg(plot_night(night).figure)
    assert svg.startswith("<svg")
    assert "<date" not in svg.replace("dc:date", "<date")
    assert svg == to_svg(plot_night(night).figure)


def make_seconds(time_s, valid):
    n = len(time_s)
    one = np.ones(n, np.float32)
    return PerSecond(
        (np.asarray(time_s) * 1e9).astype(np.int64),
        one,
        np.asarray(valid, bool),
        -np.arange(n, dtype=np.float32),
        np.arange(n, dtype=np.float32),
        one,
        one,
        np.empty((n, 0), np.float32),
        "emg",
    )


def test_envelope_keeps_extremes_and_leaves_gaps_empty():
    seconds = make_seconds([*range(10), *range(50, 100)], [True] * 60)
    env = min_max_envelope(seconds, 0.0, 100.0, 10)
    assert env.high[0] == 9
    assert np.isnan(env.high[1:5]).all()
    assert env.low[-1] == -59
    assert env.valid.tolist() == [True] + [False] * 4 + [True] * 5


def test_spans_break_at_gaps_and_where_validity_changes():
    seconds = make_seconds([0, 1, 2, 10, 11], [True, True, False, True, True])
    assert validity_intervals(seconds) == ([(0.0, 2.0), (10.0, 2.0)], [(2.0, 1.0)])
    assert validity_intervals(make_seconds([], [])) == ([], [])


def test_thin_keeps_extremes_in_order():
    time, values = np.arange(10_000) / 1000, np.zeros(10_000)
    values[4321], values[8765] = 7, -3
    t, v = decimate_waveform(time, values, 200)
    assert len(t) < 450
    assert (np.diff(t) > 0).all()
    assert v.max() == 7
    assert v.min() == -3


def test_words_for_times():
    assert format_duration(40) == "40 s"
    assert format_duration(3600) == "1 h"
    assert format_duration(25_500) == "7 h 5 min"
    assert format_hours_minutes(25_500) == "7:05"
    assert format_event_duration(0.0844) == "84 ms"
    assert format_event_duration(2.41) == "2.4 s"
    assert format_event_duration(float("nan")) == "–"
    assert format_minutes_from_onset(-3.21) == "3.2 min before sleep onset"
    assert format_minutes_from_onset(float("nan")) == ""
    assert format_minutes_from_onset(120) == "2 h after sleep onset"


def test_clock_shows_the_wearers_time_over_a_change_of_clocks():
    # 2026-03-29 00:30 UTC; clocks in Berlin go from 2 to 3 at 01:00 UTC
    recording = make_recording(1, gap=False)
    start = 1_774_744_200 * 10**9
    from dataclasses import replace

    clock = WallClock.of(replace(recording, start_utc_ns=start))
    assert (clock.format_minute(0), clock.format_minute(3600)) == ("01:30", "03:30")
    nowhere = WallClock.of(replace(recording, zone=None))
    assert nowhere.zone_name == "UTC"
    assert WallClock().format_second(3725) == "1:02:05"
