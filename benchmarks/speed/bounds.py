"""What limits the speed of the detector: the causal filter and the interpreter lock.

    python -m benchmarks.speed.bounds

Prints the time per sample of `scipy.signal.sosfilt` (by number of sections, data type and channels
per call), of the same loop compiled with numba if that is installed (plain, and skewed: section k
works on the sample before that of section k - 1, so that none waits for another), and the speed-up
by two threads on a filter and on two whole channels. The measurements are in ADR 12.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count

import numpy as np
from scipy import signal

from twitchsense.bench.synthetic import make_tile, tile_recording
from twitchsense.detect.candidates.emg_segment import EmgSegment
from twitchsense.settings import get_profile

N = 60_000
SOS = signal.butter(4, (20, 400), "bandpass", fs=1000, output="sos")
X = np.random.default_rng(0).normal(size=N)


def min_cpu_s(job: Callable[[], object], times: int = 20) -> float:
    """Return the minimum processor time (s) of several runs."""
    found = []
    for _ in range(times):
        begin = time.process_time()
        job()
        found.append(time.process_time() - begin)
    return min(found)


def sosfilt_ns(sections: int, kind: type) -> float:
    sos = np.concatenate([SOS] * 3)[:sections].astype(kind)
    x, zi = X.astype(kind), np.zeros((sections, 2), kind)
    return min_cpu_s(lambda: signal.sosfilt(sos, x, zi=zi)) / N * 1e9


def compiled_ns() -> dict[str, float]:
    """Return the time per sample (ns) of compiled loops, bit-identical to scipy."""
    import numba

    @numba.njit
    def plain(sos, x, z):
        y = np.empty(len(x))
        for i in range(len(x)):
            v = x[i]
            for s in range(len(sos)):
                o = sos[s, 0] * v + z[s, 0]
                z[s, 0] = sos[s, 1] * v - sos[s, 4] * o + z[s, 1]
                z[s, 1] = sos[s, 2] * v - sos[s, 5] * o
                v = o
            y[i] = v
        return y

    @numba.njit
    def skewed(sos, x, z):
        n = len(x)
        y = np.empty(n)
        (b0, b1, b2, _, a1, a2), (c0, c1, c2, _, d1, d2) = sos[0], sos[1]
        (e0, e1, e2, _, f1, f2), (g0, g1, g2, _, h1, h2) = sos[2], sos[3]
        p0, p1, q0, q1, r0, r1, s0, s1 = (
            z[0, 0], z[0, 1], z[1, 0], z[1, 1], z[2, 0], z[2, 1], z[3, 0], z[3, 1],
        )  # fmt: skip
        v1 = v2 = v3 = 0.0
        for i in range(n + 3):
            if i >= 3:
                o = g0 * v3 + s0
                s0, s1 = g1 * v3 - h1 * o + s1, g2 * v3 - h2 * o
                y[i - 3] = o
            if 2 <= i < n + 2:
                v3 = e0 * v2 + r0
                r0, r1 = e1 * v2 - f1 * v3 + r1, e2 * v2 - f2 * v3
            if 1 <= i < n + 1:
                v2 = c0 * v1 + q0
                q0, q1 = c1 * v1 - d1 * v2 + q1, c2 * v1 - d2 * v2
            if i < n:
                v = x[i]
                v1 = b0 * v + p0
                p0, p1 = b1 * v - a1 * v1 + p1, b2 * v - a2 * v1
        return y

    zi = np.zeros((len(SOS), 2))
    expected = signal.sosfilt(SOS, X, zi=zi)[0]
    times_ns = {}
    for loop, four in ((plain, SOS), (skewed, tuple(map(tuple, SOS.tolist())))):
        assert np.array_equal(loop(four, X, zi.copy()), expected)
        times_ns[loop.__name__] = min_cpu_s(lambda f=loop, s=four: f(s, X, zi.copy())) / N * 1e9
    return times_ns


def thread_speed_up(jobs: list[Callable[[], object]]) -> float:
    """Return the speed-up of jobs in threads over the same jobs in sequence (wall-clock time)."""
    best = [np.inf, np.inf]
    for _ in range(3):
        begin = time.perf_counter()
        for job in jobs:
            job()
        best[0] = min(best[0], time.perf_counter() - begin)
        threads = [threading.Thread(target=job) for job in jobs]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        best[1] = min(best[1], time.perf_counter() - begin)
    return best[0] / best[1]


def channel_jobs() -> list[Callable[[], object]]:
    """Return one job per EMG channel: candidate detection over half an hour."""
    recording = tile_recording(make_tile(), 1800)
    settings = get_profile("default-2026")

    def follow(name: str) -> None:
        track = EmgSegment(recording.channel(name), 0, settings, count())
        samples = recording.segments_of(name)[0].samples
        for first in range(0, len(samples), N):
            track.push(samples.read(first, first + N))

    names = [c.name for c in recording.channels if c.kind == "emg"]
    return [lambda n=name: follow(n) for name in names]


def main() -> None:
    print("sosfilt, ns per sample | float64 | float32\n---|---|---")
    for sections in (1, 2, 4, 6, 10):
        cells = [f"{sosfilt_ns(sections, kind):.1f}" for kind in (np.float64, np.float32)]
        print(f"{sections} sections | {' | '.join(cells)}")
    both, zi = np.stack([X, X]), np.zeros((4, 2, 2))
    together = min_cpu_s(lambda: signal.sosfilt(SOS, both, axis=-1, zi=zi)) / N / 2 * 1e9
    print(f"4 sections, two channels in one call | {together:.1f} |")
    try:
        for name, ns in compiled_ns().items():
            print(f"4 sections, numba, {name} | {ns:.1f} |")
    except ImportError:
        print("numba is not installed")
    one = [lambda: [signal.sosfilt(SOS, X) for _ in range(50)]]
    print(f"\ntwo threads: {thread_speed_up(one * 2):.2f} times as fast on filters, ", end="")
    print(f"{thread_speed_up(channel_jobs()):.2f} times on two whole channels")


if __name__ == "__main__":
    main()
