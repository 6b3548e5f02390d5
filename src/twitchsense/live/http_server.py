"""A small HTTP server on this computer whose connections, times and memory are bounded.

It runs in one thread, whatever the number of connections. Each connection carries one request.
If too many connections wait, the oldest is closed: a browser sends its request at once, so only
a client that keeps its connection open without a request is affected. Admitted requests are
counted separately, so that others cannot displace them.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

log = logging.getLogger(__name__)

ADDRESS: Final = "127.0.0.1"
#: Connections without an admitted request; a further one closes the oldest.
MAX_WAITING: Final = 128
#: Admitted requests that are not answered yet; a further one closes the oldest.
MAX_ADMITTED: Final = 64
#: Streams that are open at the same time; a further one is refused.
MAX_STREAMS: Final = 4
#: Time (s) from the connection to the end of the answer.
EXCHANGE_TIMEOUT_S: Final = 5.0
#: Time (s) after which a client that reads nothing of its stream is disconnected.
STALL_TIMEOUT_S: Final = 5.0
MAX_BODY_BYTES: Final = 4096
_MAX_HEAD_BYTES: Final = 16 * 1024
#: Bytes that wait for a slow reader: in the system, and in this process.
_SYSTEM_BUFFER_BYTES: Final = 256 * 1024
_BUFFER_BYTES: Final = 64 * 1024
#: Connections that are accepted in one step: far fewer than may wait, so that each of them is
#: read before it is the oldest.
_BACKLOG: Final = 32
#: Steps of the event loop from an accepted connection to the first step of `HttpServer._serve`.
_STEPS_OF_ACCEPTING: Final = 4


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a client.

    Attributes
    ----------
    method, path : str
    query : dict of str to list of str
    headers : Message
        Case does not matter.
    body : bytes or None
        None if it has no valid length, or is longer than `MAX_BODY_BYTES`.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: http.client.HTTPMessage
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: a body, or a stream that lasts until the client disconnects."""

    status: HTTPStatus
    content_type: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None


#: Returns None for a request that is admitted, or the answer that rejects it.
Gate = Callable[[Request], Response | None]
#: Answers a request that was admitted.
Handler = Callable[[Request], Awaitable[Response]]


#: Tasks of connections, the oldest first.
_Tasks = dict[asyncio.Task[Any] | None, None]


class HttpServer:
    """Serves requests in a thread of its own.

    Parameters
    ----------
    admit : callable
        See `Gate`; must return at once.
    handle : callable
        See `Handler`.
    port : int
        Port to listen on; 0 selects a free one.
    headers : mapping of str to str
        Headers of every answer.

    Attributes
    ----------
    port : int
        The port that it listens on.

    Raises
    ------
    OSError
        If the port cannot be used.
    """

    def __init__(self, admit: Gate, handle: Handler, port: int, headers: Mapping[str, str]) -> None:
        self._admit = admit
        self._handle = handle
        self._headers = headers
        self._socket = socket.create_server((ADDRESS, port), backlog=_BACKLOG)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SYSTEM_BUFFER_BYTES)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._waiting: _Tasks = {}
        self._admitted: _Tasks = {}
        self._serving: Future[None] = Future()
        self._n_streams = 0

    def start(self) -> None:
        """Start serving.

        Raises
        ------
        OSError
            If the system refuses it.
        """
        self._thread.start()
        self._serving.result()

    def stop(self) -> None:
        """Close all connections and stop serving."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        self._socket.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        # a reset by the client is not worth a report
        self._loop.set_exception_handler(lambda _, context: log.debug("%s", context))
        serve = asyncio.start_server(
            self._serve, sock=self._socket, limit=_MAX_HEAD_BYTES, backlog=_BACKLOG
        )
        try:
            server = self._loop.run_until_complete(serve)
        except BaseException as error:
            self._serving.set_exception(error)
            return
        self._loop.call_soon(self._serving.set_result, None)
        try:
            self._loop.run_forever()
        finally:
            # no more connections; those accepted get as far as `_serve`, which closes them:
            # a task that is cancelled before its first step would leave its socket open
            with suppress(NotImplementedError):  # on Windows
                self._loop.remove_reader(self._socket)
            for _ in range(_STEPS_OF_ACCEPTING):
                self._loop.run_until_complete(asyncio.sleep(0))
            server.close()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            # a marker that is being stored is stored before the caller closes the night
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.run_until_complete(asyncio.sleep(0))  # closes the sockets

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        _add_task(self._waiting, MAX_WAITING)
        writer.transport.set_write_buffer_limits(high=_BUFFER_BYTES)
        try:
            async with asyncio.timeout(EXCHANGE_TIMEOUT_S):
                response = await self._exchange(reader, writer)
                if response.stream is None:
                    await _close_gently(reader, writer)
            if response.stream is not None:
                _remove_task(self._admitted)
                await self._send_stream(response.stream, writer)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            log.debug("a connection was closed", exc_info=True)
        except Exception:
            log.exception("the live page failed")
        finally:
            _remove_task(self._waiting)
            _remove_task(self._admitted)
            writer.transport.abort()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Response:
        """Read a request and send the answer, or the head of a stream."""
        try:
            request = await _read_request(reader)
        except (ValueError, http.client.HTTPException):
            response = Response(HTTPStatus.BAD_REQUEST, "text/plain", b"no valid request")
        else:
            rejected = self._admit(request)
            if rejected is None:
                _remove_task(self._waiting)
                _add_task(self._admitted, MAX_ADMITTED)
                response = await self._handle(request)
            else:
                response = rejected
        if response.stream is not None and self._n_streams >= MAX_STREAMS:
            response = Response(
                HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"too many views are open"
            )
        headers = {"Content-Type": response.content_type, **self._headers, **response.headers}
        if response.stream is None:
            headers["Content-Length"] = str(len(response.body))
        lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        writer.write(response.body)
        await writer.drain()
        return response

    async def _send_stream(
        self, stream: AsyncIterator[bytes], writer: asyncio.StreamWriter
    ) -> None:
        self._n_streams += 1
        try:
            async for part in stream:
                writer.write(part)
                async with asyncio.timeout(STALL_TIMEOUT_S):
                    await writer.drain()
        finally:
            self._n_streams -= 1
            await stream.aclose()  # type: ignore[attr-defined]


def _add_task(tasks: _Tasks, limit: int) -> None:
    """Add the current task; cancel the oldest if there are too many."""
    tasks[asyncio.current_task()] = None
    if len(tasks) > limit:
        oldest = next(iter(tasks))
        del tasks[oldest]
        if oldest is not None:
            oldest.cancel()


def _remove_task(tasks: _Tasks) -> None:
    tasks.pop(asyncio.current_task(), None)


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    method, target, version = first.decode("latin-1").split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    headers = http.client.parse_headers(io.BytesIO(rest))
    parts = urlsplit(target)
    length = headers.get("Content-Length") or "0"
    body = None
    if length.isdecimal() and len(length) < 9 and "Transfer-Encoding" not in headers:
        size = int(length)
        body = await reader.readexactly(size) if size <= MAX_BODY_BYTES else None
    return Request(method, parts.path, parse_qs(parts.query), headers, body)


async def _close_gently(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait until the client has read the answer and closes: a reset could cost it the answer."""
    with suppress(OSError):
        writer.write_eof()
        while await reader.read(_MAX_HEAD_BYTES):
            pass


def header(request: Request, name: str) -> str | None:
    """Return a header of a request, or None."""
    value: Any = request.headers.get(name)
    return None if value is None else str(value)
