"""``twitchsense live``: watch a night while it is recorded."""

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

#: Time (s) until the simulator has written the first row.
_START_TIMEOUT_S: Final = 30.0
#: Time (s) between two reads of the night file.
_POLL_PERIOD_S: Final = 0.2


@click.command(short_help="Watch a night while it is recorded.")
@click.argument("night", metavar="FILE.night|sim")
@click.option("--browser", is_flag=True, help="Use a browser on this computer, not the terminal.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port for the browser.")
@click.option("--counts", is_flag=True, help="Show the number of events; it is hidden by default.")
@click.option(
    "--lsl", is_flag=True, help="Send movements as markers of the Lab Streaming Layer (LSL)."
)
@verbosity
def live(night: str, browser: bool, port: int, counts: bool, lsl: bool, quiet: bool) -> None:
    """Watch FILE.night while `record` writes it; `sim` records the simulator for it.

    Closing the view does not end the recording.
    """
    from twitchsense.live.follower import NightFollower

    with _open_night_file(night) as path:
        follower = NightFollower(path)
        if lsl:
            from twitchsense.live.lsl_markers import MarkerOutlet

            follower.on_update = MarkerOutlet(follower.now_ns).push
        follower.poll()
        if browser:
            _run_in_browser(follower, port, counts=counts, is_kept=night != "sim")
        else:
            _run_in_terminal(follower, counts=counts)


def _run_in_terminal(follower: NightFollower, *, counts: bool) -> None:
    try:
        from twitchsense.live.terminal import LiveApp
    except ImportError as error:
        raise MissingExtraError("live", "the live view in the terminal") from error
    app = LiveApp(follower, counts=counts)
    app.run()
    if app.failure is not None:
        raise app.failure


def _run_in_browser(follower: NightFollower, port: int, *, counts: bool, is_kept: bool) -> None:
    from twitchsense.live.web import LiveServer

    server = LiveServer(follower, port, counts=counts)
    server.start()
    click.echo(f"Live view, for one browser on this computer: {server.address}")
    click.echo(f"Ctrl-C closes it{'; the recording continues' if is_kept else ''}.", err=True)
    try:
        while True:
            if not follower.poll():
                time.sleep(_POLL_PERIOD_S)
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


@contextlib.contextmanager
def _open_night_file(night: str) -> Iterator[Path]:
    """Yield the path of the night file; for ``sim``, start a recorder that writes one."""
    if night != "sim":
        path = Path(night)
        if not path.is_file():
            raise InputError(night, "is not a file", "give the night that record writes, or sim")
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
            _wait_for_file(path, child)
            click.echo(
                "This night is simulated and not kept; 'record --device sim' keeps one.", err=True
            )
            yield path
        finally:
            child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.communicate(timeout=10)
            child.kill()
            child.communicate()


def _wait_for_file(path: Path, child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if path.exists() and path.stat().st_size:
            return
        if child.poll() is not None:
            lines = (child.stderr.read() if child.stderr else "").strip().splitlines()
            raise TwitchsenseError(f"the simulator did not start: {(lines or ['no message'])[-1]}")
        time.sleep(0.1)
    raise TwitchsenseError("the simulator did not start in time")
