"""The report as a browser shows it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import twitchsense as ts
from tests.recordings import make_recording
from tests.report.builders import make_quiet_night

pytestmark = pytest.mark.slow  # drives a browser

EVIL = (
    '</script><script>document.title="owned"</script><img src=x onerror=alert(1)>'
    "=cmd|$\\frac$\u202e"
)


@pytest.fixture(scope="module")
def night():
    return ts.analyze(make_recording(12))


@pytest.fixture(scope="module")
def address(night, tmp_path_factory):
    return night.report(tmp_path_factory.mktemp("page") / "report.html").as_uri()


@pytest.fixture
def report(visit, address):
    seen = visit(address, viewport={"width": 1200, "height": 900}, color_scheme="light")
    seen.page.wait_for_selector("html[data-ready]")
    return seen


def wait_for_frames(page):
    """Wait until what was asked for is drawn: two frames, however slow the machine."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def range_shown(page):
    return page.inner_text("#shown-range")


def count_drawn_pixels(page, canvas):
    """Count the pixels of a canvas that are not blank."""
    wait_for_frames(page)
    return page.evaluate(
        """id => { const c = document.getElementById(id);
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }""",
        canvas,
    )


def test_page_makes_no_requests_and_logs_no_errors(report, address):
    page = report.page
    page.click("#next")
    page.click("#event-in-night")
    page.click("#whole-night")
    page.click("#theme")
    assert report.network_requests == [address]
    assert report.errors == []
    assert count_drawn_pixels(page, "night") > 20_000
    assert count_drawn_pixels(page, "event") > 2_000


def test_next_opens_an_event_and_zooms_to_its_samples(report, night):
    page = report.page
    whole = range_shown(page)
    page.select_option("#kind-select", label="jerks (3)")
    page.click("#next")
    first = night.events[night.events["trial_type"] == "jerk"].iloc[0]
    assert page.is_visible("#detail")
    assert "Jerk at 22:31:40" in page.inner_text("#event-title")
    assert f"{first['amplitude_uv']:,.0f} µV" in page.inner_text("#event-measurements")
    assert "because it is a burst of 5–300 ms that moved the leg abruptly" in page.inner_text(
        "#event-rule"
    )
    assert page.inner_text("#event-rule .unbroken") == "5–300 ms"
    assert page.inner_text("#event-label").startswith("Named “")
    assert "confidence" in page.inner_text("#event-confidence")
    page.click("#event-in-night")
    wait_for_frames(page)
    assert range_shown(page) != whole
    assert range_shown(page).startswith("22:31:3")
    before = count_drawn_pixels(page, "event")
    for _ in range(6):
        page.click("#event-zoom-in")
    assert count_drawn_pixels(page, "event") != before


@pytest.mark.slow  # renders a page of its own
def test_an_event_of_which_only_the_mark_is_kept_can_be_opened(night, visit, tmp_path, monkeypatch):
    monkeypatch.setattr("twitchsense.report.page_data.MAX_DESCRIBED", 1)
    seen = visit(night.report(tmp_path / "report.html").as_uri())
    seen.page.wait_for_selector("html[data-ready]")
    for _ in range(2):  # one of two is not the strongest
        seen.page.click("#next")
    titles = {seen.page.inner_text("#event-title")}
    texts = {seen.page.inner_text("#event-measurements")}
    seen.page.click("#event-next")
    titles.add(seen.page.inner_text("#event-title"))
    texts.add(seen.page.inner_text("#event-measurements"))
    assert len(titles) == 2
    assert all(" at " in title for title in titles)
    assert any("its numbers are in events.csv" in text for text in texts)
    assert seen.errors == []


def test_click_on_a_mark_opens_its_event(report):
    page = report.page
    assert not page.is_visible("#detail")
    page.locator("#night").scroll_into_view_if_needed()
    box = page.locator("#night").bounding_box()
    for x in range(200, 1000, 8):
        page.mouse.click(box["x"] + x, box["y"] + 31)
        if page.is_visible("#detail"):
            break
    assert " at 22:" in page.inner_text("#event-title")


def test_row_of_the_jerk_table_opens_its_event(report):
    report.page.click("button[data-event] >> nth=1")
    assert report.page.inner_text("#event-title") == "Jerk at 22:35:40"


def test_keys_zoom_and_pan_the_night(report):
    page = report.page
    page.focus("#night")
    page.keyboard.press("+")
    wait_for_frames(page)
    zoomed = range_shown(page)
    page.keyboard.press("ArrowRight")
    wait_for_frames(page)
    assert range_shown(page) != zoomed
    page.keyboard.press("0")
    wait_for_frames(page)
    assert range_shown(page) == "22:30 to 22:42"
    page.keyboard.press("n")
    assert page.is_visible("#detail")


def test_theme_button_switches_the_colours(report):
    page = report.page
    paper = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(251, 250, 247)"
    page.click("#theme")
    assert page.evaluate(paper) == "rgb(21, 25, 28)"
    assert page.inner_text("#theme") == "Light theme"


def box(page, selector):
    """Return left, top, right and bottom of an element in the window, in pixels."""
    return page.evaluate(
        """s => { const b = document.querySelector(s).getBoundingClientRect();
        return [b.left, b.top, b.right, b.bottom]; }""",
        selector,
    )


def open_from_the_table(page):
    page.locator("details:has(#jerks)").evaluate("d => { d.open = true; }")
    page.click("button[data-event] >> nth=1")


def test_event_stands_beside_the_night_and_is_shown_in_it(report):
    page = report.page
    open_from_the_table(page)
    left, top, right, bottom = box(page, "#detail")
    assert (top, right, bottom) == (0, 1200, 900)
    assert box(page, "main")[2] <= left  # nothing is covered
    assert box(page, "#night")[3] < 0  # the night is far above
    page.click("#event-in-night")
    wait_for_frames(page)
    assert 0 <= box(page, "#night")[1] < 300
    assert range_shown(page).startswith("22:35:3")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.click("#event-next")
    wait_for_frames(page)
    assert 0 <= box(page, "#night")[1] < 300
    assert not range_shown(page).startswith("22:35:3")
    page.keyboard.press("Escape")
    assert not page.is_visible("#detail")


def test_page_prints_on_two_or_three_sheets_with_every_section(report):
    report.page.locator("details:has(#rates)").evaluate("d => { d.open = false; }")
    text = report.page.pdf(format="A4")
    assert 2 <= text.count(b"/Type /Page\n") <= 3
    assert not report.page.locator("details:has(#rates)").evaluate("d => d.open")


def test_phone_shows_ten_screens_and_an_event_as_a_sheet(visit, address):
    seen = visit(address, viewport={"width": 390, "height": 844}, has_touch=True)
    page = seen.page
    page.wait_for_selector("html[data-ready]")
    width, height = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert width == 390
    assert height <= 10 * 844
    open_from_the_table(page)
    left, top, right, bottom = box(page, "#detail")
    assert (left, right, bottom) == (0, 390, 844)
    assert top > 844 * 0.4
    page.tap("#event-in-night")
    wait_for_frames(page)
    _, night_top, _, _ = box(page, "#night")
    assert 0 <= night_top < 100  # the marks of the events are above the sheet
    page.tap("#event-close")
    assert not page.is_visible("#detail")
    for image in page.query_selector_all(".grid img"):  # text of 9.5 units has at least 11 px
        image.evaluate("i => i.closest('details').setAttribute('open', '')")
    scales = page.evaluate(
        "[...document.querySelectorAll('.grid img')].map(i => (i.clientWidth - 8) / i.naturalWidth)"
    )
    assert min(scales) * 9.5 * 4 / 3 >= 11


def test_page_without_events_and_acceleration_works(visit, tmp_path):
    night = make_quiet_night(120, 120)
    channels = tuple(c for c in night.recording.channels if c.kind == "emg")
    segments = night.recording.segments_of("emg1")
    only_emg = ts.analyze(replace(night.recording, channels=channels, segments=segments))
    seen = visit(only_emg.report(tmp_path / "quiet.html").as_uri())
    seen.page.wait_for_selector("html[data-ready]")
    assert seen.page.is_disabled("#next")
    seen.page.mouse.click(600, 500)
    assert seen.errors == []


def test_static_figure_is_shown_without_scripts(visit, address):
    seen = visit(address, java_script_enabled=False)
    assert seen.page.is_visible("figure.static img")
    assert not seen.page.is_visible("#night")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(visit, address, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")
    seen = visit(address, color_scheme=scheme, bypass_csp=True)
    seen.page.wait_for_selector("html[data-ready]")
    seen.page.click("#next")
    found = axe.Axe().run(seen.page).response["violations"]
    violations = [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found
             if v["impact"] in ("serious", "critical")]  # fmt: skip
    assert violations == []


def test_markup_in_names_and_notes_is_shown_as_text(night, visit, tmp_path):
    long = EVIL + "A" * 10_000_000
    channels = tuple(replace(c, name=EVIL) if c.kind == "emg" else c
                     for c in night.recording.channels)  # fmt: skip
    segments = tuple(
        replace(s, channel=EVIL) if s.channel == "emg1" else s for s in night.recording.segments
    )
    recording = replace(
        night.recording, channels=channels, segments=segments, source=EVIL, notes=(EVIL, long)
    )
    evil = ts.analyze(recording)
    page = evil.report(tmp_path / "evil.html")
    assert page.stat().st_size < 6_000_000
    seen = visit(page.as_uri())
    seen.page.wait_for_selector("html[data-ready]")
    seen.page.click("#next")
    assert seen.page.title().startswith("Night of")
    assert seen.errors == []
    assert seen.network_requests == [page.as_uri()]
    shown = seen.page.inner_text("main")
    assert EVIL.replace("\u202e", " ").strip() in shown
    assert "\u202e" not in shown
    data = json.loads(seen.page.inner_text("#night-data") or seen.page.evaluate(
        "document.getElementById('night-data').textContent"))  # fmt: skip
    assert data["channels"][0]["name"].startswith("</script>")
