"""The live page as a browser shows it."""

from __future__ import annotations

import re

import pytest

from tests.nightfile.builders import write_night
from twitchsense.live.follower import NightFollower
from twitchsense.live.web import LiveServer

pytestmark = pytest.mark.slow  # drives a browser


def test_live_page_shows_the_state_and_stores_a_marker(visit, tmp_path):
    follower = NightFollower(write_night(tmp_path / "n.night", 12))
    follower.poll()
    server = LiveServer(follower)
    server.start()
    try:
        seen = visit(server.address)
        page = seen.page
        page.wait_for_selector("html[data-until]")
        assert "packets stored, 0 lost" in page.inner_text("#packets")
        assert page.inner_text("#counts") == ""
        page.fill("#marker-text", "<b>lights out</b>")
        page.click("#marker-form button")
        page.get_by_text(re.compile(r"^stored at \d\d:\d\d:\d\d$")).wait_for()
        assert seen.errors == []
        assert {u.split("?")[0].rpartition("/")[0] for u in seen.network_requests} == {
            f"http://127.0.0.1:{server.port}"
        }
        second = visit(server.address)
        assert "another browser has the view open" in second.page.inner_text("body")
    finally:
        server.stop()
