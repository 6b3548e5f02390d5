"""Size of the report of a long night, and the time until a browser shows it.

python -m benchmarks.report_size

Needs playwright and a Chromium. Prints lines for docs/report.md.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import twitchsense as ts
from tests.recordings import make_recording

_REPEATS = 5


def main() -> None:
    """Make a night and its report, and open it several times."""
    night = ts.analyze(make_recording(480))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        path = night.report(Path(folder) / "report.html")
        written_s = time.perf_counter() - began
        open_ms = []
        with sync_playwright() as driver:
            chromium = driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for _ in range(_REPEATS):
                page = chromium.new_page()
                page.goto(path.as_uri())
                page.wait_for_selector("html[data-ready]")
                # from the start of navigation to the first frame after the data are loaded
                open_ms.append(page.evaluate(
                    "() => new Promise(r => requestAnimationFrame(() => r(performance.now())))"
                ))  # fmt: skip
                page.close()
            pages = _count_pages(chromium, path)
            chromium.close()
        print(f"- events: {len(night.events):,}, length 8 h")
        print(f"- size of report.html: {path.stat().st_size / 1e6:.1f} MB")
        print(f"- written in {written_s:.1f} s")
        print(
            f"- opened and drawn in {statistics.median(open_ms) / 1000:.2f} s "
            f"(median of {_REPEATS}; slowest {max(open_ms) / 1000:.2f} s)"
        )
        print(f"- printed on A4: {pages} pages")


def _count_pages(chromium: Browser, path: Path) -> int:
    page = chromium.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    text = page.pdf(format="A4")
    page.close()
    return int(text.count(b"/Type /Page\n"))


if __name__ == "__main__":
    main()
