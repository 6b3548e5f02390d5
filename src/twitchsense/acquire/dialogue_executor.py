"""Executes the dialogues of drivers over a connection."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from twitchsense.acquire.connection import Connection, DeviceConnectionError, FailureReason
from twitchsense.devices.contract import Message
from twitchsense.devices.dialogue import Expect, Read, Steps, Subscribe, Write

#: Notifications that wait for a step that expects them. The oldest give way.
_MAX_ANSWERS: Final = 1000


class DialogueExecutor:
    """Executes the steps of a driver over one connection.

    Parameters
    ----------
    connection : Connection
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answers: deque[Message] = deque(maxlen=_MAX_ANSWERS)
        self._arrived = asyncio.Event()
        self._is_running = False

    async def run(self, steps: Steps) -> None:
        """Execute a dialogue.

        Parameters
        ----------
        steps : generator
            See `twitchsense.devices.dialogue`.

        Raises
        ------
        DeviceConnectionError
            If the connection ends, the device lacks a characteristic, or does not answer.
        """
        self._is_running = True
        try:
            value: bytes | None = None
            while True:
                try:
                    step = steps.send(value)
                except StopIteration:
                    return
                value = await self._execute(step)
        finally:
            self._is_running = False
            self._answers.clear()
            steps.close()

    async def _execute(self, step: Read | Write | Subscribe | Expect) -> bytes | None:
        connection = self._connection
        match step:
            case Write(uuid, data, with_response):
                self._require(uuid)
                self._answers.clear()
                await connection.write(uuid, data, with_response=with_response)
            case Read(uuid, optional):
                if optional:
                    return await connection.read_optional(uuid) if connection.has(uuid) else None
                self._require(uuid)
                return await connection.read(uuid)
            case Subscribe(uuid, optional):
                if not optional:
                    self._require(uuid)
                if connection.has(uuid):
                    await connection.subscribe(uuid, self._on_notification)
            case Expect():
                return await self._expect(step)
        return None

    def _require(self, uuid: str) -> None:
        if not self._connection.has(uuid):
            raise DeviceConnectionError(
                FailureReason.FOREIGN,
                f"the device has no characteristic {uuid}; is it of another kind?",
            )

    def _on_notification(self, message: Message) -> None:
        if self._is_running:
            self._answers.append(message)
            self._arrived.set()

    async def _expect(self, step: Expect) -> bytes | None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + step.timeout_s
        while True:
            for message in self._answers:
                if message.characteristic == step.characteristic and message.data.startswith(
                    step.prefix
                ):
                    self._answers.remove(message)
                    return message.data
            self._arrived.clear()
            try:
                await self._connection.wait_for(self._arrived.wait(), end_s - loop.time())
            except DeviceConnectionError as error:
                if error.reason is not FailureReason.SILENT:
                    raise
                if step.optional:
                    return None
                raise DeviceConnectionError(
                    FailureReason.SILENT,
                    f"no answer on {step.characteristic} for {step.timeout_s:g} s",
                ) from error
