"""How large the report of a long night is, and how soon a browser shows it.

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
from tests.made_night import make_recording

_OPENED = 5


def main() -> None:
    """Make the night and its report, and open it a few times."""
    night = ts.analyze(make_recording(480))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        path = night.report(Path(folder) / "report.html")
        made_s = time.perf_counter() - began
        opened = []
        with sync_playwright() as driver:
            chromium = driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for _ in range(_OPENED):
                page = chromium.new_page()
                page.goto(path.as_uri())
                page.wait_for_selector("html[data-ready]")
                # from the start of the navigation to the first drawn frame after the data is read
                opened.append(page.evaluate(
                    "() => new Promise(r => requestAnimationFrame(() => r(performance.now())))"
                ))  # fmt: skip
                page.close()
            pages = _sheets(chromium, path)
            chromium.close()
        print(f"- events: {len(night.events):,}, length 8 h")
        print(f"- size of report.html: {path.stat().st_size / 1e6:.1f} MB")
        print(f"- made in {made_s:.1f} s")
        print(
            f"- opened and drawn in {statistics.median(opened) / 1000:.2f} s "
            f"(median of {_OPENED}; slowest {max(opened) / 1000:.2f} s)"
        )
        print(f"- printed on A4: {pages} pages")


def _sheets(chromium: Browser, path: Path) -> int:
    page = chromium.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    text = page.pdf(format="A4")
    page.close()
    return int(text.count(b"/Type /Page\n"))


if __name__ == "__main__":
    main()
