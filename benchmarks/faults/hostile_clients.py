"""Clients that misuse the live page: they send nothing, too little, too much, or do not read."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections import Counter
from contextlib import suppress

#: Behaviours of the clients, in turn.
KINDS = (
    "silent", "slow head", "stalled body", "reads nothing", "unread stream", "reset", "no http",
    "wrong token", "unknown path", "huge head",
)  # fmt: skip


async def attack(port: int, token: str, cookie: str, count: int, seconds: float) -> Counter[str]:
    """Keep hostile connections open; a client whose connection was closed opens another.

    Parameters
    ----------
    port : int
        Of the live page.
    token, cookie : str
        Those of the legitimate view: the attacker has seen both.
    count : int
        Number of clients.
    seconds : float
        Time until they end.

    Returns
    -------
    Counter of str
        Number of connections of each kind.
    """
    made: Counter[str] = Counter()
    end_s = time.monotonic() + seconds

    async def client(number: int) -> None:
        kind = KINDS[number % len(KINDS)]
        chosen = random.Random(number)
        while time.monotonic() < end_s:
            with suppress(OSError, EOFError, TimeoutError):
                async with asyncio.timeout(max(0.01, end_s - time.monotonic())):
                    made[kind] += 1
                    await _misuse(kind, port, token, cookie)
            await asyncio.sleep(chosen.uniform(0.2, 1.0))

    await asyncio.gather(*(client(number) for number in range(count)))
    return made


async def _misuse(kind: str, port: int, token: str, cookie: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    host = f"Host: 127.0.0.1:{port}\r\n"
    known = f"{host}Cookie: {cookie}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    head = {
        "silent": "",
        "slow head": "",
        "stalled body": f"POST /marker?token={token} HTTP/1.1\r\n{known}Content-Length: 99\r\n\r\n",
        "reads nothing": f"GET /?token={token} HTTP/1.1\r\n{known}\r\n",
        "unread stream": f"GET /news?token={token} HTTP/1.1\r\n{known}\r\n",
        "reset": f"GET /news?token={token} HTTP/1.1\r\n{known}\r\n",
        "no http": "\x16\x03\x01 nonsense\r\n\r\n",
        "wrong token": f"GET /?token=x HTTP/1.1\r\n{host}\r\n",
        "unknown path": f"GET /favicon.ico?token={token} HTTP/1.1\r\n{host}\r\n",
        "huge head": "GET / HTTP/1.1\r\n" + "a: b\r\n" * 100_000,
    }[kind]
    try:
        writer.write(head.encode("latin-1"))
        await writer.drain()
        if kind == "slow head":
            for letter in f"GET /?token={token} HTTP/1.1\r\n":
                writer.write(letter.encode())
                await writer.drain()
                await asyncio.sleep(0.5)
        elif kind in ("reads nothing", "unread stream", "silent", "stalled body"):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(30)
        elif kind == "reset":
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            await reader.read(65536)
    finally:
        writer.transport.abort()
