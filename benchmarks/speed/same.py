"""Compare all results of two versions of the program byte for byte.

    python -m benchmarks.speed.same RESULTS --inputs INPUTS [--data DATA] [--openhdemg FOLDER]
    python -m benchmarks.speed.same RESULTS --inputs INPUTS --against OTHER_RESULTS

Makes input recordings once (simulated captures of every scenario, a damaged night file, and
composed and real recordings if their folders are given), analyses each into a folder, and compares
all files with those of another run: tables (also at full precision), summaries, per-second
statistics, traces, and the packet-by-packet output of the live detector. To run another version,
put its ``src`` on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import twitchsense as ts
from benchmarks.real_recordings import captures as real_captures
from twitchsense.bench.latency import iter_packets
from twitchsense.detect.detector import Detector
from twitchsense.model.recording import Recording
from twitchsense.nightfile.row_format import packet_crc
from twitchsense.settings import get_profile

SIMULATED = {
    "night": [], "quiet": ["--channels", "1"], "rest_twitches": ["--wide"],
    "sleep_onset": ["--drift-ppm", "80"], "plm": ["--fs-emg", "500"], "fragmentary": ["--gzip"],
    "violent": ["--fs-emg", "2000", "--fs-acc", "50"], "artefacts": [], "hiccups": [],
    "trains": ["--acc-drift-ppm", "-60"], "alternation": [], "restless_onset": ["--leg", "left"],
    "labels": [], "staircase": [],
}  # fmt: skip
COMPOSED = ("rest_twitches", "frequent", "brief", "sleep_onset", "plm", "fragmentary", "violent",
            "night", "storm", "storm_twitches", "drift", "rate_error", "noise", "emg_only",
            "acc_only", "ladder")  # fmt: skip
SEEDS = (1, 2, 3)
MINUTES = {"sleep_onset": 12.0, "night": 15.0}
DEFAULT_MINUTES = 5.0
#: Recordings that are also pushed packet by packet; `Detector.peek` every so many packets.
LIVE = ("sim_night", "sim_trains", "composed_frequent_1", "composed_storm_2")
PEEK_EVERY = 3


def make_inputs(folder: Path, data: Path | None, openhdemg: Path | None) -> None:
    """Make the input recordings that do not exist yet.

    Each is a folder of captures or an npz file of arrays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for scenario, options in SIMULATED.items():
        out = folder / f"sim_{scenario}"
        if not out.exists():
            command = ["-m", "firmware_sim", "capture", "--out", str(out), "--minutes", "6"]
            command += ["--seed", "3", "--scenario", scenario, *options]
            subprocess.run([sys.executable, *command], check=True)
    if not (folder / "night_file").exists():
        _make_night_file(folder / "night_file")
    if data is not None and not (folder / "real").exists():
        (folder / "real").mkdir()
        list(real_captures(data, folder / "real"))
    if data is not None and openhdemg is not None:
        from benchmarks.accuracy.nights import compose

        for scenario in COMPOSED:
            for seed in SEEDS:
                path = folder / f"composed_{scenario}_{seed}.npz"
                if not path.exists():
                    minutes = MINUTES.get(scenario, DEFAULT_MINUTES)
                    place = {"data": data, "openhdemg": openhdemg, "minutes": minutes}
                    arrays, _ = compose(scenario, "tune", seed, **place)
                    stored = {f"{name}@{fs}": x for name, (x, fs) in arrays.items()}
                    np.savez(path, **stored)


def _make_night_file(folder: Path) -> None:
    """Record the simulated firmware, then damage packets in every way a reader distinguishes."""
    import sqlite3

    from benchmarks.speed.files import record
    from twitchsense.bench.synthetic import make_tile

    folder.mkdir()
    path = folder / "whole.night"
    record(path, make_tile(events_per_h=300), 1200)
    spoiled = folder / "spoiled.night"
    spoiled.write_bytes(path.read_bytes())
    db = sqlite3.connect(spoiled)
    rows = db.execute("SELECT boot, seq, arrival_ns, data FROM packet ORDER BY seq").fetchall()
    rng = np.random.default_rng(1)
    for row in rng.choice(len(rows), 400, replace=False).tolist():
        boot, seq, arrival, data = rows[row]
        bad, place = bytearray(data), int(rng.integers(len(data)))
        bad[place] ^= 1 << int(rng.integers(8))
        if row % 4 == 0:
            bad = bad[: max(1, place)]
        # odd rows: stored intact but received damaged; even rows: damaged on disk
        crc = packet_crc(seq, arrival, bytes(bad)) if row % 2 else zlib.crc32(data)
        sql = "UPDATE packet SET data = ?, crc = ? WHERE boot = ? AND seq = ?"
        db.execute(sql, (bytes(bad), crc, boot, seq))
    db.execute("DELETE FROM packet WHERE seq % 977 < 9")
    db.commit()
    db.close()


def recordings(inputs: Path) -> Iterator[tuple[str, Recording]]:
    """Yield each recording and its name."""
    for path in sorted(inputs.iterdir()):
        if path.suffix == ".npz":
            with np.load(path) as stored:
                names = [(key, *key.split("@")) for key in stored.files]
                arrays = {name: (stored[key], float(fs)) for key, name, fs in names}
            yield path.stem, Recording.from_arrays(arrays)
        elif path.name.startswith("sim_"):
            signals = ("emg.csv", "acc.csv", "emg.csv.gz", "acc.csv.gz", "wide.csv", "capture.csv")
            yield path.name, ts.read(*[path / n for n in signals if (path / n).exists()])
        elif path.is_dir():
            for capture in sorted(path.iterdir()):
                yield f"{path.name}_{capture.stem}", ts.read(capture)


def write_results(name: str, recording: Recording, out: Path) -> None:
    """Write all result files, tables at full precision, and the live output."""
    night = ts.analyze(recording)
    night.save(out, report=False)
    night.events.to_csv(out / "exact_events.csv")
    night.rejected.to_csv(out / "exact_rejected.csv")
    night.epochs.to_csv(out / "exact_epochs.csv")
    np.savez(out / "notes.npz", notes=np.array(night.notes, str))
    if name in LIVE:
        detector = Detector(get_profile("default-2026"), recording.channels)
        with (out / "live.txt").open("w") as file:
            for k, (at, chunk) in enumerate(iter_packets(recording, {"emg": 57, "acc": 38})):
                for f in detector.push(chunk):
                    print(at, "settled", _as_text(f), file=file)
                if k % PEEK_EVERY == 0:
                    for f in detector.peek():
                        print(at, "shown", _as_text(f), file=file)


#: Fields of a candidate that are compared, under the names that older versions gave them.
FIELDS = {
    "onset_ns": "onset_ns", "offset_ns": "offset_ns", "kind": "kind", "leg": "leg",
    "channel": "channel", "amplitude_uv": "amplitude_uv", "peak_g": "peak_g",
    "jerk_g_s": "jerk_g_s", "rise_ms": "rise_ms", "snr_db": "snr_db",
    "confidence": "confidence", "grade": "grade", "reason": "reason", "peak_ns": "peak_ns",
    "waveform": "shape", "features": "look", "parts": "parts",
}  # fmt: skip


def _as_text(candidate: object) -> str:
    fields = {old: getattr(candidate, n) for n, old in FIELDS.items()}
    values = {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in fields.items()}
    parts = ", ".join(_old_repr(part) for part in values["parts"])
    comma = "," if len(values["parts"]) == 1 else ""
    others = ", ".join(f"{n!r}: {v!r}" for n, v in values.items() if n != "parts")
    return f"{{{others}, 'parts': ({parts}{comma})}}"


def _old_repr(candidate: object) -> str:
    fields = ", ".join(
        f"{old}={getattr(candidate, n)!r}" for n, old in FIELDS.items() if n != "parts"
    )
    return f"Finding({fields}, parts=())"


def differences(one: Path, other: Path) -> list[str]:
    """Return the files of two result folders that differ."""
    names = sorted({p.relative_to(f) for f in (one, other) for p in f.rglob("*") if p.is_file()})
    return [str(n) for n in names if not _equal(one / n, other / n)]


def _equal(one: Path, other: Path) -> bool:
    if not (one.exists() and other.exists()):
        return False
    if one.suffix != ".npz":
        return one.read_bytes() == other.read_bytes()
    with np.load(one) as a, np.load(other) as b:  # compression may differ
        return a.files == b.files and all(
            a[n].dtype == b[n].dtype
            and a[n].shape == b[n].shape
            and a[n].tobytes() == b[n].tobytes()
            for n in a.files
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--inputs", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder of the real recordings")
    parser.add_argument("--openhdemg", type=Path, help="see benchmarks/accuracy")
    parser.add_argument("--against", type=Path, help="results of the other version")
    parser.add_argument("--only", default="", help="only recordings whose name starts with this")
    args = parser.parse_args()
    make_inputs(args.inputs, args.data, args.openhdemg)
    count = different = 0
    for name, recording in recordings(args.inputs):
        if not name.startswith(args.only):
            continue
        count += 1
        write_results(name, recording, args.results / name)
        if args.against is not None:
            found = differences(args.results / name, args.against / name)
            different += bool(found)
            if found:
                print(f"{name}: {', '.join(found)}", flush=True)
    suffix = f", {different} different" if args.against is not None else ""
    print(f"{ts.__file__}: {count} recordings{suffix}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
