"""Make the README's picture and table from the demo, so that they show what it prints today.

python docs/make_readme.py           # write the picture, its facts and the table
python docs/make_readme.py --check   # exit status 1 if they are not today's; no browser needed

Writing needs playwright and pillow (dependency group browser) and an installed Chromium.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
PICTURE = DOCS / "figures" / "report.png"
FACTS = DOCS / "figures" / "report.json"
BLOCK = re.compile(r"(<!-- demo -->\n).*?(<!-- /demo -->)", re.S)


def demo_facts(folder: Path) -> dict[str, Any]:
    """Run the README's demo; return what its report and the comparison say."""
    from twitchsense.cli.demo import comparison_rows
    from twitchsense.report.reference_ranges import compare_with_published
    from twitchsense.report.summary_sentences import summary_answers
    from twitchsense.results.load import open_result
    from twitchsense.scoring.agreement.compare_events import match, read_events

    command = [sys.executable, "-m", "twitchsense.cli", "demo", "-q", "--out", str(folder)]
    subprocess.run(command, check=True)
    found = read_events(folder / "result" / "events.csv")
    rows = comparison_rows(match(found, read_events(folder / "truth.csv")))
    night = open_result(folder / "result")
    compared = compare_with_published(night, night.summary_dict())
    return {
        "answers": [list(pair) for pair in summary_answers(night)],
        "ranges": [[c.name, c.value, c.reference_range, c.reading_text] for c in compared],
        "comparison": [list(row) for row in rows],
    }


def comparison_table(facts: dict[str, Any]) -> str:
    """Return the table of the README."""
    from twitchsense.cli.demo import COLUMNS

    header = ("events of the demo", *COLUMNS)
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in facts["comparison"]]
    return "\n".join(lines) + "\n"


def with_table(readme: str, facts: dict[str, Any]) -> str:
    """Return the README with the table of today."""
    return BLOCK.sub(lambda m: m[1] + comparison_table(facts) + m[2], readme)


def save_picture(report: Path, picture: Path) -> None:
    """Save a screenshot of the first screen of a report."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1160, "height": 1180}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html[data-ready]")
        page.wait_for_timeout(300)
        page.screenshot(path=str(picture))
        browser.close()
    # 128 colours: a third of the size without a visible difference
    Image.open(picture).convert("RGB").quantize(128, method=Image.Quantize.MAXCOVERAGE).save(
        picture, optimize=True
    )


def main(check: bool) -> None:
    """Write picture, facts and table, or check that they are today's."""
    with tempfile.TemporaryDirectory(prefix="twitchsense-readme-") as parent:
        folder = Path(parent) / "demo"
        facts = demo_facts(folder)
        readme = with_table(README.read_text("utf-8"), facts)
        if check:
            stored = json.loads(FACTS.read_text("utf-8"))
            if stored != facts or readme != README.read_text("utf-8"):
                sys.exit("The README's picture or table is old: run python docs/make_readme.py")
            return
        save_picture(folder / "result" / "report.html", PICTURE)
        FACTS.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")
        README.write_text(readme, "utf-8")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
