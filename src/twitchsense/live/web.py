"""The live view in one browser of this computer.

The server listens on 127.0.0.1 only. Its address contains a token. The browser that opens the
page receives a cookie; as long as it has the view open, only that browser is served. The headers
Host and Origin are checked, so that no other web page can read the night or add markers to it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import math
import secrets
import threading
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.live.follower import NightFollower
from twitchsense.live.http_server import ADDRESS, HttpServer, Request, Response, header
from twitchsense.report import palette
from twitchsense.report.page import load_scripts, make_environment, script_hash

#: Time (s) between two states of a stream.
PERIOD_S: Final = 0.2
#: Time (s) without a stream after which a view counts as closed, and another browser may open it.
ABANDONED_S: Final = 10.0
_HEADERS: Final = {
    "Server": "twitchsense",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


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
        self._n_streams = 0
        self._last_use_s = -math.inf
        self._lock = threading.Lock()
        self._state_line = b""
        self._state_time_s = -math.inf
        self.stopped = threading.Event()
        script = load_scripts("plot.js", "live.js")
        self.page = (
            make_environment()
            .get_template("live.html.j2")
            .render(script=script, script_hash=script_hash(script), palette=palette)
        )
        try:
            self._http = HttpServer(self._admit, self._answer, port, _HEADERS)
        except OSError as error:
            raise InputError(f"port {port}", f"cannot be used ({error})", "give another") from error
        self.port = self._http.port
        #: With the port: a browser sends the cookies of one port to every other.
        self._cookie = f"twitchsense-{self.port}"
        self.address = f"http://{ADDRESS}:{self.port}/?token={self.token}"

    def start(self) -> None:
        """Start serving in a thread."""
        self._http.start()

    def stop(self) -> None:
        """Stop serving."""
        self.stopped.set()
        self._http.stop()

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

    def authorize(self, token: str, cookie: str | None, *, opens: bool = False) -> str | None:
        """Return the session of the browser that may use the server, or None.

        Parameters
        ----------
        token : str
            Token in the address of the request.
        cookie : str or None
            Session of the browser.
        opens : bool
            Whether the request may open a session: one for the page, if no browser has the
            view open.

        Returns
        -------
        str or None
            Session id, or None if the request must be rejected.
        """
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return None
        with self._lock:
            now_s = time.monotonic()
            known = (cookie or "").encode(), (self._session or "").encode()
            if self._session is not None and hmac.compare_digest(*known):
                self._last_use_s = now_s
                return self._session
            abandoned = not self._n_streams and now_s - self._last_use_s > ABANDONED_S
            if not opens or not abandoned:
                return None
            self._session, self._last_use_s = secrets.token_urlsafe(24), now_s
            return self._session

    def _admit(self, request: Request) -> Response | None:
        """Return None if a request may be answered, or the answer that rejects it."""
        origin = header(request, "Origin")
        if not self.is_allowed_origin(header(request, "Host"), origin):
            return _reject(HTTPStatus.FORBIDDEN, "this page can be opened on this computer only")
        if request.method == "POST" and origin is None:
            return _reject(HTTPStatus.FORBIDDEN, "markers are accepted from the page only")
        token = request.query.get("token", [""])[0]
        cookie = find_cookie(header(request, "Cookie") or "", self._cookie)
        opens = (request.method, request.path) == ("GET", "/")
        if self.authorize(token, cookie, opens=opens) is None:
            return _reject(
                HTTPStatus.FORBIDDEN,
                "the address is not the one that was printed, or another browser has the view "
                f"open: close it there, and open the address again after {ABANDONED_S:.0f} s",
            )
        return None

    async def _answer(self, request: Request) -> Response:
        """Answer a request that was admitted: it is of the browser with the session."""
        session = self._session or ""
        route = (request.method, request.path)
        if route == ("GET", "/"):
            cookie = f"{self._cookie}={session}; HttpOnly; SameSite=Strict; Path=/"
            page = self.page.encode()
            return Response(HTTPStatus.OK, "text/html; charset=utf-8", page, {"Set-Cookie": cookie})
        if route == ("GET", "/news"):
            return Response(HTTPStatus.OK, "text/event-stream", stream=self._states(session))
        if route == ("POST", "/marker") and request.body is not None:
            return await self._store_marker(request.body)
        if request.method == "POST":
            return _reject(HTTPStatus.BAD_REQUEST, "no marker")
        return _reject(HTTPStatus.NOT_FOUND, "no such page")

    async def _store_marker(self, body: bytes) -> Response:
        try:
            text = body.decode("utf-8", "replace")
            await asyncio.to_thread(self.follower.add_marker, text)
        except TwitchsenseError as error:
            return _reject(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        return Response(HTTPStatus.OK, "text/plain", b"stored")

    async def _states(self, session: str) -> AsyncIterator[bytes]:
        """Yield the state five times a second, as long as the session is valid."""
        with self._lock:
            self._n_streams += 1
        try:
            while not self.stopped.is_set() and session == self._session:
                yield await self._state()
                await asyncio.sleep(PERIOD_S)
        finally:
            with self._lock:
                self._n_streams -= 1
                self._last_use_s = time.monotonic()

    async def _state(self) -> bytes:
        """Return the state as a message of the stream; made once for all streams."""
        if time.monotonic() - self._state_time_s > PERIOD_S / 2:
            self._state_time_s = time.monotonic()
            state = await asyncio.to_thread(self.follower.state, counts=self.counts)
            self._state_line = f"data: {json.dumps(state)}\n\n".encode()
        return self._state_line


def find_cookie(cookies: str, name: str) -> str | None:
    """Return the value of a cookie; None if the header does not have it.

    Parameters
    ----------
    cookies : str
        The header Cookie. Other programs on this computer may have put anything into it.
    name : str

    Returns
    -------
    str or None
    """
    for pair in cookies.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value
    return None


def _reject(status: HTTPStatus, why: str) -> Response:
    return Response(status, "text/plain; charset=utf-8", why.encode())
