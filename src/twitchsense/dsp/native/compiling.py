"""Compile the kernels: at installation by the build hook, or by ``python compiling.py``.

This module imports the standard library only, because the build hook runs it where nothing
else is installed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

#: Folder of the sources; the library is looked for beside them.
FOLDER = Path(__file__).resolve().parent
#: Contraction to fused multiply-add would change bits; vectorization (-O3) does not.
FLAGS = (
    "-std=c11",
    "-O3",
    "-ffp-contract=off",
    "-fno-fast-math",
    "-fno-math-errno",
    "-fvisibility=hidden",
    "-shared",
)
_SUFFIXES = {"win32": ".dll", "darwin": ".dylib"}
_TIMEOUT_S = 120.0


def kernels_name() -> str:
    """Return the file name of the library that belongs to the sources and this machine."""
    digest = hashlib.sha256(" ".join((*FLAGS, platform.machine())).encode())
    for path in sorted([*FOLDER.glob("*.c"), *FOLDER.glob("*.h")]):
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return f"kernels-{digest.hexdigest()[:12]}{_SUFFIXES.get(sys.platform, '.so')}"


def find_compiler() -> list[str] | None:
    """Return the command of a C compiler: ``$CC``, or the first of cc, gcc and clang."""
    if command := shlex.split(os.environ.get("CC", "")):
        return command if shutil.which(command[0]) else None
    return next(([path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)


def compile_library(folder: Path, extra_flags: tuple[str, ...] = ()) -> Path:
    """Compile the kernels.

    Parameters
    ----------
    folder : Path
        Where the library is written; older libraries there are removed.
    extra_flags : tuple of str
        Flags after `FLAGS`.

    Returns
    -------
    Path
        The library.

    Raises
    ------
    OSError, subprocess.SubprocessError
        If there is no compiler, or it fails.
    """
    command = find_compiler()
    if command is None:
        raise FileNotFoundError("no C compiler: neither $CC nor cc, gcc or clang")
    library = folder / kernels_name()
    partial = library.with_name(f"{library.name}.{os.getpid()}.part")
    sources = sorted(str(path) for path in FOLDER.glob("*.c"))
    position = () if sys.platform == "win32" else ("-fPIC",)
    maths = () if sys.platform == "win32" else ("-lm",)
    arguments = [*FLAGS, *position, *extra_flags, "-o", str(partial), *sources, *maths]
    try:
        subprocess.run([*command, *arguments], check=True, capture_output=True, timeout=_TIMEOUT_S)
        for older in folder.glob("kernels-*"):
            if older not in (partial, library) and older.suffix == library.suffix:
                older.unlink(missing_ok=True)
        partial.replace(library)
    finally:
        partial.unlink(missing_ok=True)
    return library


if __name__ == "__main__":
    sys.stdout.write(f"{compile_library(FOLDER)}\n")
