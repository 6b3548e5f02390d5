"""A headless Chromium, where one is installed; without it these tests are skipped."""

from __future__ import annotations

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser():
    # no longer than a module: playwright's event loop runs as long as it is open, and
    # other tests of the same process start their own
    api = pytest.importorskip("playwright.sync_api", reason="no playwright to drive a browser")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield chromium
        chromium.close()


class ObservedPage:
    """A page with its requests, console messages and errors."""

    def __init__(self, context, address):
        self.page = context.new_page()
        self.requests, self.errors = [], []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("console", lambda m: self.errors.append(m.text))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.goto(address)

    @property
    def network_requests(self):
        return [u for u in self.requests if not u.startswith(("data:", "blob:"))]


@pytest.fixture
def visit(browser):
    contexts = []

    def open_page(address, **options):
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(180_000)  # a busy machine is no failure
        return ObservedPage(contexts[-1], address)

    yield open_page
    for context in contexts:
        context.close()
