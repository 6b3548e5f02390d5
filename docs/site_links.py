"""Sphinx extension: links to the glossary, and to files of the repository.

The first use of a glossary term on each page is linked to the glossary. The terms are those of
the ``{glossary}`` directive in ``glossary.md``. Headings, code and existing links stay as they
are.

A link to a file of the repository that is no page of the site becomes its text with the path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

#: Inside these, text is not linked.
_SKIPPED = (
    nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.term, nodes.caption,
    nodes.raw, nodes.field_name, addnodes.pending_xref, addnodes.desc_signature, nodes.rubric,
    nodes.strong, nodes.thead,
)  # fmt: skip
#: Pages without links: the glossary itself, generated lists, and history.
_PAGES_LEFT_OUT = ("glossary", "changelog", "commands", "reference", "index", "adr/")


class LinkTerms(SphinxPostTransform):
    """Replaces the first use of each term by a link."""

    default_priority = 400  # after references are resolved

    def run(self, **_: Any) -> None:
        """Link the terms of one page."""
        page = self.env.docname
        if page.startswith(_PAGES_LEFT_OUT):
            return
        objects = self.env.domains["std"].data["objects"]
        targets = {
            name: (doc, anchor) for (kind, name), (doc, anchor) in objects.items() if kind == "term"
        }
        if not targets:
            return
        words = "|".join(re.escape(t) for t in sorted(targets, key=len, reverse=True))
        pattern = re.compile(rf"\b({words})s?\b", re.IGNORECASE)
        lower = {name.lower(): place for name, place in targets.items()}
        linked: set[str] = set()
        for node in list(self.document.findall(nodes.Text)):
            if not _is_in(node, _SKIPPED):
                self._link(node, pattern, lower, linked, page)

    def _link(
        self,
        node: nodes.Text,
        pattern: re.Pattern[str],
        places: dict[str, tuple[str, str]],
        linked: set[str],
        page: str,
    ) -> None:
        text = node.astext()
        parts: list[nodes.Node] = []
        done = 0
        for match in pattern.finditer(text):
            term = match[1].lower()
            if term in linked:
                continue
            linked.add(term)
            doc, anchor = places[term]
            uri = self.app.builder.get_relative_uri(page, doc) + "#" + anchor
            link = nodes.reference("", match[0], refuri=uri, internal=True, classes=["term-link"])
            parts += [nodes.Text(text[done : match.start()]), link]
            done = match.end()
        if parts:
            node.parent.replace(node, [*parts, nodes.Text(text[done:])])


class NameRepositoryFiles(SphinxPostTransform):
    """Replaces links to files outside the site by their text and path."""

    default_priority = 8  # before myst-parser resolves links

    def run(self, **_: Any) -> None:
        """Replace such links of one page."""
        docs = Path(self.env.srcdir).resolve()
        folder = (docs / self.env.docname).parent
        for node in list(self.document.findall(addnodes.pending_xref)):
            target = node.get("reftarget", "")
            if node.get("refdomain") not in ("doc", None) and node.get("reftype") != "myst":
                continue
            for base in (folder, docs, docs.parent):
                path = (base / target).resolve()
                path = path if path.exists() else path.with_name(path.name + ".md")
                if path.exists() and docs.parent in path.parents and docs not in path.parents:
                    self._replace(node, path.relative_to(docs.parent).as_posix())
                    break

    def _replace(self, node: addnodes.pending_xref, path: str) -> None:
        if path == "CHANGELOG.md":
            uri = self.app.builder.get_relative_uri(self.env.docname, "changelog")
            node.replace_self(nodes.reference("", node.astext(), refuri=uri, internal=True))
            return
        code = nodes.literal(path, path)
        text = [nodes.Text(f"{node.astext()} ("), code, nodes.Text(")")]
        node.replace_self([code] if node.astext() in path else text)


def _is_in(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parent
    return False


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transforms."""
    app.add_post_transform(NameRepositoryFiles)
    app.add_post_transform(LinkTerms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
