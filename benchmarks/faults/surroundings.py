"""Runs every command in odd surroundings: streams, limits, locales, clocks, folders, signals.

``python -m benchmarks.faults.surroundings``: each command must give the results of usual
surroundings, or refuse with status 2 and leave nothing. A limit of the system may also end it by
"out of memory" or by the signal of the limit. The exit status is 1 if one did anything else.

A surrounding is a line of shell in which ``"$@"`` is the command. `odd_system.c` answers for the
system where a line of shell cannot: no locks, no sync, no rename, another clock.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.injection import list_files
from benchmarks.faults.odd_paths import write_good

_TIMEOUT_S = 300

#: Command lines; the working folder has the inputs of `odd_paths.write_good` beside it.
COMMANDS = (
    "analyze ../in/emg.csv ../in/capture/acc.csv --out out",
    "analyze ../in/a.night --out out --no-report",
    "report out",
    "trend ../in/nights --out out",
    "cohort ../in/list.csv --out out --workers 2",
    "export ../in/emg.csv --to bids --out out",
    "export ../in/results --to annot --out out",
    "agree ../in/results/events.csv ../in/truth.csv --json",
    "demo --out out --minutes 1",
    "repair ../in/a.night --out new.night",
    "record --device sim --out new.night --duration 2",
)
#: Parts of the names of results whose content differs from run to run.
_VARIES = re.compile(r"\.night|\.parquet|demo|report\.html|stdout")


@dataclass(frozen=True)
class Surrounding:
    """An odd surrounding.

    Attributes
    ----------
    name : str
    shell : str
        ``"$@"`` is the command, ``$BASE`` a folder for its own files.
    statuses : tuple of int
        Exit statuses that are right; after 0 the results must be there, otherwise nothing.
    """

    name: str
    shell: str
    statuses: tuple[int, ...] = (0, 2)


def _set(name: str, value: str) -> Surrounding:
    return Surrounding(f"{name}={value}", f"export {name}='{value}'; exec \"$@\"")


_MOUNTED = 'exec unshare -rm sh -c \'{}; exec "$@"\' sh "$@"'
_TMP = "mkdir -p $BASE/t && mount -t tmpfs -o size={} none $BASE/t; export TMPDIR=$BASE/t"
_READ_ONLY = "mount --bind {0} {0} && mount -o remount,bind,ro {0}"
_FAKE = 'export LD_PRELOAD=$BASE/odd_system.so ODD_SYSTEM="{}"; exec "$@"'
_CLOCK = 'export LD_PRELOAD=$BASE/odd_system.so ODD_CLOCK_S={}; exec "$@"'
_NOBODY = 'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'
_TWO = '"$@" & first=$!; "$@"; second=$?; wait $first; exit $(( $? > second ? $? : second ))'

_SENT = '"$@" & sleep 1; {}; wait $!'
_ISOLATED = "import os, sys; sys.path[:0] = os.environ['PYTHONPATH'].split(':'); " \
            "from twitchsense.cli.app import main; main()"  # fmt: skip

SURROUNDINGS = (
    Surrounding("umask 077", 'umask 077; exec "$@"'),
    Surrounding("umask 000", 'umask 000; exec "$@"'),
    Surrounding("no standard input", 'exec "$@" <&-'),
    Surrounding("no standard output", 'exec "$@" >&-'),
    Surrounding("no standard error", 'exec "$@" 2>&-', statuses=(0,)),
    Surrounding("no streams", 'exec "$@" <&- >&- 2>&-', statuses=(0,)),
    Surrounding("standard output to /dev/full", 'exec "$@" >/dev/full'),
    Surrounding("standard error to /dev/full", 'exec "$@" 2>/dev/full'),
    *(Surrounding(f"ulimit -f {n}", f'ulimit -f {n}; exec "$@"') for n in (0, 4, 64)),
    *(Surrounding(f"ulimit -n {n}", f'ulimit -n {n}; exec "$@"') for n in (6, 16, 24, 48)),
    *(Surrounding(f"ulimit -v {n}", f'ulimit -v {n}; exec "$@"', statuses=(0, 1, 2))
      for n in (150_000, 400_000, 700_000, 1_200_000)),
    Surrounding("ulimit -t 1", 'ulimit -t 1; exec "$@"', statuses=(0, 2, -9, -24, 152)),
    Surrounding("ulimit -s 256", 'ulimit -s 256; exec "$@"'),
    Surrounding("two at once into one folder", _TWO),
    Surrounding("no HOME", 'unset HOME; exec "$@"'),
    _set("HOME", "/nonexistent"),
    _set("HOME", "/dev/null"),
    _set("HOME", "relative"),
    Surrounding("another user, no HOME", "unset HOME; " + _NOBODY),
    Surrounding("another user, HOME of root", "export HOME=/root; " + _NOBODY),
    Surrounding("another user, folder of another", "chmod 755 .; chown 0 .; " + _NOBODY),
    Surrounding("no environment", 'exec env -i "PYTHONPATH=$PYTHONPATH" "$@"'),
    _set("TMPDIR", "/nonexistent"),
    _set("TMPDIR", "/dev/null"),
    _set("TMPDIR", "/proc"),
    Surrounding("TMPDIR full", _MOUNTED.format(_TMP.format("4k") + "; echo x >$BASE/t/x")),
    Surrounding("TMPDIR of 256 kB", _MOUNTED.format(_TMP.format("256k"))),
    Surrounding("read-only folder", _MOUNTED.format(_READ_ONLY.format(".") + '; cd "$PWD"')),
    Surrounding("read-only inputs", _MOUNTED.format(_READ_ONLY.format("../in"))),
    _set("PYTHONWARNINGS", "error"),
    _set("PYTHONWARNINGS", "default"),
    _set("PYTHONWARNDEFAULTENCODING", "1"),
    _set("PYTHONDEVMODE", "1"),
    _set("PYTHONHASHSEED", "0"),
    _set("PYTHONHASHSEED", "4294967295"),
    _set("PYTHONOPTIMIZE", "2"),
    _set("PYTHONUNBUFFERED", "1"),
    _set("PYTHONIOENCODING", "ascii"),
    _set("PYTHONIOENCODING", "utf-16"),
    _set("PYTHONINTMAXSTRDIGITS", "640"),
    _set("LC_ALL", "C"),
    Surrounding("LC_ALL=C without UTF-8",
                'export LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0; exec "$@"'),
    _set("LC_ALL", "tr_TR.UTF-8"),
    _set("LC_ALL", "xx_XX.nothing"),
    _set("TZ", ""),
    _set("TZ", "Pacific/Kiritimati"),
    _set("TZ", "XYZ-24:59:59ABC,0/0,365/167"),
    _set("TZ", ":/etc/passwd"),
    _set("TZ", ":/dev/null"),
    _set("TZ", "../../x\ny"),
    Surrounding("working folder deleted", 'mkdir gone; cd gone; rmdir ../gone; '
                'exec "$@"', statuses=(2,)),
    _set("COLUMNS", "1"),
    _set("COLUMNS", "many"),
    _set("TERM", "nothing"),
    _set("OMP_NUM_THREADS", "0"),
    _set("OPENBLAS_NUM_THREADS", "many"),
    _set("MPLBACKEND", "nothing"),
    _set("MPLCONFIGDIR", "/proc"),
    Surrounding("no PATH", 'export PATH=; exec "$@"'),
    Surrounding("stopped and continued", _SENT.format("kill -STOP $!; sleep 1; kill -CONT $!")),
    Surrounding("SIGPIPE", _SENT.format("kill -PIPE $!")),
    Surrounding("SIGHUP", _SENT.format("kill -HUP $!"), statuses=(0, 2, 129)),
    Surrounding("SIGHUP ignored", 'trap "" HUP; ' + _SENT.format("kill -HUP $!")),
    Surrounding("SIGQUIT", _SENT.format("kill -QUIT $!"), statuses=(0, 2, 131)),
    Surrounding("SIGWINCH", _SENT.format("kill -WINCH $!")),
    Surrounding("nice 19", 'exec nice -n 19 "$@"'),
    *(Surrounding(name, _FAKE.format(name))
      for name in ("no locks", "no sync", "failing sync", "no rename")),
    Surrounding("clock before 1970", _CLOCK.format(-1_900_000_000)),
    Surrounding("clock in 1901", _CLOCK.format(-4_000_000_000)),
    Surrounding("clock in 2100", _CLOCK.format(2_400_000_000)),
    Surrounding("clock in 2400", _CLOCK.format(12_000_000_000)),
    Surrounding("python -O", 'shift; exec "$PYTHON" -O "$@"'),
    Surrounding("python -I", 'shift 3; exec "$PYTHON" -I -c "$ISOLATED" "$@"'),
    Surrounding("imported from a zip file", 'export PYTHONPATH=$BASE/package.zip; exec "$@"'),
)  # fmt: skip


def main() -> int:
    """Run all cases; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    statuses: Counter[int] = Counter()
    n_bad = 0
    with tempfile.TemporaryDirectory(prefix="odd-") as name:
        base = Path(name)
        base.chmod(0o755)
        inputs = base / "in"
        inputs.mkdir()
        write_good(inputs)
        _prepare(base)
        for command in COMMANDS:
            usual = _run(base, command, Surrounding("usual", 'exec "$@"'))
            assert usual[0] == 0, usual[1]
            for surrounding in SURROUNDINGS:
                case = f"{command} | {surrounding.name}"
                if options.only not in case:
                    continue
                before = list_files(inputs)
                status, message, files = _run(base, command, surrounding)
                statuses[status] += 1
                problem = _problem(surrounding, status, message, files, usual[2],
                                   _before(command, inputs))  # fmt: skip
                if list_files(inputs) != before:
                    problem = f"inputs changed; {problem}"
                if problem:
                    n_bad += 1
                    print(f"{case}: exit {status}: {problem}")
                    print("    " + message.strip()[-700:].replace("\n", "\n    "), flush=True)
                elif status:
                    print(f"({case}: {status}: {message.strip()[-200:]})", flush=True)
    print(f"{statuses.total()} cases, exit statuses {dict(statuses)}, {n_bad} wrong")
    return 1 if n_bad else 0


def _prepare(base: Path) -> None:
    source = Path(__file__).with_name("odd_system.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", base / "odd_system.so", source, "-ldl"],
                   check=True)  # fmt: skip
    import twitchsense

    package = Path(twitchsense.__file__).parent
    shutil.make_archive(str(base / "package"), "zip", package.parent)


def _before(command: str, inputs: Path) -> dict[str, str]:
    if not command.startswith("report"):
        return {}
    return {"out/": "", **{f"out/{k}": v for k, v in list_files(inputs / "results").items()}}


def _run(base: Path, command: str, surrounding: Surrounding) -> tuple[int, str, dict[str, str]]:
    """Run a command; return its status, its standard error and the files that it left."""
    work = base / "work"
    work.mkdir()
    if command.startswith("report"):
        shutil.copytree(base / "in" / "results", work / "out")
    if "another user" in surrounding.name:
        for path in (work, *work.rglob("*")):
            os.chown(path, 65534, 65534)
    environment = {**os.environ, "BASE": str(base), "PYTHON": sys.executable,
                   "ISOLATED": _ISOLATED}  # fmt: skip
    shell = ["bash", "-c", surrounding.shell, "bash", sys.executable, "-m", "twitchsense.cli"]
    try:
        done = subprocess.run(
            [*shell, *command.split()], cwd=work, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=_TIMEOUT_S, check=False,
            errors="replace", encoding="utf-8",
        )  # fmt: skip
        status, message = done.returncode, done.stderr
    except subprocess.TimeoutExpired:
        status, message = 124, ""
    files = list_files(work)
    shutil.rmtree(work)
    return status, message, files


def _problem(surrounding: Surrounding, status: int, message: str, files: dict[str, str],
             usual: dict[str, str], before: dict[str, str]) -> str:  # fmt: skip
    if status not in surrounding.statuses or "Traceback" in message:
        return "status"
    if status:
        if surrounding.shell == _TWO and files == usual:
            return ""  # the later one is refused, beside the results of the other
        if files != before:
            return f"left {sorted(set(files.items()) ^ set(before.items()))[:4]}"
        silent = not message.strip() and status in (1, 2)
        return "no message" if silent and "standard error" not in surrounding.name else ""
    if files.keys() != usual.keys():
        return f"files {sorted(files.keys() ^ usual.keys())[:4]}"
    other = [k for k, v in files.items() if v != usual[k] and not _VARIES.search(k)]
    return f"other content in {other[:4]}" if other else ""


if __name__ == "__main__":
    sys.exit(main())
