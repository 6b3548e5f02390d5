"""``twitchsense record``: record one or more wearables into a night file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.device_options import (
    RequestedDevice,
    check_driver_options,
    check_libraries,
    check_tense_options,
    gain_option,
    leg_option,
    parse_options,
    request_devices,
    tense_options,
)
from twitchsense.cli.device_options import remember as remember_device
from twitchsense.cli.options import PathType, verbosity
from twitchsense.cli.record_status import (
    first_connection_s,
    print_night_so_far,
    print_status,
    print_totals,
    report_missing_gains,
)
from twitchsense.cli.simulated_devices import assign_simulated, find_simulated, split_device
from twitchsense.cli.text_output import print_text
from twitchsense.deferred_signals import ENDING_SIGNALS
from twitchsense.errors import InputError, TwitchsenseError

if TYPE_CHECKING:
    from twitchsense.acquire.recorder import Recorder
    from twitchsense.nightfile.writer import NightFileWriter

log = logging.getLogger(__name__)

#: Time (s) between two commits to the night file with ``--live``.
LIVE_PERIOD_S: Final = 0.1
#: Maximum time (s) to find and connect the first wearable, if ``--duration`` is given.
_CONNECT_TIMEOUT_S: Final = 30.0
#: Time (s) without a usable Bluetooth adapter after which a recording that never began ends.
NO_ADAPTER_S: Final = 10.0


@click.command(short_help="Record a night from a wearable over Bluetooth.")
@click.option(
    "--device",
    "devices",
    metavar="ID|NAME|KIND[:ID]|lsl:NAME|sim",
    multiple=True,
    required=True,
    help="Address or name of a wearable, its kind (npg), or both (npg:0A:1B); give the option "
    "twice for two. 'lsl:NAME': a stream of the network. 'sim': a simulated one, "
    "'sim@TRANSPORT': one that firmware_sim serves.",
)
@leg_option
@gain_option
@click.option(
    "--remember",
    metavar="NAME",
    help="Remember the device with its leg and gain: --device NAME means it from now on.",
)
@click.option(
    "--raw",
    metavar="LOG.csv",
    type=PathType(dir_okay=False),
    help="Also write every value as a raw log, for a report; with one device only.",
)
@click.option(
    "--out",
    metavar="FILE.night",
    required=True,
    type=PathType(dir_okay=False),
    help="The night file; if it exists, the recording is continued in it.",
)
@click.option("--duration", metavar="S", type=click.FloatRange(min=1), help="Stop after this time.")
@click.option("--live", is_flag=True, help="Detect movements while recording, and print them.")
@click.option(
    "--lsl", is_flag=True, help="Send movements as markers of the Lab Streaming Layer (LSL)."
)
@click.option(
    "--min-valid",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Fail if less than this share of the time was recorded.",
)
@click.option(
    "--check",
    "check_first",
    is_flag=True,
    help="First measure for 20 s while the leg rests, as `check` does; then record in any case.",
)
@tense_options("; the night keeps it")
@click.option(
    "--option",
    "options",
    metavar="KEY=VALUE",
    multiple=True,
    help="Of the device (twitchsense devices --known); or of the simulator: seed, scenario, "
    "leg, drift_ppm, error_rate, faults, ..., or peer=KIND for a device of another maker "
    "(ganglion, gforce, movesense, myo, npg, polar).",
)
@verbosity
def record(
    devices: tuple[str, ...],
    legs: tuple[str, ...],
    gains: tuple[float, ...],
    remember: str | None,
    raw: Path | None,
    out: Path,
    duration: float | None,
    live: bool,
    lsl: bool,
    min_valid: float,
    check_first: bool,
    tense: bool,
    tensed_uv: float | None,
    options: tuple[str, ...],
    quiet: bool,
) -> None:
    """Record until --duration is over, Ctrl-C, SIGTERM or the end of the terminal.

    Lost connections are re-established, and the data recorded by the wearable meanwhile are
    fetched. The file can be analysed while it is being written.
    """
    if out.suffix != ".night":
        raise InputError(
            "--out", f"{out.name} is not the name of a night file", "name it FILE.night"
        )
    requested = request_devices(devices, legs, gains)
    if len(requested) > 1 and (raw or remember):
        raise InputError(
            "--raw" if raw else "--remember",
            f"is for one device, not {len(requested)}",
            "name one --device",
        )
    if raw and requested[0].device.casefold().startswith("lsl:"):
        raise InputError(
            "--raw", "is for Bluetooth devices", "leave it out: the night file holds all of it"
        )
    if remember:
        path = remember_device(remember, requested[0])
        log.info("%s is remembered in %s", remember, path)
    check_tense_options(tense, tensed_uv)
    check_libraries(requested)
    if check_first or tense:
        from twitchsense.cli.before_night import prepare_devices

        requested = prepare_devices(requested, options, check_first, tense, tensed_uv)
    share = asyncio.run(_record(requested, out, duration, live, lsl, options, raw, quiet))
    if share < min_valid:
        raise TwitchsenseError(
            f"ONLY {share:.0%} OF THE TIME WAS RECORDED (required: {min_valid:.0%}): "
            "the losses are listed above; check the battery and the distance to the wearable"
        )


async def _record(
    requested: list[RequestedDevice],
    out: Path,
    duration: float | None,
    live: bool,
    lsl: bool,
    options: tuple[str, ...],
    raw: Path | None,
    quiet: bool,
) -> float:
    from twitchsense.acquire.adapter import open_adapter
    from twitchsense.acquire.keep_awake import SUSPEND_WARNING, keep_awake
    from twitchsense.acquire.recorder import (
        COMMIT_PERIOD_S,
        Recorder,
        make_metadata,
    )
    from twitchsense.devices.registry import installed_drivers
    from twitchsense.io.device_logs.raw_log_writer import RawLogWriter
    from twitchsense.nightfile.recorder_clock import RecorderClock
    from twitchsense.nightfile.writer import NightFileWriter

    devices = [r.device for r in requested]
    settings = {r.device: r.settings for r in requested}
    plugin, transport = split_device(devices[0])
    simulator_options: dict[str, str | int | float] = {}
    driver_options = {key: str(value) for key, value in parse_options(options).items()}
    if not plugin:
        check_driver_options(driver_options, devices, installed_drivers())
    else:
        simulator_options, driver_options = parse_options(options), {}
        simulator_options["transport"] = transport
        if duration is not None and not transport and "peer" not in simulator_options:
            simulator_options.setdefault("minutes", duration / 60 + 1)
    printer = worker = on_update = None
    # the libraries of the detector, which take a second to load, are imported if they are needed
    if lsl:
        from twitchsense.live.lsl_markers import MarkerOutlet

        on_update = MarkerOutlet(lambda: clock()).push
    if live or lsl:
        from twitchsense.cli.event_printer import EventPrinter
        from twitchsense.live.worker import DetectionWorker

        printer = EventPrinter(on_update, is_silent=not live)
        worker = DetectionWorker(printer.push)
    # open the files before the scan, so that an unwritable file fails early
    raw_log = RawLogWriter(raw) if raw else None
    night = NightFileWriter(out, make_metadata())
    clock = RecorderClock(night.last_host_clock())
    if night.resumed and not quiet:
        print_night_so_far(night, clock())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:  # nohup
            continue
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    try:
        with keep_awake() as inhibited:
            async with open_adapter(plugin, **simulator_options) as adapter:
                names = list(devices)
                if plugin:
                    served = bool(transport) or "peer" in simulator_options
                    found = await find_simulated(adapter, served, stop)
                    assigned = assign_simulated(requested, found)
                    names = [r.address for r in assigned]
                    settings = {r.address: r.settings for r in assigned}
                if not inhibited and not quiet:
                    print_text(f"Warning: {SUSPEND_WARNING}", err=True, indent="  ")
                recorder = Recorder(
                    adapter,
                    night,
                    names,
                    now_ns=clock,
                    period_s=LIVE_PERIOD_S if worker else COMMIT_PERIOD_S,
                    on_stored=worker.put if worker else None,
                    settings=settings,
                    options=driver_options,
                    on_message=raw_log.write if raw_log else None,
                )
                start_s = loop.time()
                tasks = [
                    asyncio.create_task(print_status(recorder, printer, start_s, quiet)),
                    asyncio.create_task(_stop_without_adapter(recorder, stop)),
                ]
                if not quiet:
                    tasks.append(asyncio.create_task(report_missing_gains(recorder)))
                if duration is not None:
                    tasks.append(asyncio.create_task(_stop_after(duration, recorder, stop)))
                try:
                    await recorder.run(stop)
                finally:
                    for task in tasks:
                        task.cancel()
                elapsed_s = loop.time() - (first_connection_s(recorder) or start_s)
    finally:
        close_night(night)
        if raw_log is not None:
            raw_log.close()
        if worker is not None:
            worker.close()
    if first_connection_s(recorder) is None:
        errors = (s.status.last_error for s in recorder.sessions)
        reason = next((e for e in errors if e), "no device was connected")
        raise TwitchsenseError(f"nothing was recorded: {reason}")
    # another file than asked for, if that was removed, moved or replaced
    n_shown = printer.n_events if printer is not None else 0
    return print_totals(recorder, elapsed_s, night.path, quiet, n_shown)


def close_night(night: NightFileWriter) -> None:
    """Close a night file; a new one that nothing was recorded into is removed."""
    is_empty = False
    with contextlib.suppress(TwitchsenseError):
        is_empty = not night.resumed and night.is_empty()
    night.close()
    if is_empty:
        night.path.unlink(missing_ok=True)


async def _stop_after(seconds: float, recorder: Recorder, stop: asyncio.Event) -> None:
    """Stop this many seconds after the first connection, or without one after the timeout."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + max(seconds, _CONNECT_TIMEOUT_S)
    while first_connection_s(recorder) is None and loop.time() < deadline_s:
        await asyncio.sleep(0.2)
    first_s = first_connection_s(recorder)
    if first_s is not None:
        await asyncio.sleep(first_s + seconds - loop.time())
    stop.set()


async def _stop_without_adapter(recorder: Recorder, stop: asyncio.Event) -> None:
    """Stop if no device was ever connected and the adapter cannot be used for some time."""
    loop = asyncio.get_running_loop()
    while first_connection_s(recorder) is None:
        await asyncio.sleep(0.2)
        since = [session.status.no_adapter_since for session in recorder.sessions]
        if all(t is not None and loop.time() - t > NO_ADAPTER_S for t in since):
            stop.set()
            return
