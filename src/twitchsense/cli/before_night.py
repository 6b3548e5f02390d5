"""What `check` and `record --check` do before a night: short recordings of one device."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.device_options import (
    RequestedDevice,
    check_driver_options,
    parse_options,
)
from twitchsense.cli.simulated_devices import each_simulated, split_device
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.acquire.status import SessionStatus
    from twitchsense.live.device_check import CheckResult
    from twitchsense.live.muscle_tension import MuscleTension

#: Duration of the check, s.
CHECK_S: Final = 20.0
#: Duration of each part of the measurement of the tensed muscle, s.
TENSE_S: Final = 20.0
#: Maximum time (s) to find and connect a device.
CONNECT_S: Final = 30.0
#: Prefix of the line of a result.
_PREFIXES: Final = {True: "ok ", False: "BAD", None: "?  "}
#: Counts per mV for which a count is read as a µV.
_UNIT_GAIN: Final = "1000"


class CheckFailedError(TwitchsenseError):
    """A device is not found, or its signal shows that it can't be used as it is."""

    exit_status = 3


def print_check(
    requested: RequestedDevice, options: tuple[str, ...], *, err: bool, is_one_of_several: bool
) -> bool:
    """Check a device, and print each result as a line.

    Parameters
    ----------
    requested : RequestedDevice
    options : tuple of str
        Values of ``--option``.
    err : bool
        Print on stderr.
    is_one_of_several : bool
        Each line begins with the name of the device.

    Returns
    -------
    bool
        Whether nothing is wrong.

    Raises
    ------
    CheckFailedError
        If the device is not found.
    """
    results = check_device(requested, options)
    name = f"{requested.label}, " if is_one_of_several else ""
    for result in results:
        text = f"{printable(result.topic)}: {printable(result.text)}"
        click.echo(f"{_PREFIXES[result.ok]} {name}{text}", err=err)
    return all(result.ok is not False for result in results)


def measure_gain(
    requested: RequestedDevice, options: tuple[str, ...], tensed_uv: float | None
) -> dict[str, str]:
    """Let the user tense the calf and rest, and print what the EMG shows.

    Parameters
    ----------
    requested : RequestedDevice
    options : tuple of str
        Values of ``--option``.
    tensed_uv : float or None
        RMS of the tensed calf in µV, where the user knows it.

    Returns
    -------
    dict of str to str
        What the night file keeps: ``tensed_counts`` and ``rest_counts`` or ``tensed_uv`` and
        ``rest_uv``; and ``gain`` if `tensed_uv` is given for a device without a unit.

    Raises
    ------
    InputError
        If `tensed_uv` is given for a device whose EMG has a unit.
    CheckFailedError
        If the device is not found, or its EMG does not show the muscle.
    """
    from twitchsense.io.read import read
    from twitchsense.live.muscle_tension import measure_tension

    name = requested.label
    requests = (
        (0.0, f"{name}: tense the calf now, toes pressed down, for {TENSE_S:g} s"),
        (TENSE_S, f"{name}: rest now, for {TENSE_S:g} s"),
    )
    with tempfile.TemporaryDirectory(prefix="twitchsense-check-") as folder:
        path = Path(folder) / "tension.night"
        settings = {"gain": _UNIT_GAIN}
        _, _, counts = asyncio.run(
            record_briefly(requested, settings, options, path, 2 * TENSE_S, requests)
        )
        if tensed_uv is not None and not counts:
            raise InputError("--tensed-uv", "is for EMG without a unit", "leave it out")
        try:
            tensions = measure_tension(read(path), TENSE_S, TENSE_S)
        except InputError as error:
            raise CheckFailedError(f"{name}: {error.problem}") from error
    unit, shown_unit = ("counts", "counts") if counts else ("uv", "µV")
    for tension in tensions:
        click.echo(describe_tension(tension, shown_unit), err=True)
    seen = [t for t in tensions if t.is_seen]
    if not seen:
        cure = (
            "place the electrodes over the thickest part of the calf, press them on, and tense "
            "harder"
        )
        if split_device(requested.device)[0]:
            cure = "a simulated calf cannot be tensed: do this with a device"
        raise CheckFailedError(f"{name}: the tensed calf does not stand out from rest; {cure}")
    best = max(seen, key=lambda t: t.tensed)
    kept = {f"tensed_{unit}": f"{best.tensed:.4g}", f"rest_{unit}": f"{best.rest:.4g}"}
    if tensed_uv is not None:
        kept["gain"] = f"{1000 * best.tensed / tensed_uv:.6g}"
        click.echo(f"{name}: gain of {kept['gain']} counts per mV", err=True)
    return kept


def describe_tension(tension: MuscleTension, unit: str) -> str:
    """Return a sentence about the tensed muscle.

    Parameters
    ----------
    tension : MuscleTension
    unit : str

    Returns
    -------
    str
    """
    ratio = tension.tensed / tension.rest if tension.rest else 0.0
    mark = "ok " if tension.is_seen else "BAD"
    return (
        f"{mark} {printable(tension.channel)}: tensed {tension.tensed:.3g} {unit} RMS, at rest "
        f"{tension.rest:.3g} {unit} ({ratio:.1f} times)"
    )


def prepare_devices(
    requested: list[RequestedDevice],
    options: tuple[str, ...],
    check_first: bool,
    tense: bool,
    tensed_uv: float | None,
) -> list[RequestedDevice]:
    """Check devices before a night, which is recorded in any case.

    Parameters
    ----------
    requested : list of RequestedDevice
    options : tuple of str
        Values of ``--option``.
    check_first : bool
        Measure at rest.
    tense : bool
        Measure the tensed calf.
    tensed_uv : float or None
        As in `measure_gain`.

    Returns
    -------
    list of RequestedDevice
        With what was measured in their settings.

    Raises
    ------
    InputError
        If an option cannot be used.
    """
    prepared = []
    devices = each_simulated(requested, options)
    for device in devices:
        settings = dict(device.settings)
        try:
            if check_first:
                name = device.label
                click.echo(f"{name}: let the leg rest for {CHECK_S:g} s", err=True)
                print_check(device, options, err=True, is_one_of_several=len(devices) > 1)
            if tense:
                settings.update(measure_gain(device, options, tensed_uv))
        except InputError:
            raise
        except TwitchsenseError as error:
            click.echo(f"BAD {printable(str(error))}; the recording begins nevertheless", err=True)
        prepared.append(replace(device, settings=settings))
    return prepared


def check_device(requested: RequestedDevice, options: tuple[str, ...]) -> list[CheckResult]:
    """Measure for 20 s while the leg rests.

    Parameters
    ----------
    requested : RequestedDevice
    options : tuple of str
        Values of ``--option``.

    Returns
    -------
    list of CheckResult

    Raises
    ------
    CheckFailedError
        If the device is not found.
    """
    from twitchsense.io.read import read
    from twitchsense.live.device_check import CheckResult, check_channels, check_link
    from twitchsense.settings import Settings

    # EMG without a unit is read as if a count were a µV; then only contact and range are evaluated
    settings = {"gain": _UNIT_GAIN, **requested.settings}
    with tempfile.TemporaryDirectory(prefix="twitchsense-check-") as folder:
        path = Path(folder) / "check.night"
        status, seconds, counts = asyncio.run(
            record_briefly(requested, settings, options, path, CHECK_S)
        )
        has_unit = "gain" in requested.settings or not counts
        try:
            recording = read(path)
        except InputError as error:
            return [CheckResult("signal", False, error.problem), *check_link(status, seconds)]
        results = check_channels(recording, Settings(), has_unit=has_unit)
    if not has_unit:
        results.append(
            CheckResult(
                "unit",
                False,
                "EMG has no unit; give --gain (counts per mV), or it is recorded and not analysed",
            )
        )
    return results + check_link(status, seconds)


async def record_briefly(
    requested: RequestedDevice,
    settings: Mapping[str, str],
    options: tuple[str, ...],
    path: Path,
    duration_s: float,
    requests: Sequence[tuple[float, str]] = (),
) -> tuple[SessionStatus, float, bool]:
    """Record one device for some seconds.

    Parameters
    ----------
    requested : RequestedDevice
    settings : mapping of str to str
        Of the device, for the night file.
    options : tuple of str
        Values of ``--option``.
    path : Path
        The night file.
    duration_s : float
        Time after the connection, s.
    requests : sequence of (float, str)
        Each text is printed at its time (s) after the connection.

    Returns
    -------
    status : SessionStatus
    seconds : float
        Time since the connection, s.
    counts : bool
        Whether the EMG has no unit.

    Raises
    ------
    CheckFailedError
        If the device is not found.
    """
    from twitchsense.acquire.adapter import open_adapter
    from twitchsense.acquire.recorder import Recorder, make_metadata
    from twitchsense.devices.registry import installed_drivers
    from twitchsense.nightfile.recorder_clock import RecorderClock
    from twitchsense.nightfile.writer import NightFileWriter

    plugin, transport = split_device(requested.device)
    parsed = parse_options(options)
    simulator = {"transport": transport, **parsed} if plugin else {}
    driver_options = {} if plugin else {key: str(value) for key, value in parsed.items()}
    check_driver_options(driver_options, [requested.device], installed_drivers())
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    night = NightFileWriter(path, make_metadata())
    try:
        async with open_adapter(plugin, **simulator) as adapter:
            name = requested.address or requested.device
            recorder = Recorder(
                adapter,
                night,
                [name],
                now_ns=RecorderClock(),
                settings={name: settings},
                options=driver_options,
            )
            (session,) = recorder.sessions
            task = asyncio.ensure_future(recorder.run(stop))
            deadline_s = loop.time() + CONNECT_S
            while session.status.connected_at is None and loop.time() < deadline_s:
                if task.done():
                    break
                await asyncio.sleep(0.2)
            connected_s = session.status.connected_at
            if connected_s is not None:
                for at_s, text in requests:
                    await asyncio.sleep(max(0.0, connected_s + at_s - loop.time()))
                    click.echo(text, err=True)
                await asyncio.sleep(max(0.0, connected_s + duration_s - loop.time()))
            seconds = loop.time() - (connected_s or loop.time())
            stop.set()
            await task
    finally:
        night.close()
    if connected_s is None:
        raise CheckFailedError(
            f"{requested.label} was not found in {CONNECT_S:g} s "
            f"({session.status.last_error or 'no answer'}); is it on, charged and nearby?"
        )
    return session.status, seconds, session.has_emg_in_counts
