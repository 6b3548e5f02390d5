"""The live view in one browser of this computer.

The server listens on 127.0.0.1 only. Its address contains a token. The first browser that opens
it receives a cookie; from then on only that browser is served. The headers Host and Origin are
checked, so that no other web page can read the night or add markers to it.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.live.follower import NightFollower
from twitchsense.report import palette
from twitchsense.report.page import load_scripts, make_environment, script_hash

ADDRESS: Final = "127.0.0.1"
_PERIOD_S: Final = 0.2
_COOKIE: Final = "twitchsense"
_MAX_BODY_BYTES: Final = 4096
#: Time (s) after which a browser that reads nothing is disconnected.
_TIMEOUT_S: Final = 20.0


class LiveServer:
    """HTTP server of the live view.

    Parameters
    ----------
    follower : NightFollower
        Polled by the caller; the server only reads its state.
    port : int
        Port to listen on; 0 selects a free one.
    counts : bool
        Whether to show the number of events of each kind.

    Attributes
    ----------
    address : str
        Address to open, with the token.
    """

    def __init__(self, follower: NightFollower, port: int = 0, *, counts: bool = False) -> None:
        self.follower = follower
        self.counts = counts
        self.token = secrets.token_urlsafe(24)
        self._session: str | None = None
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        script = load_scripts("plot.js", "live.js")
        self.page = (
            make_environment()
            .get_template("live.html.j2")
            .render(script=script, script_hash=script_hash(script), palette=palette)
        )
        try:
            self._http = ThreadingHTTPServer((ADDRESS, port), _make_handler(self))
        except OSError as error:
            raise InputError(f"port {port}", f"cannot be used ({error})", "give another") from error
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.address = f"http://{ADDRESS}:{self.port}/?token={self.token}"

    def start(self) -> None:
        """Start serving in a thread."""
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()

    def is_allowed_origin(self, host: str | None, origin: str | None) -> bool:
        """Return whether a request is addressed to this server and comes from its own page.

        Parameters
        ----------
        host, origin : str or None
            Headers of the request; without Origin it does not come from a page.

        Returns
        -------
        bool
        """
        hosts = {f"{name}:{self.port}" for name in (ADDRESS, "localhost")}
        return host in hosts and (origin is None or origin in {f"http://{h}" for h in hosts})

    def authorize(self, token: str, cookie: str | None) -> str | None:
        """Return the session of the browser that may use the server, or None.

        Parameters
        ----------
        token : str
            Token in the address of the request.
        cookie : str or None
            Session of the browser; the first request with the token opens one.

        Returns
        -------
        str or None
            Session id, or None if the request must be rejected.
        """
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return None
        with self._lock:
            if self._session is None:
                self._session = secrets.token_urlsafe(24)
                return self._session
            known = cookie is not None and hmac.compare_digest(
                cookie.encode(), self._session.encode()
            )
            return self._session if known else None


def _make_handler(server: LiveServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        live = server

    return Handler


class _Handler(BaseHTTPRequestHandler):
    """Serves the page, its stream of states, and stores markers."""

    live: LiveServer
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_S
    server_version = "twitchsense"
    sys_version = ""

    def do_GET(self) -> None:
        """Serve the page or the stream of states."""
        session = self._session()
        path = urlsplit(self.path).path
        if session is None:
            return
        if path == "/":
            self._send_page(session)
        elif path == "/news":
            self._stream_states()
        else:
            self._reject(HTTPStatus.NOT_FOUND, "no such page")

    def do_POST(self) -> None:
        """Store a marker."""
        self.close_connection = True
        if self.headers.get("Origin") is None:
            self._reject(HTTPStatus.FORBIDDEN, "markers are accepted from the page only")
            return
        if self._session() is None:
            return
        try:
            size = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            size = -1
        if urlsplit(self.path).path != "/marker" or not 0 <= size <= _MAX_BODY_BYTES:
            self._reject(HTTPStatus.BAD_REQUEST, "no marker")
            return
        text = self.rfile.read(size).decode("utf-8", "replace")
        try:
            self.live.follower.add_marker(text)
        except TwitchsenseError as error:
            self._reject(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
            return
        self._send(HTTPStatus.OK, "text/plain", b"stored")

    def _session(self) -> str | None:
        """Return the session of the request, or answer with an error and return None."""
        if not self.live.is_allowed_origin(self.headers.get("Host"), self.headers.get("Origin")):
            self._reject(HTTPStatus.FORBIDDEN, "this page can be opened on this computer only")
            return None
        token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get(_COOKIE)
        except CookieError:
            cookie = None
        session = self.live.authorize(token, None if cookie is None else cookie.value)
        if session is None:
            self._reject(
                HTTPStatus.FORBIDDEN,
                "the address is not the one that was printed, or another browser has it open",
            )
        return session

    def _send_page(self, session: str) -> None:
        extra = {"Set-Cookie": f"{_COOKIE}={session}; HttpOnly; SameSite=Strict; Path=/"}
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.live.page.encode(), extra)

    def _stream_states(self) -> None:
        """Send the state five times a second until the browser disconnects."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        self._send_headers({"Content-Type": "text/event-stream"})
        try:
            while not self.live.stopped.is_set():
                state = self.live.follower.state(counts=self.live.counts)
                self.wfile.write(f"data: {json.dumps(state)}\n\n".encode())
                self.wfile.flush()
                time.sleep(_PERIOD_S)
        except OSError:  # the browser disconnected
            return

    def _send(
        self, status: HTTPStatus, kind: str, body: bytes, extra: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self._send_headers(
            {"Content-Type": kind, "Content-Length": str(len(body)), **(extra or {})}
        )
        self.wfile.write(body)

    def _reject(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True
        self._send(status, "text/plain; charset=utf-8", why.encode())

    def _send_headers(self, headers: dict[str, str]) -> None:
        safe = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        for name, value in {**safe, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the address contains the token."""
