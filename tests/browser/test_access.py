"""That the pages can be used by keyboard, and read by those who see little or nothing."""

from __future__ import annotations

import pytest

import twitchsense as ts
from tests.nightfile.builders import write_night
from tests.recordings import make_recording
from tests.trend.builders import evening
from tests.trend.builders import write_night as write_result
from twitchsense.live.follower import NightFollower
from twitchsense.live.web import LiveServer
from twitchsense.results.save import save_weeks

pytestmark = pytest.mark.slow  # drives a browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
#: Visible and enabled controls; each gets its number as data attribute.
CONTROLS = """() => [...document.querySelectorAll(
    'a[href], button, select, input, summary, canvas[tabindex="0"]')]
  .filter((e) => e.checkVisibility() && !e.disabled)
  .map((e, k) => (e.dataset.number = k))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    night = ts.analyze(make_recording(12))
    return night.report(tmp_path_factory.mktemp("page") / "report.html").as_uri()


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weeks")
    diary = ["date,alcohol_g"]
    for k in range(20):
        write_result(folder / "nights", f"n{k}", evening(k), counts=(80 + 9 * (k % 5), 10, 40))
        diary.append(f"{evening(k)},{12 * (k % 2)}")
    (folder / "diary.csv").write_text("\n".join(diary))
    weeks = ts.read_weeks([folder / "nights"], diary=folder / "diary.csv")
    return (save_weeks(weeks, folder / "out") / "trend.html").as_uri()


@pytest.fixture
def live(tmp_path):
    follower = NightFollower(write_night(tmp_path / "n.night", 6))
    follower.poll()
    server = LiveServer(follower, counts=True)
    server.start()
    yield server.address
    server.stop()


def serious_violations(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")
    found = axe.Axe().run(page).response["violations"]
    return [
        (v["id"], [n["html"] for n in v["nodes"]][:3])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("options", "media"),
    [
        ({**PHONE, "color_scheme": "light"}, "screen"),
        ({**PHONE, "color_scheme": "dark"}, "screen"),
        ({**DESK, "color_scheme": "light"}, "print"),
        ({**DESK, "color_scheme": "dark"}, "print"),
    ],
    ids=["phone", "phone dark", "print", "print from dark"],
)
def test_axe_finds_no_serious_violation_in_the_report(visit, report, options, media):
    page = visit(report, bypass_csp=True, **options).page
    page.wait_for_selector("html[data-ready]")
    page.click("#next")
    page.keyboard.press("Escape")  # the panel of the event covers part of the page
    for summary in page.query_selector_all("details:not([open]) > summary"):
        summary.click()
    page.click("#next")
    page.emulate_media(media=media, color_scheme=options["color_scheme"])
    assert serious_violations(page) == []


@pytest.mark.parametrize("options", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_no_serious_violation_in_the_live_page(visit, live, options):
    page = visit(live, bypass_csp=True, **options).page
    page.wait_for_selector("html[data-until]")
    assert serious_violations(page) == []


@pytest.mark.parametrize(
    "options",
    [{**PHONE, "color_scheme": "dark"}, {**DESK, "color_scheme": "light"}],
    ids=["phone dark", "desk"],
)
def test_axe_finds_no_serious_violation_in_the_trend_page(visit, weeks, options):
    assert serious_violations(visit(weeks, bypass_csp=True, **options).page) == []


def tabbed(page):
    """Press Tab until the end of the page; return what had the focus, and saw a ring."""
    names = page.evaluate(CONTROLS)
    reached, ringless = [], []
    for _ in range(3 * len(names) + 10):
        page.keyboard.press("Tab")
        at, ring = page.evaluate(
            """() => [document.activeElement?.dataset.number,
                      getComputedStyle(document.activeElement).outlineStyle]"""
        )
        if at is not None and int(at) in reached:
            break
        if at is not None:
            reached.append(int(at))
            if ring == "none":
                ringless.append(at)
    return names, reached, ringless


def test_tab_reaches_every_control_of_the_report_with_a_focus_ring(visit, report):
    page = visit(report, **DESK).page
    page.wait_for_selector("html[data-ready]")
    page.click("#next")  # the event's own buttons are there now
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    names, reached, ringless = tabbed(page)
    assert len(names) > 20
    assert sorted(reached) == names
    assert ringless == []


def test_tab_reaches_every_control_of_the_live_page(visit, live):
    page = visit(live, **DESK).page
    page.wait_for_selector("html[data-until]")
    names, reached, ringless = tabbed(page)
    assert sorted(reached) == names == [0, 1]  # the words of a marker, and its button
    assert ringless == []


def test_every_control_of_the_report_works_by_keyboard(visit, report):
    page = visit(report, **DESK, color_scheme="light").page
    page.wait_for_selector("html[data-ready]")

    def press(where, *keys):
        page.focus(where)
        for key in keys:
            page.keyboard.press(key)
        page.evaluate("() => new Promise(r => requestAnimationFrame(() => setTimeout(r)))")

    press("#theme", "Enter")
    assert page.get_attribute("html", "data-theme") == "dark"
    whole = page.inner_text("#shown-range")
    press("#zoom-in", "Space")
    assert page.inner_text("#shown-range") != whole
    press("#whole-night", "Enter")
    assert page.inner_text("#shown-range") == whole
    press("#kind-select", "t")  # the first that begins so
    assert page.locator("#kind-select option:checked").inner_text().startswith("twitches (")
    press("#next", "Enter")
    assert page.inner_text("#event-title").startswith("Twitch at ")
    before = page.evaluate("document.getElementById('event').toDataURL()")
    press("#event-zoom-in", "Enter")
    closer = page.evaluate("document.getElementById('event').toDataURL()")
    assert closer != before
    press("#event", "ArrowRight")
    assert page.evaluate("document.getElementById('event').toDataURL()") != closer
    press("#event-in-night", "Enter")
    assert page.inner_text("#shown-range") != whole
    press("button[data-event] >> nth=1", "Enter")
    assert page.inner_text("#event-title") == "Jerk at 22:35:40"
    assert page.evaluate("document.activeElement.id") == "detail"
    press("#event-next", "Enter")
    assert page.inner_text("#event-title") != "Jerk at 22:35:40"
    press("#detail", "Escape")
    assert not page.is_visible("#detail")
    assert page.evaluate("document.activeElement.dataset.event")
    for summary in page.query_selector_all("summary"):
        was_open = summary.evaluate("e => e.parentElement.open")
        summary.focus()
        page.keyboard.press("Enter")
        assert summary.evaluate("e => e.parentElement.open") != was_open
        if was_open:  # what is folded holds others
            page.keyboard.press("Enter")


def test_marker_is_stored_by_keyboard(visit, live):
    page = visit(live, **DESK).page
    page.wait_for_selector("html[data-until]")
    page.focus("#marker-text")
    page.keyboard.type("lights out")
    page.keyboard.press("Enter")
    page.get_by_text("stored at").wait_for()
