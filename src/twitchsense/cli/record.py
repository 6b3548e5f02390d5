"""``twitchsense record``: one or more wearables into a night file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.options import verbosity
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.acquire.adapter import Adapter
    from twitchsense.acquire.recorder import Recorder
    from twitchsense.acquire.status import SessionStatus
    from twitchsense.cli.stream import LiveView

log = logging.getLogger(__name__)

LIVE_PERIOD_S: Final = 0.1  # between commits, and between looks for movements
_TALK_S: Final = 10.0
_SCAN_S: Final = 10.0
_BOTH_S: Final = 1.5
_PATIENCE_S: Final = 30.0  # to find and connect the first wearable


@click.command(short_help="Record a night from a wearable over Bluetooth.")
@click.option(
    "--device",
    "devices",
    metavar="ID|NAME|sim",
    multiple=True,
    required=True,
    help="Address or name of a wearable; again for a second one. 'sim': a simulated one, "
    "'sim@TRANSPORT': one that firmware_sim serves.",
)
@click.option(
    "--out",
    metavar="FILE.night",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The night; if it exists, recording goes on in it.",
)
@click.option("--duration", metavar="S", type=click.FloatRange(min=1), help="Stop after so long.")
@click.option("--live", is_flag=True, help="Find movements while recording, and show them.")
@click.option(
    "--min-valid",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Fail loudly if less than this share of the time was recorded.",
)
@click.option(
    "--option",
    "options",
    metavar="KEY=VALUE",
    multiple=True,
    help="For the simulator: seed, scenario, leg, drift_ppm, error_rate, faults, ...",
)
@verbosity
def record(
    devices: tuple[str, ...],
    out: Path,
    duration: float | None,
    live: bool,
    min_valid: float,
    options: tuple[str, ...],
    quiet: bool,
) -> None:
    """Record until --duration is over, Ctrl-C or SIGTERM; lose nothing on the way.

    Lost connections are mended, and what was made meanwhile is fetched. The file can be
    analysed while it is being written.
    """
    if out.suffix != ".night":
        raise InputError("--out", f"{out.name} is no name of a night", "name it FILE.night")
    share = asyncio.run(_record(devices, out, duration, live, options, quiet))
    if share < min_valid:
        raise TwitchsenseError(
            f"ONLY {share:.0%} OF THE TIME WAS RECORDED (wanted {min_valid:.0%}): "
            "see what was lost above, and check battery, distance and electrodes"
        )


def split_device(text: str) -> tuple[str, str]:
    """Return the plug-in and the transport a device name asks for, both empty if none."""
    plugin, _, transport = text.partition("@")
    return (plugin, transport) if plugin == "sim" else ("", "")


def parse_options(pairs: tuple[str, ...]) -> dict[str, str | int | float]:
    """Read ``--option KEY=VALUE``: numbers become numbers."""
    options: dict[str, str | int | float] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise InputError("--option", f"{pair!r} is no pair", "write KEY=VALUE")
        options[key] = value
        for kind in (float, int):
            with contextlib.suppress(ValueError):
                options[key] = kind(value)
    return options


async def _record(
    devices: tuple[str, ...],
    out: Path,
    duration: float | None,
    live: bool,
    options: tuple[str, ...],
    quiet: bool,
) -> float:
    from twitchsense.acquire.adapter import open_adapter
    from twitchsense.acquire.keep_awake import keep_awake
    from twitchsense.acquire.recorder import (
        COMMIT_PERIOD_S,
        Recorder,
        make_host_clock,
        make_metadata,
    )
    from twitchsense.nightfile.writer import NightFileWriter

    plugin, transport = split_device(devices[0])
    chosen: dict[str, str | int | float] = parse_options(options)
    if plugin:
        if len(devices) > 1:
            raise InputError("--device", "sim stands alone", "name it once")
        chosen["transport"] = transport
        if duration is not None and not transport:
            chosen.setdefault("minutes", duration / 60 + 1)
    view = aside = None
    if live:
        from twitchsense.cli.stream import LiveView  # the detector's libraries take a second
        from twitchsense.live.worker import DetectionWorker

        view = LiveView()
        aside = DetectionWorker(view.show)
    # look at the file first: a scan in vain is shorter than a night in vain
    night = NightFileWriter(out, make_metadata())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop.set)
    try:
        with keep_awake() as awake:
            if not awake:
                log.warning("this computer may fall asleep: set it not to, for the night")
            try:
                radio = open_adapter(plugin, **chosen)
                async with radio as air:
                    names = await _find(air, bool(transport), stop) if plugin else list(devices)
                    recorder = Recorder(
                        air,
                        night,
                        names,
                        now_ns=make_host_clock(),
                        period_s=LIVE_PERIOD_S if live else COMMIT_PERIOD_S,
                        on_stored=aside.put if aside else None,
                    )
                    began = loop.time()
                    tasks = [asyncio.create_task(_talk(recorder, view, began, quiet))]
                    if duration is not None:
                        tasks.append(asyncio.create_task(_stop_after(duration, recorder, stop)))
                    try:
                        await recorder.run(stop)
                    finally:
                        for task in tasks:
                            task.cancel()
                    elapsed = loop.time() - (_first(recorder) or began)
            except (TypeError, ValueError) as error:
                if not plugin:
                    raise
                raise InputError("--option", str(error), "see the simulator's page") from error
    finally:
        night.close()
        if aside is not None:
            aside.close()
    return _summarize(recorder, elapsed, out, quiet)


async def _find(radio: Adapter, served: bool, stop: asyncio.Event) -> list[str]:
    """Return the names of all wearables of the simulator."""
    found = await radio.scan(_SCAN_S, "ts-0001")
    if served:
        found = await radio.scan(_BOTH_S) or found  # there may be one for each leg
    if not found and not stop.is_set():
        raise InputError("sim", "no simulated wearable answers", "start firmware_sim serve")
    return [s.address for s in found]


async def _stop_after(seconds: float, recorder: Recorder, stop: asyncio.Event) -> None:
    """Stop when so much was recorded, or could have been if a wearable had been there."""
    loop = asyncio.get_running_loop()
    latest = loop.time() + max(seconds, _PATIENCE_S)
    while _first(recorder) is None and loop.time() < latest:
        await asyncio.sleep(0.2)
    first = _first(recorder)
    if first is not None:
        await asyncio.sleep(first + seconds - loop.time())
    stop.set()


def _first(recorder: Recorder) -> float | None:
    """Return when the first wearable was connected, in the loop's time."""
    since = [s.status.connected_at for s in recorder.sessions]
    return min((t for t in since if t is not None), default=None)


async def _talk(recorder: Recorder, view: LiveView | None, began: float, quiet: bool) -> None:
    """Say from time to time how it goes, on stderr.

    ``link`` is the share of the frames made since the last line that came at once.
    """
    loop = asyncio.get_running_loop()
    before = [(0, 0) for _ in recorder.sessions]
    while not quiet:
        await asyncio.sleep(_TALK_S)
        for i, session in enumerate(recorder.sessions):
            status = session.status
            prompt, made = status.n_live - before[i][0], status.n_produced - before[i][1]
            before[i] = (status.n_live, status.n_produced)
            text = _line(session.address, status, loop.time() - (_first(recorder) or began))
            if made > 0:
                text += f", link {min(1.0, prompt / made):.0%}"
            if view is not None:
                text += f", {view.events} movements"
            click.echo(text, err=True)
        if recorder.storage_error:
            click.echo(printable(f"NOT STORED: {recorder.storage_error}", "?"), err=True)


def _line(address: str, status: SessionStatus, elapsed: float, state: str = "") -> str:
    if not state:
        state = "connected" if status.connected else f"NOT CONNECTED ({status.last_error})"
    battery = "?" if status.battery is None else f"{status.battery}"
    return printable(
        f"{address}: {elapsed:.0f} s, valid {status.valid_s:.1f} s, lost {status.n_lost} frames, "
        f"waiting for {status.n_missing}, battery {battery} %, {state}, "
        f"{status.n_connections} connections",
        "?",
    )


def _summarize(recorder: Recorder, elapsed: float, out: Path, quiet: bool) -> float:
    """Say what the night holds; return the share of the time that is valid."""
    from twitchsense.nightfile.loss_report import read_loss_reports

    if not quiet:
        for session in recorder.sessions:
            click.echo(_line(session.address, session.status, elapsed, "ended"), err=True)
        for book in read_loss_reports(out):
            lost = ", ".join(f"{n} lost: {reason}" for reason, n in book.lost.items() if n)
            open_ = sum(b - a + 1 for a, b in book.unresolved)
            text = f"boot {book.count}: {book.received} frames"
            text += f", {lost}" if lost else ""
            text += f", {open_} not fetched" if open_ else ""
            text += ", then it started anew" if book.unbounded_loss else ""
            click.echo(text, err=True)
        if recorder.queue.n_overflows:
            click.echo(f"{recorder.queue.n_overflows} notifications found no room", err=True)
        click.echo(f"Night: {out}", err=True)
    return min((s.status.valid_s for s in recorder.sessions), default=0.0) / max(elapsed, 1e-9)
