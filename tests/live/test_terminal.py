"""The live view in a terminal."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main
from twitchsense.live.follower import NightFollower
from twitchsense.nightfile.writer import NightFileWriter
from twitchsense.text import printable

terminal = pytest.importorskip("twitchsense.live.terminal", reason="textual is not installed")


def run(path, keys, *, counts=False):
    """Press keys; return what stands on the screen."""

    async def play():
        app = terminal.LiveApp(NightFollower(path), counts=counts)
        async with app.run_test(size=(100, 40)) as pilot:
            await app.poll()
            await pilot.press(*keys)
            await app.poll()
            shown = {w.id: str(w.render()) for w in app.query("Static") if w.id}
            waveforms = len(app.query(".waveform"))
        return shown, waveforms

    return asyncio.run(play())


def markers(path):
    with sqlite3.connect(path) as db:
        return [text for (text,) in db.execute("SELECT text FROM marker ORDER BY id")]


def test_waveforms_status_and_losses_are_shown_but_no_counts(night):
    shown, waveforms = run(night, [])
    assert waveforms == 3
    assert "packets stored, 0 lost" in shown["stored"]
    assert "emg1_left" in shown["name0"]
    assert "twitch: " not in shown["events"]
    assert "none yet" not in shown["events"]


def test_bars_of_rest_are_low_and_gaps_are_dots():
    drawn = terminal.draw_bars([None, 0.0, 1.0, 8.0, 24.0], 24.0, 5).split("\n")
    assert drawn == ["    █", "    █", "·▁▁██"]
    assert terminal.draw_bars([1.0, 24.0, 3.0], 24.0, 1) == "█\n█\n█"


def test_the_key_c_shows_the_counts(night):
    shown, _ = run(night, ["c"])
    assert "none yet" in shown["events"] or ": " in shown["events"]


def test_keys_store_markers(night):
    shown, _ = run(night, ["l", "m", *"up", "enter"])
    assert markers(night) == ["lights out", "up"]
    assert "marker stored: up" in shown["marked"]


def test_escape_closes_the_marker_field(night):
    run(night, ["m", *"oops", "escape"])
    assert markers(night) == []


@pytest.mark.parametrize("text", ["[bold red]x[/]", "[@click=app.quit]up[/]", "\x1b[2Jx\u202egnp"])
def test_a_marker_is_shown_as_text(night, text):
    async def play():
        app = terminal.LiveApp(NightFollower(night))
        async with app.run_test(size=(100, 40)) as pilot:
            await app.poll()
            await pilot.press("m")
            app.query_one("#words").value = text
            await pilot.press("enter")
            return "\n".join(
                "".join(s.text for s in line) for line in app.screen._compositor.render_strips()
            )

    shown = " ".join("".join(asyncio.run(play())).split())
    (stored,) = markers(night)
    assert stored == printable(text).strip()
    assert f"marker stored: {stored}" in shown
    assert shown.isprintable()


def test_texts_of_a_night_file_are_not_interpreted(night):
    with sqlite3.connect(night) as db:
        db.execute(
            "INSERT INTO link (time_ns, device, event, detail) VALUES (1, ?, 'connected', '')",
            ("[/]\x1b[2J\u202e",),
        )
        db.execute(
            "INSERT INTO link (time_ns, device, event, detail) VALUES (2, 'y', 'lost', '[b]\x1b')"
        )
    recorder = NightFileWriter(night)  # else the link would say that it is over
    shown, _ = run(night, [])
    recorder.close()
    assert "[2J : connected" in shown["link"]
    assert shown["link"].isprintable()


def test_a_missing_file_is_reported_with_its_cure(tmp_path):
    done = CliRunner().invoke(main, ["live", str(tmp_path / "none.night")])
    assert done.exit_code == 2
    assert "is not a file" in done.output
