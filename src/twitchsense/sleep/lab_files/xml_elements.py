"""Read a small XML file of a sleep laboratory; entities are refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from twitchsense.errors import InputError
from twitchsense.regular_file import read_limited


@dataclass(frozen=True, slots=True)
class XmlElement:
    """An element without children.

    Attributes
    ----------
    path : tuple of str
        Names of the elements it lies in, and its own.
    text : str
    line : int
    parent : int
        Number of the element it lies in, counted over the file.
    """

    path: tuple[str, ...]
    text: str
    line: int
    parent: int


def read_xml_elements(path: Path, source: str) -> list[XmlElement]:
    """Return the elements without children, in the order of the file.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Returns
    -------
    list of XmlElement

    Raises
    ------
    InputError
        If the XML is damaged or declares entities.
    """
    out: list[XmlElement] = []
    stack: list[tuple[str, int, int]] = []  # name, number, line
    text: list[str] = []
    count, leaf = 0, False
    parser = expat.ParserCreate()

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal count, leaf
        stack.append((name, count, parser.CurrentLineNumber))
        count += 1
        leaf = True
        text.clear()

    def end(_: str) -> None:
        nonlocal leaf
        if leaf:
            names = tuple(name for name, _, _ in stack)
            parent = stack[-2][1] if len(stack) > 1 else -1
            out.append(XmlElement(names, "".join(text).strip(), stack[-1][2], parent))
        leaf = False
        stack.pop()

    def refuse_entity(*_: object) -> NoReturn:
        raise InputError(
            source, "declares XML entities", "give the file as its program wrote it",
            f"line {parser.CurrentLineNumber}",
        )  # fmt: skip

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.EntityDeclHandler = refuse_entity
    data = read_limited(path, source)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, str(error))
        raise InputError(
            source, f"is damaged XML ({reason})", "export it again", f"line {error.lineno}"
        ) from error
    except (LookupError, ValueError) as error:  # an unknown encoding
        raise InputError(source, f"is damaged XML ({error})", "export it again") from error
    return out
