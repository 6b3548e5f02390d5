"""Make the README's picture: the first screen of a report, in a headless Chromium.

python docs/make_picture.py night/result/report.html docs/figures/report.png

Needs playwright (dependency group browser) and an installed Chromium.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright


def main(report: Path, picture: Path) -> None:
    """Save a screenshot of the first screen of a report."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1160, "height": 900}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html[data-ready]")
        page.wait_for_timeout(300)
        page.screenshot(path=str(picture))
        browser.close()
    # 128 colours: a third of the size without a visible difference
    Image.open(picture).convert("RGB").quantize(128, method=Image.Quantize.MAXCOVERAGE).save(
        picture, optimize=True
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
