"""Texts of ten megabytes in every input: shortened, escaped, and soon processed."""

from __future__ import annotations

import asyncio
import csv
import http.client
import json
import sqlite3
import sys

import pytest
from click.testing import CliRunner

from tests.html_tags import TagCollector
from tests.nightfile.builders import write_night
from tests.recordings import make_recording, write_captures
from tests.trend.builders import evening
from tests.trend.builders import write_night as write_result
from twitchsense.cli.app import main
from twitchsense.live.follower import NightFollower
from twitchsense.live.web import LiveServer
from twitchsense.nightfile.records import Marker
from twitchsense.nightfile.writer import NightFileWriter

EVIL = "=1<script>alert(1)</script>\u202e"
ENDLESS = EVIL + "A" * 10_000_000
#: Nothing that is shown holds more of one text than this.
MOST = 1100


def run(*words):
    done = CliRunner().invoke(main, [str(w) for w in words])
    assert done.exit_code == 0, done.output[-2000:]
    assert len(done.output) < 20_000
    return done


def read_out(folder):
    """Check every file of a folder that a person opens."""
    for path in folder.rglob("*"):
        if path.suffix not in (".csv", ".tsv", ".json", ".html"):
            continue
        text = path.read_text()
        assert "A" * MOST not in text, path.name
        assert len(text) < 6_000_000
        if path.suffix == ".html":
            page = TagCollector()
            page.feed(text)
            assert page.seen.count("script") in (0, 3)
        elif path.suffix != ".json":
            rows = csv.reader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ",")
            assert not [c for row in rows for c in row if c.startswith("=")], path.name


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Make a night whose markers, devices and log of the connection are ten megabytes each."""
    path = write_night(tmp_path_factory.mktemp("endless") / f"{'n' * 230}.night", 20)
    file = NightFileWriter(path)
    file.write([Marker(1_790_000_000_000_000_000, ENDLESS)])
    file.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE device SET name = ?, address = ?, crc = NULL", (ENDLESS, ENDLESS))
        db.execute(
            "INSERT INTO link (time_ns, device, event, detail) VALUES (1, ?, 'lost', ?)",
            (ENDLESS, ENDLESS),
        )
        db.execute(
            "INSERT INTO link (time_ns, device, event, detail) VALUES (2, 'b', 'connected', '')"
        )
    return path


@pytest.mark.slow  # reads and renders texts of ten megabytes
def test_analyze_shortens_long_texts(night, tmp_path):
    run("analyze", night, "--out", tmp_path / "out")
    read_out(tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())
    (note,) = [n for n in facts["notes"] if n.startswith("marker at ")]
    assert "=1<script>" in note
    run("report", tmp_path / "out")
    read_out(tmp_path / "out")


@pytest.mark.parametrize("kind", ["csv", "bids"])
def test_export_writes_no_long_texts(night, tmp_path, kind):
    run("export", night, "--to", kind, "--out", tmp_path / "out")
    read_out(tmp_path)


@pytest.mark.slow
def test_the_live_terminal_shortens_long_texts(night):
    terminal = pytest.importorskip("twitchsense.live.terminal", reason="textual is not installed")

    async def play():
        app = terminal.LiveApp(NightFollower(night), counts=True)
        async with app.run_test(size=(100, 40)) as pilot:
            await app.poll()
            await pilot.press("m")
            app.query_one("#words").value = ENDLESS[:1000]
            await pilot.press("enter")
            return {w.id: str(w.render()) for w in app.query("Static") if w.id}

    file = NightFileWriter(night)
    shown = asyncio.run(play())
    file.close()
    assert "AAAA: connection lost, trying again, b: connected" in shown["link"]
    assert all(len(text) < MOST for text in shown.values())


def test_the_live_browser_view_shortens_long_texts(night):
    follower = NightFollower(night)
    follower.poll()
    server = LiveServer(follower)
    server.start()
    try:
        assert len(json.dumps(follower.state(counts=True))) < 60_000
        link = http.client.HTTPConnection("127.0.0.1", server.port)
        link.request("GET", f"/?token={server.token}")
        answer = link.getresponse()
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        answer.read()
        headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{server.port}"}
        try:
            link.request("POST", f"/marker?token={server.token}", ENDLESS.encode(), headers=headers)
            assert link.getresponse().status == 400
        except ConnectionError:  # refused before it was read to its end
            pass
        link.close()
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "toml", "yaml"])
def test_a_diary_note_of_megabytes_is_shortened(tmp_path, kind):
    """A diary of over 5 MB is none (test_hostile_text); one note may be nearly that."""
    note = EVIL[:-1] + "A" * (100_000 if kind == "csv" else 4_900_000)
    days = [f"{evening(k)}" for k in range(16)]
    if kind == "csv":
        rows = [f"{d},{12 * (k % 2)},{note if k == 3 else ''}" for k, d in enumerate(days)]
        text = "\n".join(["date,alcohol_g,note", *rows])
    elif kind == "toml":
        text = "".join(
            f'[[day]]\ndate = {d}\nalcohol_g = {12 * (k % 2)}\nnote = "{note if k == 3 else ""}"\n'
            for k, d in enumerate(days)
        )
    else:
        pytest.importorskip("yaml")
        text = "".join(
            f'- date: {d}\n  alcohol_g: {12 * (k % 2)}\n  note: "{EVIL[:-1] if k == 3 else ""}"\n'
            for k, d in enumerate(days)
        )  # a parser in Python takes a minute for megabytes
    (tmp_path / f"diary.{kind}").write_text(text)
    for k in range(16):
        write_result(tmp_path / "nights", f"{k}-{'n' * 230}", evening(k))
    run("trend", tmp_path / "nights", "--diary", tmp_path / f"diary.{kind}", "--exposure",
        "alcohol_g", "--out", tmp_path / "weeks")  # fmt: skip
    read_out(tmp_path / "weeks")


def test_a_diary_column_of_megabytes_gives_a_short_error(tmp_path):
    (tmp_path / "diary.csv").write_text(f"date,={'A' * 4_900_000}\n2026-03-01,1\n")
    write_result(tmp_path, "a", evening(0))
    done = CliRunner().invoke(
        main,
        ["trend", str(tmp_path / "a"), "--diary", str(tmp_path / "diary.csv"), "--exposure", "x",
         "--out", str(tmp_path / "weeks")],
    )  # fmt: skip
    assert done.exit_code == 2
    assert len(done.stderr) < MOST


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="names and folders are shorter there")
def test_the_longest_file_name_is_shown_safely(tmp_path):
    emg, acc = write_captures(make_recording(3, gap=False), tmp_path)
    name = f"=1<script>{'é' * 117}.csv"
    assert len(name.encode()) <= 255
    long = emg.rename(tmp_path / name)
    run("analyze", long, acc, "--out", tmp_path / "out")
    read_out(tmp_path / "out")
    assert "=1&lt;script&gt;" in (tmp_path / "out" / "report.html").read_text()
