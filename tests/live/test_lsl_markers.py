"""Detected events reach receivers of the Lab Streaming Layer at their time."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.acquire.lsl_network import require_lsl
from tests.nightfile.builders import T0
from twitchsense.cli.event_printer import EventPrinter
from twitchsense.live.event_updates import EventUpdate
from twitchsense.live.lsl_markers import NAME, MarkerOutlet

NS = 1_000_000_000


def update(kind="twitch", *, onset_s=5.0, final=False, withdrawn=False):
    onset_ns = T0 + round(onset_s * NS)
    candidate = SimpleNamespace(
        onset_ns=onset_ns, offset_ns=onset_ns + 80_000_000, kind=kind, channel="emg1", leg="left"
    )
    return EventUpdate(7, candidate, final, withdrawn)


def test_the_events_are_a_stream_of_markers():
    pylsl = require_lsl()
    outlet = MarkerOutlet(lambda: T0 + 6 * NS)
    (found,) = pylsl.resolve_byprop("name", NAME, 1, 5.0)
    assert (found.type(), found.channel_count(), found.nominal_srate()) == ("Markers", 1, 0.0)
    inlet = pylsl.StreamInlet(found, recover=False)
    inlet.open_stream(5.0)
    at_s = pylsl.local_clock()
    outlet.push("a", update())
    outlet.push("a", update())  # unchanged
    outlet.push("a", update("jerk"), 250_000_000)
    outlet.push("a", update("jerk", final=True), 250_000_000)
    outlet.push("b", update(onset_s=-900.0))  # long ago: of a view that was opened late
    outlet.push("c", update())
    outlet.push("c", update(final=True, withdrawn=True))
    texts, times_s = zip(*(inlet.pull_sample(2.0) for _ in range(5)), strict=True)
    events = [json.loads(text) for (text,) in texts]
    assert [(e["number"], e["event"], e["state"]) for e in events] == [
        (1, "twitch", "provisional"), (1, "jerk", "provisional"), (1, "jerk", "final"),
        (2, "twitch", "provisional"), (2, "twitch", "withdrawn"),
    ]  # fmt: skip
    assert events[0] == {
        "event": "twitch", "state": "provisional", "number": 1, "duration_s": 0.08,
        "onset_utc": events[0]["onset_utc"], "channel": "emg1", "leg": "left",
    }  # fmt: skip
    assert times_s[0] == pytest.approx(at_s - 1.0, abs=0.5)
    assert times_s[1] - times_s[0] == pytest.approx(0.25, abs=0.1)
    assert inlet.pull_sample(0.0) == (None, None)


def test_movements_are_passed_on_without_being_printed(capsys):
    rows = []
    printer = EventPrinter(lambda *row: rows.append(row), is_silent=True)
    stream = SimpleNamespace(drift_ns=lambda at_ns: 3)
    row = update()
    printer.pass_on(row, ("dev", 0, 7), stream)
    assert rows == [(("dev", 0, 7), row, 3)]
    assert capsys.readouterr() == ("", "")
