import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import twitchsense as ts
from tests.made_night import make_recording
from twitchsense.model.per_second import PerSecond
from twitchsense.report.decimate import envelope, spans, thin
from twitchsense.report.overview import plot_context, plot_events, plot_lane, plot_night, plot_valid
from twitchsense.report.page import render
from twitchsense.report.svg import to_svg
from twitchsense.report.time_labels import Clock, from_onset, hours_minutes, milliseconds, spoken
from twitchsense.report.waveforms import plot_average, plot_event


@pytest.fixture(scope="module")
def night():
    return ts.analyze(make_recording(12))


def test_lanes_draw_on_the_axes_given_and_return_them(night):
    for draw in (
        lambda ax: plot_lane(night, "emg1", ax=ax),
        lambda ax: plot_lane(night, "acc", ax=ax),
        lambda ax: plot_events(night, ax=ax),
        lambda ax: plot_context(night, ax=ax),
        lambda ax: plot_valid(night, ax=ax),
        lambda ax: plot_average(night, "jerk", ax=ax),
        lambda ax: ts.plot_intervals(night, ax=ax),
        lambda ax: ts.plot_night(night, ax=ax),
    ):
        ax = Figure().add_subplot()
        assert draw(ax) is ax
        assert isinstance(draw(None), Axes)


def test_without_axes_a_notebook_shows_the_picture_and_a_report_leaves_none(night):
    plot_night(night, Figure().add_subplot(2, 1, 2))
    plot_event(night, night.events.iloc[0])
    render(night)
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
    env = envelope(seconds, 0.0, 100.0, 10)
    assert env.high[0] == 9
    assert np.isnan(env.high[1:5]).all()
    assert env.low[-1] == -59
    assert env.valid.tolist() == [True] + [False] * 4 + [True] * 5


def test_spans_break_at_gaps_and_where_validity_changes():
    seconds = make_seconds([0, 1, 2, 10, 11], [True, True, False, True, True])
    assert spans(seconds) == ([(0.0, 2.0), (10.0, 2.0)], [(2.0, 1.0)])
    assert spans(make_seconds([], [])) == ([], [])


def test_thin_keeps_extremes_in_order():
    time, values = np.arange(10_000) / 1000, np.zeros(10_000)
    values[4321], values[8765] = 7, -3
    t, v = thin(time, values, 200)
    assert len(t) < 450
    assert (np.diff(t) > 0).all()
    assert v.max() == 7
    assert v.min() == -3


def test_words_for_times():
    assert spoken(40) == "40 s"
    assert spoken(3600) == "1 h"
    assert spoken(25_500) == "7 h 5 min"
    assert hours_minutes(25_500) == "7:05"
    assert milliseconds(0.0844) == "84 ms"
    assert milliseconds(2.41) == "2.4 s"
    assert milliseconds(float("nan")) == "–"
    assert from_onset(-3.21) == "3.2 min before sleep onset"
    assert from_onset(float("nan")) == ""
    assert from_onset(120) == "2 h after sleep onset"


def test_clock_shows_the_wearers_time_over_a_change_of_clocks():
    # 2026-03-29 00:30 UTC; clocks in Berlin go from 2 to 3 at 01:00 UTC
    recording = make_recording(1, gap=False)
    start = 1_774_744_200 * 10**9
    from dataclasses import replace

    clock = Clock.of(replace(recording, start_utc_ns=start))
    assert (clock.short(0), clock.short(3600)) == ("01:30", "03:30")
    nowhere = Clock.of(replace(recording, zone=None))
    assert nowhere.name == "UTC"
    assert Clock().exact(3725) == "1:02:05"
