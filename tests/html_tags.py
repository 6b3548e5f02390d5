"""The tags and the text of a page, read as a browser reads them."""

from __future__ import annotations

from html.parser import HTMLParser


class TagCollector(HTMLParser):
    """Collects tags and text; a tag with an event handler fails the test."""

    def __init__(self):
        super().__init__()
        self.seen, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        self.text.append(data)
