"""An LSL outlet on this computer, for tests; and the entry point of the driver."""

from __future__ import annotations

import threading
import time
from functools import cache
from importlib.metadata import entry_points

import numpy as np
import pytest

from twitchsense.devices.registry import ENTRY_POINT_GROUP


@cache
def finds_streams(pylsl):
    """Whether a stream of this computer is found: some sandboxes have no multicast."""
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("probe", "Probe", 1, 1.0, "int8", "probe"))
    found = pylsl.resolve_byprop("name", "probe", 1, 5.0)
    del outlet
    return bool(found)


def require_lsl():
    """Return pylsl, or skip: it is an extra, and its library is not on every platform."""
    try:
        import pylsl
    except ImportError:
        pytest.skip('pylsl is not installed (pip install ".[lsl]" in the clone)')
    except (RuntimeError, OSError) as error:
        pytest.skip(f"liblsl cannot be loaded ({error})")
    if not finds_streams(pylsl):
        pytest.skip("LSL finds no stream of this computer (is multicast allowed?)")
    return pylsl


def install_driver(monkeypatch, folder):
    """Add the entry point, where the project was installed before it had one."""
    if any(e.name == "lsl" for e in entry_points(group=ENTRY_POINT_GROUP)):
        return
    info = folder / "lsl_driver-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: lsl_driver\nVersion: 0\n")
    (info / "entry_points.txt").write_text(
        f"[{ENTRY_POINT_GROUP}]\nlsl = twitchsense.devices.lsl.lsl_driver:LslDriver\n"
    )
    monkeypatch.syspath_prepend(folder)


class Sender:
    """Sends a stream in real time from one thread, 20 blocks a second.

    Parameters
    ----------
    channels : list of (label, type, unit)
    fs : float
    rows : callable
        Returns the samples of given numbers, shape (n, channels).
    """

    def __init__(self, name, kind, channels, fs, rows, *, source_id="", format_="float32"):
        pylsl = require_lsl()
        info = pylsl.StreamInfo(name, kind, len(channels), fs, format_, source_id)
        described = info.desc().append_child("channels")
        for cells in channels:
            channel = described.append_child("channel")
            for key, text in zip(("label", "type", "unit"), cells, strict=True):
                channel.append_child_value(key, text)
        self.fs, self.rows = fs, rows
        self.number, self.skip = 0, 0
        self.outlet = pylsl.StreamOutlet(info)
        self.start_s = pylsl.local_clock()
        self.clock = pylsl.local_clock
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.stopped.is_set():
            time.sleep(0.05)
            due = int((self.clock() - self.start_s) * self.fs)
            lost, self.skip = self.skip, 0
            self.number += lost
            numbers = np.arange(self.number, due)
            if len(numbers) and self.outlet.have_consumers():
                stamps = self.start_s + numbers / self.fs
                for row, stamp in zip(self.rows(numbers), stamps, strict=True):
                    self.outlet.push_sample(row.tolist(), stamp)
            self.number = max(self.number, due)

    def close(self):
        self.stopped.set()
        self.thread.join()
        self.outlet = None
