"""Read Apple Health's ``export.xml`` as phones write it: a stream of elements.

The export contains years of all kinds of records and may be gigabytes long. Its document type
declaration is damaged in the exports of some iOS versions, and names of apps may contain
control characters, which XML does not allow; both are passed over. A file that declares an
entity is refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from xml.parsers import expat

from twitchsense.errors import InputError

#: Bytes decoded and parsed at a time.
_BLOCK_BYTES: Final = 1 << 18
#: The root element begins within this many characters.
_MAX_PROLOG: Final = 1 << 22
_ROOT: Final = re.compile(r"<HealthData[\s/>]")
_ENCODING: Final = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']""")
#: Characters that XML 1.0 does not allow, as such and as references.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:0*(?:[0-8]|1[124-9]|2\\d|3[01])|x0*(?:[0-8bBcCeEfF]|1[\\da-fA-F]));"
)
#: Longest reference to a character that may be cut by the end of a block.
_LONGEST_REFERENCE: Final = 12


def parse_apple_xml(
    path: Path, source: str, start_element: Callable[[str, dict[str, str], int], None]
) -> None:
    """Call a function for the start of each element.

    Parameters
    ----------
    path : Path
        Apple Health's ``export.xml``.
    source : str
        Name of the file in messages.
    start_element : callable
        Receives the name of the element, its attributes and its line.

    Raises
    ------
    InputError
        If the XML is damaged outside its document type, or declares entities.
    """
    blocks = _decoded(path, source)
    prolog = ""
    for block in blocks:
        prolog += block
        if _ROOT.search(prolog) or len(prolog) > _MAX_PROLOG:
            break
    root = _ROOT.search(prolog)
    head = prolog[: root.start()] if root else prolog
    if "<!ENTITY" in head:
        line = head[: head.index("<!ENTITY")].count("\n") + 1
        cure = "give the export as written by Apple Health"
        raise InputError(source, "declares XML entities", cure, f"line {line}")
    skipped = head.count("\n") if root else 0
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda name, attributes: start_element(
        name, attributes, parser.CurrentLineNumber + skipped
    )
    try:
        parser.Parse((prolog[root.start() :] if root else prolog).encode(), False)
        for block in blocks:
            parser.Parse(block.encode(), False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, str(error))
        raise InputError(
            source, f"is damaged XML ({reason})", "export it again; if that does not help, delete "
            "the element on this line", f"line {error.lineno + skipped}",
        ) from error  # fmt: skip


def _decoded(path: Path, source: str) -> Iterator[str]:
    """Yield the text in blocks, without characters that XML does not allow."""
    with path.open("rb") as file:
        declared = _ENCODING.match(file.read(200).removeprefix(b"\xef\xbb\xbf"))
        file.seek(0)
        try:
            name = declared[1].decode() if declared else "utf-8"
            name = "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name
            decoder = codecs.getincrementaldecoder(name)(errors="replace")
        except (LookupError, ValueError) as error:
            raise InputError(source, f"is damaged XML ({error})", "export it again") from error
        rest = ""
        while block := file.read(_BLOCK_BYTES):
            text = rest + decoder.decode(block)
            cut = text.rfind("&", len(text) - _LONGEST_REFERENCE)
            rest = text[cut:] if cut >= 0 else ""
            yield _CONTROL.sub("", text[: len(text) - len(rest)])
        yield _CONTROL.sub("", rest + decoder.decode(b"", final=True))
