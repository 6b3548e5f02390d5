"""Who is let in to the live page, and who is not."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import socket
import sqlite3
import struct
import threading
import time
from contextlib import suppress

import pytest

from benchmarks.faults.hostile_clients import KINDS, attack
from twitchsense.live import http_server, web
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


def ask_again(server, path, **request):
    """Ask until there is an answer: a client in this process may wait long for its turn to send."""
    for _ in range(10):
        with suppress(ConnectionError, http.client.RemoteDisconnected):
            return ask(server, path, **request)
    raise AssertionError("all attempts were closed")


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


def test_a_marker_that_is_being_stored_is_stored_before_the_server_has_stopped(server, monkeypatch):
    begun, stored = threading.Event(), threading.Event()

    def add_marker(text):
        begun.set()
        time.sleep(0.1)
        stored.set()

    monkeypatch.setattr(server.follower, "add_marker", add_marker)
    cookie, _ = enter(server)
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    origin = f"http://127.0.0.1:{server.port}"
    headers = {"Cookie": cookie, "Origin": origin}
    link.request("POST", f"/marker?token={server.token}", body="now", headers=headers)
    assert begun.wait(30)
    server.stop()
    assert stored.is_set()
    link.close()


def test_other_paths_are_not_found(server):
    cookie, _ = enter(server)
    assert ask(server, f"/../etc/passwd?token={server.token}", Cookie=cookie)[0].status == 404


def test_a_request_of_another_path_does_not_take_the_view(server):
    # a client without cookies, such as a link checker, locked the browser out for good
    assert ask(server, f"/favicon.ico?token={server.token}")[0].status == 403
    assert ask(server, f"/news?token={server.token}")[0].status == 403
    enter(server)


def test_views_of_two_nights_in_one_browser_do_not_disturb_each_other(server):
    other = LiveServer(server.follower)
    other.start()
    try:
        # a browser sends the cookies of one port to every other, and those of other programs
        first, second = enter(server)[0], enter(other)[0]
        both = f'{first}; {{"other": "program"}}; {second}'
        for live in (server, other):
            assert ask(live, f"/?token={live.token}", Cookie=both)[0].status == 200
            assert ask(live, f"/news?token={live.token}", Cookie=both)[0].status == 200
    finally:
        other.stop()


def test_a_view_that_was_closed_can_be_opened_in_another_browser(server, monkeypatch):
    path = f"/?token={server.token}"
    first, _ = enter(server)
    assert ask(server, path)[0].status == 403
    monkeypatch.setattr(web, "ABANDONED_S", 0.0)
    with open_socket(server, f"GET /news?token={server.token}", Cookie=first) as watching:
        assert watching.recv(1)
        assert ask(server, path)[0].status == 403  # while the first browser has it open
    deadline = time.monotonic() + 20
    while (answer := ask(server, path)[0]).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = answer.getheader("Set-Cookie").split(";")[0]
    assert ask(server, path, Cookie=second)[0].status == 200
    news = f"/news?token={server.token}"
    assert ask(server, news, Cookie=first)[0].status == 403


def open_socket(server, first_line, **headers):
    """Send a request over a new connection, and leave it open."""
    link = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    lines = [f"{first_line} HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return link


def is_closed(link):
    """Return whether the server has closed a connection, with or without an answer."""
    try:
        while link.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.slow
def test_connections_that_send_nothing_are_closed_and_others_are_served(server):
    n_threads = threading.active_count()
    idle = [socket.create_connection(("127.0.0.1", server.port), 20) for _ in range(200)]
    cookie, _ = enter(server)
    answer, _ = ask(server, f"/news?token={server.token}", Cookie=cookie)
    assert answer.status == 200
    assert threading.active_count() <= n_threads + 8  # not one for each connection
    # the oldest make room at once; the last are closed after a time
    surplus = len(idle) - http_server.MAX_WAITING
    assert all(is_closed(link) for link in idle[: surplus // 2])
    for link in idle:
        link.close()


@pytest.mark.parametrize("what", ["body", "head"])
def test_a_stalled_request_is_closed_after_a_time(server, monkeypatch, what):
    monkeypatch.setattr(http_server, "EXCHANGE_TIMEOUT_S", 0.2)
    cookie, _ = enter(server)
    if what == "head":
        link = socket.create_connection(("127.0.0.1", server.port), 20)
        link.sendall(b"GET / HT")
    else:
        ours = f"http://127.0.0.1:{server.port}"
        line = f"POST /marker?token={server.token}"
        link = open_socket(server, line, Cookie=cookie, Origin=ours, Content_Length=100)
    with link:
        assert is_closed(link)
    assert markers(server) == []


def test_a_reader_that_reads_nothing_is_closed_and_streams_are_few(server, monkeypatch):
    monkeypatch.setattr(http_server, "STALL_TIMEOUT_S", 0.1)
    monkeypatch.setattr(web, "PERIOD_S", 0.0)
    cookie, _ = enter(server)
    line = f"GET /news?token={server.token}"
    links = [open_socket(server, line, Cookie=cookie) for _ in range(http_server.MAX_STREAMS)]
    heads = [link.recv(20) for link in links]
    assert all(b"200" in head for head in heads)
    refused, _ = ask(server, line[4:], Cookie=cookie)
    assert refused.status == 503
    deadline = time.monotonic() + 60
    while ask(server, line[4:], Cookie=cookie)[0].status != 200:  # one was closed
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for link in links:
        link.close()


def test_connections_that_are_reset_are_not_reported(server, capfd):
    cookie, _ = enter(server)
    for k in range(50):
        line = f"GET /{'news' if k % 2 else ''}?token={server.token}"
        link = open_socket(server, line, Cookie=cookie)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()  # sends a reset
    enough, _ = ask(server, f"/?token={server.token}", Cookie=cookie)
    assert enough.status == 200
    assert capfd.readouterr().err == ""


def test_a_server_that_cannot_start_says_so(monkeypatch):
    async def fail(*_arguments, **_options):
        raise OSError("no more files")

    monkeypatch.setattr(asyncio, "start_server", fail)
    server = http_server.HttpServer(lambda _: None, None, 0, {})
    with pytest.raises(OSError, match="no more files"):
        server.start()
    server.stop()


def test_connections_that_were_just_accepted_are_closed_at_the_end():
    async def handle(request):
        raise AssertionError("no request was sent")

    for _ in range(30):
        server = http_server.HttpServer(lambda request: None, handle, 0, {})
        server.start()
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
        server.stop()
        for client in clients:
            client.close()
    gc.collect()  # a socket that is still open is a warning, and fails the test


@pytest.mark.parametrize(
    "request_bytes",
    [b"\r\n\r\n", b"GET //[ HTTP/1.1\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"\xff\x00 \x16\r\n\r\n",
     b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n"],
)  # fmt: skip
def test_what_is_no_http_is_refused(server, request_bytes):
    with socket.create_connection(("127.0.0.1", server.port), 20) as link:
        link.sendall(request_bytes)
        assert link.recv(20).startswith(b"HTTP/1.1 4")
    enter(server)


@pytest.mark.slow
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
            assert ask_again(server, path, **post)[0].status == 200
            assert view.recv(65536)
        attacker.join()
        assert view.recv(65536)
    assert set(made) == set(KINDS)
    assert markers(server) == ["a", "b", "c"]
    assert threading.active_count() <= n_threads + 8
    assert "Traceback" not in capfd.readouterr().err
