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
#: A signal fills its row from these on, in µV and g: rest must look like rest.
_FULL_SCALE: Final = {"emg": 50.0, "acc": 0.02}
_WAVEFORM_LINES: Final = 3  # lines of a signal, where there is room
_OTHER_LINES: Final = 16  # lines for all else: the link, eight events, the keys
_BARS: Final = " ▁▂▃▄▅▆▇█"
_NO_SIGNAL: Final = "·"
_MAX_BATCHES: Final = 20  # batches read at once when a long night is opened


def draw_bars(
    sizes: Sequence[float | None], top: float, width: int, rows: int = _WAVEFORM_LINES
) -> str:
    """Draw sizes from the left to the right over a few lines of text.

    Parameters
    ----------
    sizes : sequence of float or None
        None where there was no signal: dots, for silence is no rest.
    top : float
        Size that fills the lines.
    width : int
        Characters in a line.
    rows : int
        How many lines.
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
    """Signals as sparklines, the link, and what came last.

    Parameters
    ----------
    watch : Watch
    counts : bool
        Whether to tell how many events there were; `c` changes it.
    """

    TITLE = "twitchsense live"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""  # the hidden words must not swallow the keys
    CSS = """
    Screen { background: black; color: #c8c8c8; }
    Static { margin: 0 1; }
    #trails { height: auto; }
    .trail { height: auto; color: #7aa2c0; }
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

    def __init__(self, watch: NightFollower, *, counts: bool = False) -> None:
        super().__init__()
        self.night = watch
        self.counts = counts
        self.failure: TwitchsenseError | None = None
        self._turn = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """Lay the view out."""
        yield Static(id="link", markup=False)
        yield Static(id="stored", markup=False)
        yield Vertical(id="trails")
        yield Static(id="last", markup=False)
        yield Static(id="events", markup=False)
        yield Static(id="marked", markup=False)
        yield Input(placeholder="what to remember; Enter stores it", max_length=200, id="words")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        self.set_interval(_PERIOD_S, self.look)

    async def look(self) -> None:
        """Read what is new, and show it."""
        async with self._turn:
            try:
                for _ in range(_MAX_BATCHES):
                    if not self.night.look():
                        break
            except TwitchsenseError as error:
                self.failure = error
                self.exit()
                return
            await self.show(self.night.state(counts=self.counts))

    async def show(self, state: dict[str, Any]) -> None:
        """Show a state."""
        if not self.query("#link"):
            return  # the view is being closed
        link = self.query_one("#link", Static)
        link.update(state["link"])
        link.set_class(state["silent"], "silent")
        stored = f"{state['frames']:,} packets stored, {state['lost']:,} lost"
        self.query_one("#stored", Static).update(f"{stored} · battery {state['battery']}")
        box = self.query_one("#trails", Vertical)
        room = (self.size.height - _OTHER_LINES) // max(1, len(state["trails"]))
        rows = min(_WAVEFORM_LINES, max(1, room - 1))  # a line is the name's
        for k, trail in enumerate(state["trails"]):
            low, high = trail["columns"]
            size = [
                None if h is None else max(abs(h), abs(lo or 0.0))
                for lo, h in zip(low, high, strict=True)
            ]
            top = max(_FULL_SCALE[trail["kind"]], *(s for s in size if s is not None), 0.0)
            unit = "µV" if trail["kind"] == "emg" else "g"
            told = f"{top:.0f}" if top >= 10 else f"{top:.2g}"
            name = f"{trail['name']}, half a minute, up to {told} {unit}"
            if not self.query(f"#trail{k}"):
                await box.mount(Static(id=f"name{k}", markup=False))
                await box.mount(Static(id=f"trail{k}", classes="trail", markup=False))
            self.query_one(f"#name{k}", Static).update(name)
            self.query_one(f"#trail{k}", Static).update(
                draw_bars(size, top, self.size.width - 2, rows)
            )
        lines = [
            f"{datetime.fromtimestamp(t):%H:%M:%S}  {kind}, {format_event_duration(s)}, {channel}"
            + ("" if settled else ", may still change")
            for t, kind, s, channel, settled in state["events"]
        ]
        if state["counts"] is not None:
            each = [f"{n} {kind}" for kind, n in state["counts"].items()]
            lines.append(f"Since this view was opened: {', '.join(each) or 'none yet'}")
        self.query_one("#events", Static).update("\n".join(lines))
        head = "What came last, provisional until the night is analysed:" if state["events"] else ""
        self.query_one("#last", Static).update(head)

    def action_counts(self) -> None:
        """Tell the counts, or leave them untold."""
        self.counts = not self.counts

    def action_mark(self) -> None:
        """Ask for the words of a marker."""
        words = self.query_one("#words", Input)
        words.add_class("open")
        words.focus()

    def action_leave(self) -> None:
        """Leave the words."""
        words = self.query_one("#words", Input)
        words.remove_class("open")
        words.value = ""
        self.set_focus(None)

    def action_mark_now(self, text: str) -> None:
        """Store a marker."""
        try:
            self.night.mark(text)
        except TwitchsenseError as error:
            self._say(str(error))
            return
        self._say(f"marker stored: {text or 'marker'}")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Store what was typed."""
        self.action_mark_now(event.value)
        self.action_leave()

    def _say(self, text: str) -> None:
        self.query_one("#marked", Static).update(printable(text))
