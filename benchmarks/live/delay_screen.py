"""Delay of a twitch from the muscle to the screen in both live views, in real time.

    python -m benchmarks.live.delay_screen --view terminal --seconds 180
    python -m benchmarks.live.delay_screen --view browser --seconds 180     needs Chromium

A separate process simulates and records a wearable whose muscle fires at known times. The view is
the real one: the terminal application, or a Chromium with the page open. Measured are the time
from the onset of a burst until it is drawn in the signal, and from its end until its row is shown.
Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from firmware_sim.wearable.plug import make_options, open_air
from twitchsense.acquire.adapter import Adapter, DeviceSelector
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.cli.record import LIVE_PERIOD_S
from twitchsense.live.follower import NightFollower
from twitchsense.live.waveform_buffer import COLUMNS_PER_S
from twitchsense.live.web import LiveServer
from twitchsense.nightfile.recorder_clock import RecorderClock
from twitchsense.nightfile.writer import NightFileWriter

PERIOD = 3730  # samples between bursts; not a multiple of frames or polls
LENGTH = 60
FS = 1000
FIRST_S = 15.0  # the noise floor is estimated until then
_NOISE = np.random.default_rng(1).normal(0, 1, LENGTH + 8)
#: One burst in ADC counts of 0.2 µV, with the spectrum of muscle.
_BURST = 900 * np.hanning(LENGTH) * np.convolve(_NOISE, np.hanning(7), "same")[4:-4]
LARGE_UV = 60.0  # drawn amplitude that counts as the burst
POLL_S = 0.2  # polling interval of the file

#: Script in the page that records what is on the screen after each painted frame.
OBSERVER_SCRIPT = """
window.seen = [];
const Source = window.EventSource;
window.EventSource = class extends Source {
  set onmessage(call) {
    super.onmessage = (m) => { window.last = JSON.parse(m.data); call(m); };
  }
};
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    const { until, trails, events } = window.last;
    if (!trails.length) return;
    const [low, high] = trails[0].columns;
    requestAnimationFrame(() => window.seen.push([Date.now() / 1000, until, low, high, events]));
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-until"] });
});
"""


class FiringLeg:
    """Sample source: a leg at rest whose muscle fires every 3.73 s."""

    def read(self, stream: int, first: int, count: int) -> np.ndarray:
        """Return ``count`` samples of a stream, in ADC counts."""
        k = np.arange(first, first + count)
        rng = np.random.default_rng([stream, first])
        if stream == 2:
            still = rng.normal(0, 4, (count, 3))
            still[:, 2] += 4096
            return still.astype(np.int32)
        values = rng.normal(0, 15, (count, 2))
        inside = k % PERIOD < LENGTH
        values[inside] += _BURST[k[inside] % PERIOD, None]
        return values.astype(np.int32)


async def write(path: Path, seconds: float) -> None:
    """Record the wearable; print its boot time by the host clock, and its drift."""
    plan = make_options(minutes=seconds / 60 + 1, source=lambda model: FiringLeg())
    stop, night, loop = (
        asyncio.Event(),
        NightFileWriter(path, make_metadata()),
        asyncio.get_running_loop(),
    )
    async with open_air(wearable_options=[plan]) as air:
        radio = Adapter(air.scanner, air.client)
        (advertisement,) = await radio.scan(5, DeviceSelector("", "ts-0001"))
        recorder = Recorder(
            radio, night, [advertisement.address], now_ns=RecorderClock(), period_s=LIVE_PERIOD_S
        )
        loop.call_later(seconds, stop.set)
        await recorder.run(stop)
        boot = time.time() - (loop.time() - air.wearables[0].boot_time_s)
        print(json.dumps({"boot": boot, "drift": plan.drift_ppm * 1e-6}), flush=True)
    night.close()


#: One observation of the screen: time, right edge and columns of the first signal, rows.
Observation = tuple[float, float, list[float | None], list[float | None], list[list[Any]]]


async def observe_terminal(
    follower: NightFollower, writer: subprocess.Popen[str]
) -> list[Observation]:
    """Keep the terminal application open until the recorder ends; return the observations."""
    from twitchsense.live.terminal import LiveApp

    seen: list[Observation] = []

    class ObservedApp(LiveApp):
        async def show(self, state: dict[str, Any]) -> None:
            await super().show(state)
            if state["trails"]:
                low, high = state["trails"][0]["columns"]
                self.call_after_refresh(
                    lambda: seen.append((time.time(), state["until"], low, high, state["events"]))
                )

    async with ObservedApp(follower).run_test(size=(100, 36)):
        while writer.poll() is None:
            await asyncio.sleep(0.2)
    return seen


def observe_browser(follower: NightFollower, writer: subprocess.Popen[str]) -> list[Observation]:
    """Keep the page open in a Chromium until the recorder ends; return the observations."""
    from playwright.sync_api import sync_playwright

    server = LiveServer(follower)
    server.start()

    def follow() -> None:  # as `twitchsense live --browser` does
        while not server.stopped.is_set():
            if not follower.poll():
                time.sleep(POLL_S)

    threading.Thread(target=follow, daemon=True).start()
    seen: list[Observation] = []
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page()
        page.add_init_script(OBSERVER_SCRIPT)
        page.goto(server.address)
        while writer.poll() is None:
            page.wait_for_timeout(2000)
            seen += [tuple(s) for s in page.evaluate("window.seen.splice(0)")]
        chromium.close()
    server.stop()
    return seen


def measure_delays(
    seen: list[Observation], boot: float, drift: float, end: float
) -> dict[str, object]:
    """Return the delays of all bursts to the screen."""
    drawn, rowed = [], []
    every = PERIOD / FS / (1 + drift)
    first = int((max(FIRST_S, seen[0][0] - boot + 2.0)) / every) + 1
    last = int((end - boot - 3.0) / every)
    for k in range(first, last):
        began = boot + k * every
        signal = next((s[0] for s in seen if s[0] >= began and _shows(s, began)), None)
        stopped = began + LENGTH / FS
        row = next((s[0] for s in seen if any(abs(e[0] - began) < 0.5 for e in s[4])), None)
        drawn += [] if signal is None else [signal - began]
        rowed += [] if row is None else [row - stopped]
    bursts = last - first
    result = {name: quantiles(d) for name, d in (("signal_s", drawn), ("row_s", rowed))}
    return {"bursts": bursts, "drawn": len(drawn), "rows": len(rowed), **result}


def _shows(seen: Observation, began: float) -> bool:
    """Return whether the burst is drawn at its place, within about 0.3 s."""
    _, until, low, high, _ = seen
    place = len(high) - 1 - (math.floor(until * COLUMNS_PER_S) - math.floor(began * COLUMNS_PER_S))
    near = slice(max(0, place - 3), max(0, place + 5))
    sizes = [max(abs(a), abs(b)) for a, b in zip(low[near], high[near], strict=True)
             if a is not None and b is not None]  # fmt: skip
    return max(sizes, default=0.0) > LARGE_UV


def quantiles(delays: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and maximum, s."""
    if not delays:
        return {}
    q = np.quantile(delays, [0.5, 0.95, 1.0]).round(2).tolist()
    return dict(zip(("median", "p95", "most"), q, strict=True))


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--view", choices=("terminal", "browser"), default="terminal")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        asyncio.run(write(options.write, options.seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "n.night"
        writer = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.live.delay_screen", "--write", str(path),
             "--seconds", str(options.seconds)], stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        while not (path.exists() and path.stat().st_size):
            time.sleep(0.1)
        follower = NightFollower(path)
        if options.view == "terminal":
            seen = asyncio.run(observe_terminal(follower, writer))
        else:
            seen = observe_browser(follower, writer)
        assert writer.stdout is not None
        result = json.loads(writer.stdout.read())
        busy = {"cores": os.cpu_count(), "processes_that_want_one": round(os.getloadavg()[1], 1)}
        print(json.dumps({**measure_delays(seen, **result, end=seen[-1][0]), **busy}, indent=2))


if __name__ == "__main__":
    main()
