"""How well a detector could do that knows the waveform: a whitened matched filter.

Each twitch is looked for with its own clean waveform, in all EMG channels at once, after the
recording was whitened minute by minute (so that steady hum is mostly gone). The statistic is that
of a known signal in Gaussian noise of at least the expected power: the matched filter's output,
divided by the noise that is left around it when the best copy of the waveform is taken away
(which turns down pops and heart beats of other shapes). A twitch counts as found if its own
statistic, within 5 ms of where it lies, is above the largest of the same filter over the whole
recording without its targets, or above as many as the false alarms allowed per hour.

    python -m benchmarks.accuracy.bound --data FOLDER --openhdemg FOLDER [--cache FOLDER]
        [--split test] [--seeds 9 10] [--scenarios storm_twitches ...]

prints how many it finds of the twitches that have to be found, and of the clear ones, by false
alarms an hour. Each twitch's filter has the recording to itself: with a filter for every unit at
once the false alarms of all of them would add up, so what it finds is more than such a bank would.

No detector that does not know the waveform, of which there is one per unit and electrode, gets
as far in such noise; one that takes known heart beats or firing units out of the signal first may
get further where these are.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage, signal

from benchmarks.accuracy.cache import Source, add_options
from benchmarks.accuracy.nights import SCENARIOS, Arrays
from benchmarks.accuracy.score import Score, score
from benchmarks.accuracy.tally import CLEAR_SNR

ALARMS_PER_HOUR = 1.0
BLOCK_S = 60.0
NEAR_S = 0.005
#: Around targets nothing counts as background.
MARGIN_S = 0.3
BAND_HZ = (20.0, 450.0)
#: No peak of the statistic below this is an alarm, or a find.
LEAST = 3.0
#: Of more twitches in one recording, so many are drawn: each costs a pass over all of it.
MOST = 250
#: False alarms an hour for which the finds are told.
RATES = (0, 1, 5, 10, 20)


def find_known(arrays: Arrays, truth: pd.DataFrame) -> Score:
    """Return what a matched filter finds of the twitches to be found, as a score without events.

    Its targets have a column `alarms`: so many false alarms an hour come with a threshold at
    which this twitch is found.
    """
    nothing = pd.DataFrame({"onset": [], "duration": [], "trial_type": []})
    out = score(nothing.astype({"onset": float, "duration": float, "trial_type": object}), truth)
    out.targets = out.targets[(out.targets.trial_type == "twitch") & out.targets.needed].copy()
    waves = truth.attrs["waves"]
    channels = [x for name, (x, _) in arrays.items() if name.startswith("emg")]
    if not channels or not waves.rows:
        return out
    fs = next(fs for name, (_, fs) in arrays.items() if name.startswith("emg"))
    white, shapers = _whitened([np.nan_to_num(x - np.nanmedian(x)) for x in channels], fs)
    real = truth[truth.trial_type != "artifact"].index
    needed = np.flatnonzero(np.isin(waves.rows, real[out.targets.index]))
    drawn = np.random.default_rng(0).permutation(needed)
    quiet = _background(truth, white.shape[1], fs)
    hours = quiet.sum() / fs / 3600
    alarms = {}
    for k in sorted(drawn[:MOST]):
        row, start, piece = waves.rows[k], waves.starts[k], waves.pieces[k]
        own = signal.resample_poly(piece, 1, 2, axis=1) if waves.fs > fs else piece
        statistic = _statistic(white, shapers, own, start, fs)
        # Place of each output: the sample at which the piece begins.
        at, near = round(start * fs), max(round(NEAR_S * fs), 1)
        mine = statistic[max(at - near, 0) : at + near + 1].max(initial=0.0)
        others = _peaks(np.where(quiet[: len(statistic)], statistic, 0.0), fs)
        alarms[row] = (others >= mine).sum() / hours if mine > LEAST else np.inf
    out.targets = out.targets[[real[i] in alarms for i in out.targets.index]].copy()
    out.targets["alarms"] = [alarms[real[i]] for i in out.targets.index]
    out.targets["hit"] = out.targets.alarms <= ALARMS_PER_HOUR
    out.targets["called"] = np.where(out.targets.hit, "twitch", "")
    return out


def _whitened(channels: list[np.ndarray], fs: float) -> tuple[np.ndarray, list[list[np.ndarray]]]:
    """Return channels whitened in blocks, and each block's filter per channel."""
    block, pad = round(BLOCK_S * fs), round(fs)
    out, shapers = [], []
    for x in channels:
        parts, mine = [], []
        for first in range(0, len(x), block):
            a, b = max(first - pad, 0), min(first + block + pad, len(x))
            piece = x[a:b]
            taps = _shaper(piece, fs)
            white = signal.oaconvolve(piece, taps, "same")
            parts.append(white[first - a : first - a + min(block, len(x) - first)])
            mine.append(taps)
        out.append(np.concatenate(parts))
        shapers.append(mine)
    return np.array(out, np.float32), shapers


def _shaper(x: np.ndarray, fs: float) -> np.ndarray:
    """Return a linear-phase whitening filter for the band, from the median spectrum."""
    width = round(fs)
    _, power = signal.welch(x, fs, nperseg=min(width, len(x)), average="median")
    grid = np.fft.rfftfreq(width, 1 / fs)
    power = np.interp(grid, np.linspace(0, fs / 2, len(power)), power)
    inside = (grid >= BAND_HZ[0]) & (grid <= min(BAND_HZ[1], 0.45 * fs))
    size = np.where(inside, 1 / np.sqrt(np.maximum(power, 1e-9)), 0.0)
    return np.roll(np.fft.irfft(size, width), width // 2) * np.hanning(width)


def _statistic(
    white: np.ndarray, shapers: list[list[np.ndarray]], piece: np.ndarray, start: float, fs: float
) -> np.ndarray:
    """Return the statistic for the piece beginning at each sample."""
    block = min(int(start / BLOCK_S), len(shapers[0]) - 1)
    n = piece.shape[1]
    known = np.array([
        signal.oaconvolve(x, taps[block], "same") if n >= len(taps[block])
        else np.convolve(x, taps[block])[len(taps[block]) // 2 :][:n]
        for x, taps in zip(piece, shapers, strict=True)
    ])  # fmt: skip
    known = (known / np.sqrt((known**2).sum())).astype(np.float32)
    matched = sum(signal.oaconvolve(w, k[::-1], "valid") for w, k in zip(white, known, strict=True))
    energy = sum(
        ndimage.uniform_filter1d(w**2, n, origin=-((n - 1) // 2), mode="constant")[: len(matched)]
        * n
        for w in white
    )
    level = np.median(np.abs(matched)) / 0.6745  # of one noise sample, whatever the scale
    rest = np.maximum(energy - matched**2, 0) / (n * len(white) - 1)
    usual = np.median(rest)
    return matched / (level * np.sqrt(np.maximum(rest / usual, 1.0)))


def _background(truth: pd.DataFrame, n: int, fs: float) -> np.ndarray:
    """Return where no target is near."""
    quiet = np.ones(n, bool)
    for row in truth[truth.trial_type != "artifact"].itertuples():
        a, b = row.onset - MARGIN_S, row.onset + row.duration + MARGIN_S
        quiet[max(round(a * fs), 0) : max(round(b * fs), 0)] = False
    return quiet


def _peaks(statistic: np.ndarray, fs: float) -> np.ndarray:
    """Return the heights of separate peaks."""
    peaks, _ = signal.find_peaks(statistic, height=LEAST, distance=max(round(0.1 * fs), 1))
    return statistic[peaks]


def targets_of(job: tuple[Source, str, int]) -> pd.DataFrame:
    """Return the twitches drawn of one recording, with their false alarms an hour."""
    source, scenario, seed = job
    rows = find_known(*source.compose(scenario, seed)).targets
    return rows.assign(scenario=scenario, seed=seed)


def tell(title: str, targets: pd.DataFrame) -> str:
    """Return a line: how many are found at each rate of false alarms."""
    shares = ", ".join(f"{(targets.alarms <= rate).mean():.3f} at {rate}" for rate in RATES)
    return f"{title}: {len(targets)} drawn; found, by false alarms an hour: {shares}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--split", choices=("tune", "test"), default="test")
    parser.add_argument("--seeds", type=int, nargs="+", default=[9, 10])
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=["storm_twitches"])
    parser.add_argument("--rows", type=Path, help="save the twitches here, as CSV")
    args = parser.parse_args()
    source = Source(args.split, args.data, args.openhdemg, args.cache)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes share the machine
    with ProcessPoolExecutor(2) as pool:
        jobs = [(source, s, k) for s in args.scenarios for k in args.seeds]
        targets = pd.concat(pool.map(targets_of, jobs), ignore_index=True)
    if args.rows:
        targets.to_csv(args.rows, index=False)
    groups = [*targets.groupby("scenario", sort=False)]
    if len(groups) > 1:
        groups.append(("all", targets))
    for name, rows in groups:
        print(tell(f"{name}, twitches", rows))
        print(tell(f"{name}, clear ones", rows[rows.snr >= CLEAR_SNR]))


if __name__ == "__main__":
    main()
