"""LSL streams of the network as devices: an `Adapter` that finds and opens them.

The library (pylsl) is imported when the first stream is looked for. Its calls that may wait run
in a thread, one at a time; samples are taken from its buffer on the event loop, without waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from bleak import BleakClient
from bleak.exc import BleakError

from twitchsense.acquire.adapter import Adapter, AdapterError, Advertisement, DeviceSelector
from twitchsense.devices.lsl.lsl_description import DTYPES, stream_identity
from twitchsense.devices.lsl.lsl_driver import (
    DATA_UUID,
    DESCRIPTION_UUID,
    OPTIONS_UUID,
    TIMESTAMPS_UUID,
    LslDriver,
    TimestampCheck,
    encode_block,
)
from twitchsense.errors import InputError, MissingExtraError
from twitchsense.text import printable

log = logging.getLogger(__name__)

#: Time (s) in which all streams of a network answer.
RESOLVE_S: Final = 1.0
#: Time (s) in which the timestamps are examined.
TIMESTAMP_CHECK_S: Final = 3.0
#: Time (s) between two looks at the buffer of the library.
_POLL_S: Final = 0.1
#: Time (s) between two estimates of the time correction.
_CORRECTION_S: Final = 5.0
#: Maximum time (s) for the answers of the sender.
_ANSWER_S: Final = 5.0
#: Samples of a block.
_BLOCK_SAMPLES: Final = 1024
#: Samples that the library keeps, in s.
_BUFFER_S: Final = 360
_MAX_LISTED: Final = 10


def load_pylsl() -> Any:
    """Return the module pylsl.

    Returns
    -------
    module

    Raises
    ------
    MissingExtraError
        If it is not installed.
    AdapterError
        If its binary library cannot be loaded.
    """
    try:
        import pylsl
    except ImportError as error:
        raise MissingExtraError("lsl", "the Lab Streaming Layer") from error
    except (RuntimeError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise AdapterError(
            f"the library of LSL cannot be loaded ({reason}); install liblsl from "
            "https://github.com/sccn/liblsl/releases"
        ) from error
    return pylsl


@dataclass(frozen=True, slots=True)
class FoundStream:
    """A stream of the network that could be recorded.

    Attributes
    ----------
    name, type, address : str
        `address` names it for good: ``lsl:ADDRESS``.
    channels : int
    fs : float
        Nominal sampling rate, Hz.
    """

    name: str
    type: str
    address: str
    channels: int
    fs: float


def find_streams() -> list[FoundStream]:
    """Return the streams of the network that have a sampling rate.

    Returns
    -------
    list of FoundStream
        Sorted by name.

    Raises
    ------
    MissingExtraError, AdapterError
        As `load_pylsl`.
    """
    infos = {info.uid(): info for info in load_pylsl().resolve_streams(RESOLVE_S)}
    found = [
        FoundStream(
            str(i.name()), str(i.type()), _address(i), int(i.channel_count()), i.nominal_srate()
        )
        for i in infos.values()
        if i.nominal_srate() > 0
    ]
    return sorted(found, key=lambda stream: (stream.name, stream.address))


class LslAdapter(Adapter):
    """Finds LSL streams, and opens them; see `Adapter`."""

    async def find(self, timeout_s: float, wanted: DeviceSelector) -> Advertisement | None:
        """Return the stream of a source id, a name or a type, in this order of preference.

        Raises
        ------
        InputError
            If several streams match equally well.
        """
        try:
            pylsl = load_pylsl()
        except MissingExtraError as error:
            raise AdapterError(str(error)) from error
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_s
        while True:
            try:
                infos = await asyncio.to_thread(pylsl.resolve_streams, RESOLVE_S)
            except RuntimeError as error:
                raise AdapterError(f"cannot look for LSL streams: {error}") from error
            found = select_stream(infos, wanted.name)
            if found is not None or loop.time() >= end_s:
                return found

    def lock(self, address: str) -> AbstractContextManager[None]:
        """Return an empty lock: a stream may have several receivers."""
        return contextlib.nullcontext()

    def make_client(self, device: Any, on_lost: Callable[[], None]) -> BleakClient:
        """Return a client of the stream, which has the methods of a `BleakClient` in use."""
        client: Any = LslClient(device, on_lost)
        return client  # type: ignore[no-any-return]


def select_stream(infos: list[Any], name: str) -> Advertisement | None:
    """Return the stream that is meant, or None."""
    wanted = name.strip()
    by_uid = {info.uid(): info for info in infos if info.nominal_srate() > 0}
    keys: list[Callable[[Any], str]] = [
        _address, lambda i: str(i.source_id()), lambda i: str(i.name()), lambda i: str(i.type()),
    ]  # fmt: skip
    for key in keys:
        matching = [i for i in by_uid.values() if not wanted or key(i) == wanted]
        if key is _address and wanted:
            # a sender that restarted: what it sent before may still be announced for a while
            matching = sorted(matching, key=lambda i: float(i.created_at()))[-1:]
        if len(matching) > 1:
            listed = ", ".join(sorted(printable(_address(i)) for i in matching)[:_MAX_LISTED])
            raise InputError(
                "--device",
                f"lsl:{printable(wanted)} means {len(matching)} streams",
                f"give the source id of one (lsl:ID): {listed}",
            )
        if matching:
            info = matching[0]
            return Advertisement(_address(info), str(info.name()), None, info, LslDriver())
    return None


def _address(info: Any) -> str:
    """Return what names a stream for good: its source id, or its name and host."""
    return str(info.source_id()) or f"{info.name()}@{info.hostname()}"


class LslClient:
    """Receives one stream; the characteristics are those of `twitchsense.devices.lsl.lsl_driver`.

    Parameters
    ----------
    info : pylsl.StreamInfo
        The stream, as it was found.
    on_lost : callable
        Called when the sender is gone.
    """

    def __init__(self, info: Any, on_lost: Callable[[], None]) -> None:
        uuids = {OPTIONS_UUID, DESCRIPTION_UUID, TIMESTAMPS_UUID, DATA_UUID}
        self.services = SimpleNamespace(
            get_characteristic=lambda uuid: uuid if uuid in uuids else None, characteristics={}
        )
        self._info = info
        self._on_lost = on_lost
        self._inlet: Any = None
        self._description = b""
        self._task: asyncio.Task[None] | None = None
        self._correction_s = math.nan
        self._buffer = np.empty(0)
        #: Blocks that were taken while the timestamps were examined.
        self._blocks: list[bytes] = []

    async def connect(self) -> None:
        """Open the stream."""
        pylsl = load_pylsl()
        # a stream that is lost is found and described again, and its loss is noted
        self._inlet = pylsl.StreamInlet(self._info, max_buflen=_BUFFER_S, recover=False)
        info = await self._call(self._inlet.info, _ANSWER_S)
        self._description = info.as_xml().encode()
        stream_identity(self._description)
        names = {getattr(pylsl, f"cf_{name}"): dtype for name, dtype in DTYPES.items()}
        dtype = names.get(info.channel_format())
        if dtype is None:
            return  # text, which the driver refuses
        self._buffer = np.empty((_BLOCK_SAMPLES, info.channel_count()), dtype)
        await self._call(self._inlet.open_stream, _ANSWER_S)
        with contextlib.suppress(BleakError):
            self._correction_s = await self._call(self._inlet.time_correction, _ANSWER_S)

    async def disconnect(self) -> None:
        """Close the stream."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        # the thread drops the last reference: the library then waits for threads of its own
        inlets, self._inlet = [self._inlet], None
        if inlets[0] is not None:
            await asyncio.to_thread(lambda: inlets.pop().close_stream())

    async def read_gatt_char(self, uuid: str) -> bytearray:
        """Return the description, or the result of examining the timestamps."""
        if uuid == DESCRIPTION_UUID:
            return bytearray(self._description)
        return bytearray((await self._check_timestamps()).to_bytes())

    async def write_gatt_char(self, uuid: str, data: bytes, response: bool = False) -> None:
        """Do nothing: the options are for the decoder."""

    async def start_notify(self, uuid: str, callback: Callable[[Any, bytearray], None]) -> None:
        """Pass on blocks of samples from now on, those of the check of the timestamps first."""

        def notify(block: bytes) -> None:
            callback(None, bytearray(block))

        blocks, self._blocks = self._blocks, []
        for block in blocks:
            notify(block)
        self._task = asyncio.create_task(self._receive(notify))

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of the library in a thread, and translate its errors."""
        try:
            return await asyncio.to_thread(function, *arguments)
        except RuntimeError as error:  # TimeoutError and LostError of pylsl
            raise BleakError(f"the LSL stream does not answer ({error})") from error

    async def _check_timestamps(self) -> TimestampCheck:
        """Receive for some seconds, and examine the timestamps."""
        times_s: list[np.ndarray[Any, Any]] = []
        loop = asyncio.get_running_loop()
        end_s = loop.time() + TIMESTAMP_CHECK_S
        while loop.time() < end_s:
            await asyncio.sleep(_POLL_S)
            try:
                times_s += self._take(self._blocks.append)
            except RuntimeError as error:
                raise BleakError(f"the LSL stream is gone ({error})") from error
        return TimestampCheck.of(np.concatenate(times_s) if times_s else np.empty(0))

    async def _receive(self, notify: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        next_s = loop.time() + _CORRECTION_S
        try:
            while True:
                await asyncio.sleep(_POLL_S)
                self._take(notify)
                if loop.time() >= next_s:
                    next_s = loop.time() + _CORRECTION_S
                    self._update_correction()
        except RuntimeError as error:
            log.info("%s: %s", printable(_address(self._info)), error)
            self._on_lost()
        except Exception:
            log.warning("unexpected error of the LSL library", exc_info=True)
            self._on_lost()

    def _take(self, notify: Callable[[bytes], None]) -> list[np.ndarray[Any, Any]]:
        """Pass on what the library has received; return the timestamps."""
        pylsl = load_pylsl()
        taken: list[np.ndarray[Any, Any]] = []
        while True:
            _, found = self._inlet.pull_chunk(0.0, _BLOCK_SAMPLES, self._buffer)
            if found is None or not len(found):
                return taken
            times_s = np.array(found, np.float64)
            samples = self._buffer[: len(times_s)]
            notify(encode_block(self._correction_s, pylsl.local_clock(), times_s, samples))
            taken.append(times_s)
            if len(times_s) < _BLOCK_SAMPLES:
                return taken

    def _update_correction(self) -> None:
        """Ask for the newest estimate, which the library makes in the background."""
        with contextlib.suppress(RuntimeError):
            self._correction_s = float(self._inlet.time_correction(0.0))
