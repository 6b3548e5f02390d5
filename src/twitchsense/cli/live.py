"""``twitchsense live``: a night while it is recorded."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.options import verbosity
from twitchsense.errors import InputError, MissingExtraError, TwitchsenseError

if TYPE_CHECKING:
    from twitchsense.live.follower import NightFollower

_START_S: Final = 30.0  # for the simulator to make the first row
_PERIOD_S: Final = 0.2


@click.command(short_help="Watch a night while it is recorded.")
@click.argument("night", metavar="FILE.night|sim")
@click.option("--browser", is_flag=True, help="In a browser of this computer, not the terminal.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the browser's view.")
@click.option("--counts", is_flag=True, help="Tell how many events there were; else none is told.")
@verbosity
def live(night: str, browser: bool, port: int, counts: bool, quiet: bool) -> None:
    """Watch FILE.night while `record` writes it; `sim` records the simulator for it.

    Closing the view does not end the recording.
    """
    from twitchsense.live.follower import NightFollower

    with _file_of(night) as path:
        watch = NightFollower(path)
        watch.look()
        if browser:
            _serve(watch, port, counts=counts)
        else:
            _terminal(watch, counts=counts)


def _terminal(watch: NightFollower, *, counts: bool) -> None:
    try:
        from twitchsense.live.terminal import LiveApp
    except ImportError as error:
        raise MissingExtraError("live", "the live view in the terminal") from error
    app = LiveApp(watch, counts=counts)
    app.run()
    if app.failure is not None:
        raise app.failure


def _serve(watch: NightFollower, port: int, *, counts: bool) -> None:
    from twitchsense.live.web import LiveServer

    server = LiveServer(watch, port, counts=counts)
    server.start()
    click.echo(f"Live view, for this computer and one browser: {server.address}")
    click.echo("Ctrl-C closes it; a recording goes on.", err=True)
    try:
        while True:
            if not watch.look():
                time.sleep(_PERIOD_S)
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


@contextlib.contextmanager
def _file_of(night: str) -> Iterator[Path]:
    """Return the night file; for ``sim``, one that a recorder of our own writes."""
    if night != "sim":
        path = Path(night)
        if not path.is_file():
            raise InputError(night, "is no file", "give the night that record writes, or sim")
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="twitchsense-live-") as folder:
        path = Path(folder) / "sim.night"
        command = [sys.executable, "-m", "twitchsense.cli", "record", "--device", "sim"]
        child = subprocess.Popen(
            [*command, "--out", str(path), "-q", "--live", "--min-valid", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            _wait_for(path, child)
            yield path
        finally:
            child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.communicate(timeout=10)
            child.kill()
            child.communicate()


def _wait_for(path: Path, child: subprocess.Popen[str]) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if path.exists() and path.stat().st_size:
            return
        if child.poll() is not None:
            lines = (child.stderr.read() if child.stderr else "").strip().splitlines()
            raise TwitchsenseError(f"the simulator did not start: {(lines or ['no message'])[-1]}")
        time.sleep(0.1)
    raise TwitchsenseError("the simulator did not start in time")
