"""The ``twitchsense`` command: dispatches to the verbs and maps errors to exit statuses.

The exit status is 0 on success, 2 for invalid input or usage (with one line on stderr), 1 for an
internal failure, 3 if `check` found a fault of a device, 130 after Ctrl-C and 128 + its number
after another signal. No slow module is imported here, so that ``--help`` responds at once.
"""

from __future__ import annotations

import difflib
import errno
import io
import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import click

from twitchsense.cli.message_stream import stderr_that_never_fails
from twitchsense.cli.text_output import print_text
from twitchsense.deferred_signals import ENDING_SIGNALS, repeat_lost_signals
from twitchsense.errors import TwitchsenseError
from twitchsense.text import printable

VERBS: Final[dict[str, str]] = {
    "analyze": "twitchsense.cli.analyze:analyze",
    "report": "twitchsense.cli.report:report",
    "trend": "twitchsense.cli.trend:trend",
    "cohort": "twitchsense.cli.cohort:cohort",
    "demo": "twitchsense.cli.demo:demo",
    "record": "twitchsense.cli.record:record",
    "live": "twitchsense.cli.live:live",
    "check": "twitchsense.cli.check:check",
    "devices": "twitchsense.cli.devices:devices",
    "decode": "twitchsense.cli.decode:decode",
    "export": "twitchsense.cli.export:export",
    "repair": "twitchsense.cli.repair:repair",
    "agree": "twitchsense.cli.agree:agree",
    "score-limb": "twitchsense.cli.score_limb:score_limb",
    "bench": "twitchsense.cli.bench:bench",
    "doctor": "twitchsense.cli.doctor:doctor",
}

log = logging.getLogger("twitchsense")

#: Errors of a disk that takes no more data.
_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
#: Errors of a process, or a computer, that has as many open files as it may have.
_TOO_MANY_FILES: Final = (errno.EMFILE, errno.ENFILE)
#: Address space (bytes) that the libraries need: with less, OpenBLAS waits for ever.
_MIN_ADDRESS_SPACE: Final = 10**9
#: Exit status after the reader of the output has closed the pipe, as of other commands.
_SIGPIPE_STATUS: Final = 128 + 13


class App(click.Group):
    """A group of commands, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the verbs in the order of the help page."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of a verb; None if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module, name = VERBS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; an unknown one gets a suggestion."""
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            near = difflib.get_close_matches(name, VERBS, n=1, cutoff=0.6)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"No such command '{name}'.{hint}")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the arguments, which prints the help."""
        try:
            return super().make_context(*args, **extra)
        except BrokenPipeError:  # click would end with status 1
            _exit_after_closed_pipe()

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command of the arguments."""
        _check_memory_limit()
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _exit_after_closed_pipe()

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit with its status; see the module's docstring."""
        options: dict[str, Any] = {"prog_name": prog_name or "twitchsense", **extra}
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **options)
        arrived = _exit_on_signals()
        os.environ["MPLBACKEND"] = "agg"  # figures open no window; an unknown name is an error
        _open_closed_descriptors()
        with (
            _streams_for_closed_ones(),
            _buffered_stdout(),
            stderr_that_never_fails(),
            _logged_warnings(),
        ):
            try:
                return self._run(args, complete_var, windows_expand_args, options)
            except Exception as error:
                if arrived:
                    # compiled libraries may turn the exception of a signal into one of their own
                    _exit_with_message("interrupted", 128 + arrived[0])
                _exit_after_internal_error(error)

    def _run(
        self,
        args: Sequence[str] | None,
        complete_var: str | None,
        windows_expand_args: bool,
        options: dict[str, Any],
    ) -> NoReturn:
        try:
            result = super().main(
                args,
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **options,
            )
            sys.stdout.flush()
            sys.exit(result if isinstance(result, int) else 0)
        except TwitchsenseError as error:
            _exit_with_message(error.command_message, error.exit_status)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(2)
        except click.ClickException as error:
            _exit_with_message(_format_usage_error(error), 2)
        except (KeyboardInterrupt, click.Abort):
            _exit_with_message("interrupted", 130)
        except BrokenPipeError:
            _exit_after_closed_pipe()
        except OSError as error:
            if error.errno in _TOO_MANY_FILES:
                _exit_with_message("too many open files; raise the limit (ulimit -n)", 2)
            if error.errno not in _NO_SPACE:
                _exit_after_internal_error(error)
            # files have their own message: this is the standard output
            _discard_stdout()
            _exit_with_message(
                f"standard output: cannot be written ({error.strerror}); free some space", 2
            )
        except MemoryError:
            _exit_with_message("out of memory", 1)


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if not value:
        return
    from twitchsense.cli.doctor import collect_facts

    facts = collect_facts()
    click.echo(f"twitchsense {facts['twitchsense']}")
    extras = facts["extras"]
    for word, present in (("installed", True), ("not installed", False)):
        names = ", ".join(name for name, found in extras.items() if found is present)
        print_text(f"extras {word}: {names or 'none'}", indent="  ")
    ctx.exit()


@click.group(
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
    epilog="Research and self-tracking software. Not a medical device.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and the installed extras.",
)
def main() -> None:
    """Detect muscle twitches, jerks and leg movements in EMG and acceleration of a leg.

    Begin with: twitchsense demo --open
    """


def _check_memory_limit() -> None:
    """End the command if its memory is limited to less than the libraries need."""
    with suppress(ImportError):
        import resource  # not on Windows

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY and limit < _MIN_ADDRESS_SPACE:
            _exit_with_message(
                f"a process may use {limit // 10**6} MB of memory only, at least "
                f"{_MIN_ADDRESS_SPACE // 10**6} MB are needed; raise the limit (ulimit -v)",
                2,
            )


def _exit_after_closed_pipe() -> NoReturn:
    """End as other commands when the reader of the output has closed the pipe (``| head``)."""
    _discard_stdout()
    sys.exit(_SIGPIPE_STATUS)


def _discard_stdout() -> None:
    """Discard what is still to be printed, which the end of Python would try again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit_after_internal_error(error: Exception) -> NoReturn:
    if log.isEnabledFor(logging.INFO):
        traceback.print_exc()
    kind = type(error).__name__
    _exit_with_message(
        f"internal error ({kind}: {error}); please report it, with the output of -v", 1
    )


def _exit_with_message(message: str, status: int) -> NoReturn:
    line = " ".join(printable(message).split())
    print_text(f"twitchsense: {line}", err=True)
    sys.exit(status)


def _format_usage_error(error: click.ClickException) -> str:
    text = error.format_message()
    context = getattr(error, "ctx", None)
    if context is not None:
        text += f" (see {context.command_path} --help)"
    return text


def _open_closed_descriptors() -> None:
    """Open the standard descriptors that the caller has closed (``2>&-``) on nothing.

    The system gives the next file that is opened the lowest free descriptor. It would be a file
    of results, into which a compiled library prints its warnings.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free one


@contextmanager
def _streams_for_closed_ones() -> Iterator[None]:
    """Discard for a while what is printed to a stream that the caller has closed (``>&-``)."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        closed = [name for name in ("stdout", "stderr") if getattr(sys, name) is None]
        for name in closed:
            setattr(sys, name, nowhere)
        try:
            yield
        finally:
            for name in closed:
                setattr(sys, name, None)


@contextmanager
def _buffered_stdout() -> Iterator[None]:
    """Put a buffer before an unbuffered standard output (``PYTHONUNBUFFERED``) for a while.

    Python does not repeat a write that the system cuts short on a nearly full disk: the rest
    would be lost without an error. A buffer repeats it, and meets the error. A stream that a
    caller has put in the place of the standard output is left alone.
    """
    usual = sys.__stdout__
    raw = getattr(usual, "buffer", None)
    if usual is None or sys.stdout is not usual or not isinstance(raw, io.RawIOBase):
        yield
        return
    buffered = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=usual.encoding,
        errors=usual.errors,
        line_buffering=True,
    )
    sys.stdout = buffered
    try:
        yield
    finally:
        sys.stdout = usual
        with suppress(OSError):  # an error of the last write has been raised before
            buffered.detach().detach()


@contextmanager
def _logged_warnings() -> Iterator[None]:
    """Send the warnings of libraries to the log (``-v``) for a while, not to the user."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        log.info("%s: %s", category.__name__, message)

    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.showwarning = show
        yield


def _exit_on_signals() -> list[int]:
    """Make signals end the command by an exception, so that it cleans up.

    Returns
    -------
    list of int
        Numbers of the signals that have arrived; it grows as they do.
    """
    arrived: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        return arrived

    def stop(signum: int, frame: FrameType | None) -> None:
        arrived.append(signum)
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signum)

    for number in ENDING_SIGNALS:
        # what is ignored (nohup) stays ignored
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, stop)
    if sys.unraisablehook is sys.__unraisablehook__:
        repeat_lost_signals()
    return arrived
