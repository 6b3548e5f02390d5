"""Build hook: compile the kernels of the compiled engine if there is a C compiler.

Without one, the wheel is pure and detection runs on numpy and scipy (docs/compiled-engine.md).
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = "twitchsense/dsp/native"


class CompiledEngine(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the compiled kernels into a wheel, or beside the sources of an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is written."""
        sources = Path(self.root) / "src" / NATIVE
        spec = importlib.util.spec_from_file_location("compiling", sources / "compiling.py")
        compiling = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        spec.loader.exec_module(compiling)  # type: ignore[union-attr]
        editable = version == "editable"
        self.temporary = Path(tempfile.mkdtemp(prefix="twitchsense-"))
        folder = sources if editable else self.temporary
        try:
            library = compiling.compile_library(folder)
        except (OSError, subprocess.SubprocessError) as error:
            self.app.display_debug(f"no compiled engine: {error}")
            return
        if not editable:
            build_data["force_include"][str(library)] = f"{NATIVE}/{library.name}"
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{platform}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder after the wheel is written."""
        shutil.rmtree(self.temporary, ignore_errors=True)
