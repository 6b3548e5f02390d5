"""Short form of ``benchmarks.faults.live_page``: hostile clients, and a view that stays usable."""

from __future__ import annotations

import asyncio
import threading

import pytest

from benchmarks.faults.hostile_clients import KINDS, attack
from tests.live.test_web import ask, enter, markers, open_socket
from twitchsense.live.follower import NightFollower
from twitchsense.live.web import LiveServer


@pytest.fixture
def server(night):
    follower = NightFollower(night)
    follower.poll()
    live = LiveServer(follower)
    live.start()
    yield live
    live.stop()


def test_a_view_stays_usable_among_hostile_connections(server, capfd):
    cookie, _ = enter(server)
    n_threads = threading.active_count()
    made = {}

    def run():
        made.update(asyncio.run(attack(server.port, server.token, cookie, 150, 3.0)))

    news = f"GET /news?token={server.token}"
    with open_socket(server, news, Cookie=cookie) as view:
        assert view.recv(65536)
        attacker = threading.Thread(target=run)
        attacker.start()
        ours = f"http://127.0.0.1:{server.port}"
        path = f"/marker?token={server.token}"
        for text in (b"a", b"b", b"c"):
            post = {"method": "POST", "body": text, "Cookie": cookie, "Origin": ours}
            assert ask(server, path, **post)[0].status == 200
            assert view.recv(65536)
        attacker.join()
        assert view.recv(65536)
    assert set(made) == set(KINDS)
    assert markers(server) == ["a", "b", "c"]
    assert threading.active_count() <= n_threads + 8
    assert "Traceback" not in capfd.readouterr().err
