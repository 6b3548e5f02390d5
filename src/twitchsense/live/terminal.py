"""The live view in a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import numpy as np
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, Static

from twitchsense.errors import TwitchsenseError
from twitchsense.live.follower import NightFollower
from twitchsense.report.time_labels import format_event_duration
from twitchsense.text import printable

_PERIOD_S: Final = 0.25
#: Minimum full scale (µV, g): a signal at rest must not fill the height.
_FULL_SCALE: Final = {"emg": 50.0, "acc": 0.02}
_WAVEFORM_LINES: Final = 3  # lines per waveform, if there is room
_OTHER_LINES: Final = 16  # lines of everything else: status, eight events, keys
_BARS: Final = " ▁▂▃▄▅▆▇█"
_NO_SIGNAL: Final = "·"
_MAX_BATCHES: Final = 20  # per poll, when a long night is opened


def draw_bars(
    sizes: Sequence[float | None], top: float, width: int, rows: int = _WAVEFORM_LINES
) -> str:
    """Draw a bar chart with block characters, from left to right.

    Parameters
    ----------
    sizes : sequence of float or None
        Height of each bar; None where there is no signal, which is drawn as dots.
    top : float
        Value that fills all lines.
    width : int
        Characters per line; adjacent sizes are combined by their maximum.
    rows : int
        Number of lines.

    Returns
    -------
    str
        `rows` lines.
    """
    columns = []
    for part in np.array_split(np.array(sizes, np.float64), max(1, width)):
        known = part[~np.isnan(part)]
        full = None if not len(known) else max(1, round(known.max() / top * rows * 8))
        columns.append(full)
    lines = []
    for row in reversed(range(rows)):
        lines.append(
            "".join(
                (_NO_SIGNAL if row == 0 else " ")
                if full is None
                else _BARS[min(8, max(full - 8 * row, 0))]
                for full in columns
            )
        )
    return "\n".join(lines)


class LiveApp(App[None]):
    """Waveforms as sparklines, the state of the connection, and the newest events.

    Parameters
    ----------
    follower : NightFollower
    counts : bool
        Whether to show the number of events of each kind; the key `c` toggles it.

    Attributes
    ----------
    failure : TwitchsenseError or None
        Error of a poll, which ended the application.
    """

    TITLE = "twitchsense live"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""  # the hidden text field must not receive the keys
    CSS = """
    Screen { background: black; color: #c8c8c8; }
    Static { margin: 0 1; }
    #waveforms { height: auto; }
    .waveform { height: auto; color: #7aa2c0; }
    #link { text-style: bold; }
    #link.silent { color: #e8a06a; }
    #stored, #last { color: #8a8a8a; }
    #stored { margin: 0 1 1 1; }
    #last { margin: 1 1 0 1; }
    #words { display: none; }
    #words.open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Marker"),
        Binding("l", "mark_now('lights out')", "Lights out"),
        Binding("c", "counts", "Counts on/off"),
        Binding("q", "quit", "Close the view"),
        Binding("escape", "leave", show=False),
    ]

    def __init__(self, follower: NightFollower, *, counts: bool = False) -> None:
        super().__init__()
        self.follower = follower
        self.counts = counts
        self.failure: TwitchsenseError | None = None
        self._poll_lock = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """Create the widgets of the view."""
        yield Static(id="link", markup=False)
        yield Static(id="stored", markup=False)
        yield Vertical(id="waveforms")
        yield Static(id="last", markup=False)
        yield Static(id="events", markup=False)
        yield Static(id="marked", markup=False)
        yield Input(placeholder="text of the marker; Enter stores it", max_length=200, id="words")
        yield Footer()

    def on_mount(self) -> None:
        """Start polling."""
        self.set_interval(_PERIOD_S, self.poll)

    async def poll(self) -> None:
        """Read new rows of the night file and show them."""
        async with self._poll_lock:
            try:
                for _ in range(_MAX_BATCHES):
                    if not self.follower.poll():
                        break
            except TwitchsenseError as error:
                self.failure = error
                self.exit()
                return
            await self.show(self.follower.state(counts=self.counts))

    async def show(self, state: dict[str, Any]) -> None:
        """Show a state of the follower.

        Parameters
        ----------
        state : dict
            Result of `NightFollower.state`.
        """
        if not self.query("#link"):
            return  # the application is exiting
        link = self.query_one("#link", Static)
        link.update(state["link"])
        link.set_class(state["silent"], "silent")
        stored = f"{state['frames']:,} packets stored, {state['lost']:,} lost"
        self.query_one("#stored", Static).update(f"{stored} · battery {state['battery']}")
        box = self.query_one("#waveforms", Vertical)
        room = (self.size.height - _OTHER_LINES) // max(1, len(state["waveforms"]))
        rows = min(_WAVEFORM_LINES, max(1, room - 1))  # one line is the name
        for k, waveform in enumerate(state["waveforms"]):
            low, high = waveform["columns"]
            size = [
                None if h is None else max(abs(h), abs(lo or 0.0))
                for lo, h in zip(low, high, strict=True)
            ]
            top = max(_FULL_SCALE[waveform["kind"]], *(s for s in size if s is not None), 0.0)
            unit = "µV" if waveform["kind"] == "emg" else "g"
            scale = f"{top:.0f}" if top >= 10 else f"{top:.2g}"
            name = f"{waveform['name']}, last 30 s, up to {scale} {unit}"
            if not self.query(f"#waveform{k}"):
                await box.mount(Static(id=f"name{k}", markup=False))
                await box.mount(Static(id=f"waveform{k}", classes="waveform", markup=False))
            self.query_one(f"#name{k}", Static).update(name)
            self.query_one(f"#waveform{k}", Static).update(
                draw_bars(size, top, self.size.width - 2, rows)
            )
        lines = [
            f"{datetime.fromtimestamp(t):%H:%M:%S}  {kind}, {format_event_duration(s)}, {channel}"
            + ("" if is_final else ", may still change")
            for t, kind, s, channel, is_final in state["events"]
        ]
        if state["counts"] is not None:
            each = [f"{n} {kind}" for kind, n in state["counts"].items()]
            lines.append(f"Since this view was opened: {', '.join(each) or 'none yet'}")
        self.query_one("#events", Static).update("\n".join(lines))
        head = "Latest events, provisional until the night is analysed:" if state["events"] else ""
        self.query_one("#last", Static).update(head)

    def action_counts(self) -> None:
        """Show or hide the counts."""
        self.counts = not self.counts

    def action_mark(self) -> None:
        """Open the text field of a marker."""
        words = self.query_one("#words", Input)
        words.add_class("open")
        words.focus()

    def action_leave(self) -> None:
        """Close the text field."""
        words = self.query_one("#words", Input)
        words.remove_class("open")
        words.value = ""
        self.set_focus(None)

    def action_mark_now(self, text: str) -> None:
        """Store a marker.

        Parameters
        ----------
        text : str
            Text of the marker.
        """
        try:
            self.follower.add_marker(text)
        except TwitchsenseError as error:
            self._show_message(str(error))
            return
        self._show_message(f"marker stored: {text or 'marker'}")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Store the text that was entered as a marker."""
        self.action_mark_now(event.value)
        self.action_leave()

    def _show_message(self, text: str) -> None:
        self.query_one("#marked", Static).update(printable(text))
