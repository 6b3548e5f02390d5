"""Who is let in to the live page, and who is not."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3

import pytest

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


def ask(server, path, *, method="GET", body=None, **headers):
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    try:
        link.request(method, path, body=body, headers=named)
        answer = link.getresponse()
        stream = answer.getheader("Content-Type", "").startswith("text/event-stream")
        return answer, answer.readline() if stream else answer.read()
    finally:
        link.close()


def enter(server):
    answer, page = ask(server, f"/?token={server.token}")
    assert answer.status == 200
    cookie = answer.getheader("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    return cookie.split(";")[0], page.decode()


def test_the_page_and_its_stream_of_states_are_served(server):
    cookie, page = enter(server)
    assert "Recording" in page
    assert "connect-src 'self'" in page
    answer, line = ask(server, f"/news?token={server.token}", Cookie=cookie)
    assert answer.status == 200
    state = json.loads(line.removeprefix(b"data: "))
    assert state["frames"] == server.follower.frames
    assert state["counts"] is None  # quiet unless asked


def test_the_server_listens_on_this_computer_only(server):
    # a server on all addresses would answer on every loopback address
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", server.port), timeout=2)
    assert server.address.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/news", "/news?token=wrong"])
def test_a_wrong_token_is_rejected(server, path):
    answer, body = ask(server, path)
    assert answer.status == 403
    assert b"frames" not in body
    assert server.token.encode() not in body


def test_a_second_browser_is_rejected_and_the_first_may_reload(server):
    cookie, _ = enter(server)
    path = f"/?token={server.token}"
    assert ask(server, path)[0].status == 403
    assert ask(server, path, Cookie="twitchsense=guess")[0].status == 403
    assert ask(server, path, Cookie=cookie)[0].status == 200
    assert ask(server, f"/news?token={server.token}")[0].status == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "192.168.0.7:{port}"])
def test_a_foreign_host_is_rejected(server, host):
    # a name that was made to point here (DNS rebinding) still names itself
    answer, _ = ask(server, f"/?token={server.token}", Host=host.format(port=server.port))
    assert answer.status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_origin_is_rejected(server, origin):
    cookie, _ = enter(server)
    for method, path in (("GET", "/news"), ("POST", "/marker")):
        path += f"?token={server.token}"
        answer, _ = ask(server, path, method=method, body=b"x", Origin=origin, Cookie=cookie)
        assert answer.status == 403


def markers(server):
    with sqlite3.connect(server.follower.path) as db:
        return [text for (text,) in db.execute("SELECT text FROM marker ORDER BY id")]


def test_a_marker_is_stored_only_from_the_page(server):
    cookie, _ = enter(server)
    path, ours = f"/marker?token={server.token}", f"http://127.0.0.1:{server.port}"
    post = {"method": "POST", "Cookie": cookie}
    assert ask(server, path, body="woke up ö".encode(), Origin=ours, **post)[0].status == 200
    assert ask(server, path, body=b"no origin", **post)[0].status == 403
    assert ask(server, path, method="POST", body=b"no cookie", Origin=ours)[0].status == 403
    assert ask(server, path, body=b"x" * 5000, Origin=ours, **post)[0].status == 400
    assert ask(server, "/elsewhere?" + path, body=b"x", Origin=ours, **post)[0].status == 403
    assert markers(server) == ["woke up ö"]


def test_other_paths_are_not_found(server):
    cookie, _ = enter(server)
    assert ask(server, f"/../etc/passwd?token={server.token}", Cookie=cookie)[0].status == 404
