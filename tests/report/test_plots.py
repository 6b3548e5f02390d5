"""The public plots, and their export as SVG."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import twitchsense as ts
from tests.recordings import make_recording
from tests.trend.builders import evening, write_night
from twitchsense.model.channels import Channel
from twitchsense.model.recording import Recording
from twitchsense.report.figures import to_svg
from twitchsense.report.hypnogram_strip import plot_hypnogram
from twitchsense.report.overview import (
    plot_channel,
    plot_context,
    plot_disturbed,
    plot_events,
    plot_night,
    shown_channels,
)
from twitchsense.report.page import render_report
from twitchsense.report.waveforms import event_figure, plot_average, plot_event


@pytest.fixture(scope="module")
def night():
    return ts.analyze(make_recording(12))


@pytest.mark.slow  # draws every plot
def test_plots_draw_on_the_axes_given_and_return_them(night):
    for draw in (
        lambda ax: plot_channel(night, "emg1", ax=ax),
        lambda ax: plot_channel(night, "acc", ax=ax),
        lambda ax: plot_events(night, ax=ax),
        lambda ax: plot_context(night, ax=ax),
        lambda ax: plot_disturbed(night, ax=ax),
        lambda ax: plot_hypnogram(night, ax=ax),
        lambda ax: plot_average(night, "jerk", ax=ax),
        lambda ax: ts.plot_intervals(night, ax=ax),
        lambda ax: ts.plot_night(night, ax=ax),
        lambda ax: plot_event(night, 0, ax=ax),
    ):
        ax = Figure().add_subplot()
        assert draw(ax) is ax
        assert isinstance(draw(None), Axes)


@pytest.mark.slow
def test_only_plots_without_axes_open_a_pyplot_figure(night):
    plot_night(night, Figure().add_subplot(2, 1, 2))
    event_figure(night.recording, night.events.iloc[0])
    render_report(night)
    assert plt.get_fignums() == []
    ax = plot_night(night)
    assert [plt.figure(n) for n in plt.get_fignums()] == [ax.figure]
    assert "tkinter" not in sys.modules


def test_time_axis_without_clock_counts_from_the_start():
    night = ts.analyze(make_recording(4, utc=False, gap=False))
    svg = to_svg(plot_night(night).figure)
    assert "from the start" in svg
    assert "clock time" not in svg


def test_svg_is_reproducible_and_has_no_date(night):
    svg = to_svg(plot_night(night).figure)
    assert svg.startswith("<svg")
    assert "<date" not in svg.replace("dc:date", "<date")
    assert svg == to_svg(plot_night(night).figure)


def test_trend_draws_on_the_axes_given_and_without_dated_nights(tmp_path):
    weeks = ts.read_weeks([write_night(tmp_path, f"n{k}", evening(k)) for k in range(9)])
    ax = Figure().add_subplot()
    assert ts.plot_trend(weeks, "jerk", ax=ax) is ax
    assert isinstance(ts.plot_trend(weeks), Axes)
    nowhen = ts.read_weeks([write_night(tmp_path, "x", None)])
    assert "no night with a date" in ts.plot_trend(nowhen).texts[0].get_text()


def test_only_the_channels_with_the_most_events_are_drawn(night):
    """The time to draw grows with the square of the rows: 200 channels took minutes."""

    names = [f"emg{i}" for i in range(40)]
    channels = tuple(Channel(n, "emg", "uV", 500.0, (f"{n}_uv",)) for n in names)
    many = SimpleNamespace(
        recording=Recording(channels, ()),
        seconds=dict.fromkeys(names, night.seconds["emg1"]),
        events=pd.DataFrame({"channel": names[20:]}),
    )
    assert [c.name for c in shown_channels(many)] == names[20:36]
    assert shown_channels(night) == [c for c in night.recording.channels if c.name in night.seconds]
