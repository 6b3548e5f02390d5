"""Dialogues that record in the memory of a Polar sensor, and fetch the recording.

A sensor does not send acceleration while it records it. It sends some frames before and after,
which show how its clock, and so the times in the recording, relate to that of the computer.
Sources: see `polar_files` and `polar_recording`.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Final

from twitchsense.devices.contract import PacketError, StartRefusedError
from twitchsense.devices.dialogue import Expect, Step, Steps, Subscribe, Write
from twitchsense.devices.polar.polar_control import (
    ACC,
    ECG,
    GET_STATUS,
    IN_MEMORY,
    MEMORY_FEATURE,
    SDK_MODE_FEATURE,
    STATUS_IN_MEMORY,
    STATUS_MEASUREMENT,
    STOP,
)
from twitchsense.devices.polar.polar_decoder import CONTROL_UUID, DATA_UUID
from twitchsense.devices.polar.polar_dialogues import (
    check_answer,
    enter_sdk_mode,
    read_settings,
    select_acc,
    send_command,
    start_measurement,
    stop_measurements,
)
from twitchsense.devices.polar.polar_files import (
    BEGIN_SESSION,
    END_SESSION,
    FILE_UUID,
    FROM_DEVICE_UUID,
    TO_DEVICE_UUID,
    ResponseFrames,
    encode_notification,
    encode_request,
    parse_folder,
)

_ROOT: Final = "/U/0/"
_DAY: Final = re.compile(r"[0-9]{8}/")
_TIME: Final = re.compile(r"[0-9]{6}/")
_FILE: Final = re.compile(r"ACC[0-9]*\.REC", re.IGNORECASE)
#: Frames that are sent before and after a recording.
_CLOCK_FRAMES: Final = 5
_FRAME_S: Final = 20.0
_FILE_S: Final = 90.0
#: A recording appears in the memory up to 5 min after its end: attempts, and time between them, s.
_ATTEMPTS: Final = 12
_WAIT_S: Final = 30.0


def open_memory(features: int, rate: float | None, range_g: float | None) -> Steps:
    """Start a recording in the memory, unless it goes on since an earlier connection.

    Parameters
    ----------
    features : int
        Bits of the features.
    rate : float or None
        Hz, as the user chose it.
    range_g : float or None
        g, likewise.
    """
    if not features & MEMORY_FEATURE:
        raise StartRefusedError(
            "the device has no memory for recordings; a Verity Sense, 360 or Loop has, with "
            "current firmware"
        )
    if (yield from _is_recording()):
        return
    yield from stop_measurements(ACC, ECG)
    if features & SDK_MODE_FEATURE:
        yield from enter_sdk_mode()
    offered = yield from read_settings(ACC | IN_MEMORY)
    selected = select_acc(offered, rate, range_g)
    yield from _send_clock_frames(selected)
    yield from start_measurement(ACC | IN_MEMORY, selected)


def fetch_memory(rate: float | None, range_g: float | None) -> Steps:
    """End the recording in the memory, and fetch its files.

    Parameters
    ----------
    rate : float or None
        As at its start.
    range_g : float or None
        As at its start.
    """
    if not (yield from _is_recording()):
        raise StartRefusedError("the device does not record; its memory may be full")
    offered = yield from read_settings(ACC | IN_MEMORY)
    check_answer((yield from send_command(bytes([STOP, ACC]))), "end its recording")
    yield from _send_clock_frames(select_acc(offered, rate, range_g))
    yield Subscribe(FILE_UUID)
    yield Subscribe(FROM_DEVICE_UUID, optional=True)
    yield Write(TO_DEVICE_UUID, encode_notification(BEGIN_SESSION))
    for _ in range(_ATTEMPTS):
        paths = yield from _newest_recording()
        if paths:
            break
        yield Expect(CONTROL_UUID, b"\xff", _WAIT_S, optional=True)  # only waits
    else:
        raise StartRefusedError("the recording does not appear in the memory; fetch it later")
    for path in paths:
        yield from _get(path)
    yield Write(TO_DEVICE_UUID, encode_notification(END_SESSION))


def _is_recording() -> Generator[Step, bytes | None, bool]:
    answer = check_answer((yield from send_command(bytes([GET_STATUS]))), "say what it does")
    return any(
        value & STATUS_MEASUREMENT == ACC and value & STATUS_IN_MEMORY
        for value in answer.parameters
    )


def _send_clock_frames(selected: dict[int, int]) -> Steps:
    """Let the device send some frames."""
    yield from start_measurement(ACC, selected)
    for _ in range(_CLOCK_FRAMES):
        yield Expect(DATA_UUID, bytes([ACC]), _FRAME_S)
    yield from stop_measurements(ACC)


def _newest_recording() -> Generator[Step, bytes | None, list[str]]:
    """Return the paths of the newest recording of acceleration, in their order."""
    for day in (yield from _folder(_ROOT, _DAY)):
        for time in (yield from _folder(f"{_ROOT}{day}R/", _TIME)):
            folder = f"{_ROOT}{day}R/{time}"
            names = yield from _folder(folder, _FILE)
            if names:
                numbers = {name: int(re.sub("[^0-9]", "", name) or 0) for name in names}
                return [folder + name for name in sorted(names, key=numbers.__getitem__)]
    return []


def _folder(path: str, pattern: re.Pattern[str]) -> Generator[Step, bytes | None, list[str]]:
    """Return the names in a folder that match a pattern, the last one first."""
    try:
        names = parse_folder((yield from _get(path)))
    except PacketError:
        return []  # there is no such folder
    return sorted((name for name in names if pattern.fullmatch(name)), reverse=True)


def _get(path: str) -> Generator[Step, bytes | None, bytes]:
    """Return a file or folder.

    Raises
    ------
    PacketError
        If the device reports an error.
    """
    yield Write(FILE_UUID, encode_request(path))
    frames, content = ResponseFrames(), b""
    while not frames.is_complete:
        frame = yield Expect(FILE_UUID, b"", _FILE_S)
        piece = frames.push(frame or b"")
        content += piece if path.endswith("/") else b""  # files are read by the decoder
    return content
