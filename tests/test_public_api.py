"""The public API: `twitchsense` and `twitchsense.plot`."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

import twitchsense as ts

REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"
NOT_OBJECTS = {"__version__", "plot"}
PUBLIC = {
    f"twitchsense.{name}": getattr(ts, name) for name in ts.__all__ if name not in NOT_OBJECTS
}
PUBLIC |= {f"twitchsense.plot.{name}": getattr(ts.plot, name) for name in ts.plot.__all__}
CORE = [
    "read", "analyze", "open_result", "Night", "Recording", "Settings", "load_settings",
    "get_profile", "Detector", "Detections", "Hypnogram", "score_leg_movements", "score_limb",
    "read_weeks", "InputError", "TwitchsenseError",
]  # fmt: skip


@pytest.mark.parametrize("module", [ts, ts.plot], ids=lambda m: m.__name__)
def test_every_public_name_can_be_imported(module):
    assert list(module.__all__) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing


def test_core_is_public():
    assert set(CORE) <= set(ts.__all__)


def test_former_names_can_still_be_imported():
    assert ts.LimbScore is ts.LegMovementScore
    for name in ("plot_average", "plot_events", "plot_intervals", "plot_night", "plot_trend"):
        assert getattr(ts, name) is getattr(ts.plot, name)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_type_in_a_public_signature_is_public(name):
    missing = {
        f"{cls.__module__}.{cls.__qualname__} in {place}"
        for place, cls in classes_in_signatures(PUBLIC[name])
        if cls.__module__.startswith("twitchsense") and cls not in PUBLIC.values()
    }
    assert missing == set()


def test_reference_page_lists_exactly_the_public_names():
    listed = re.findall(r"^\.\. auto(?:function|class|exception):: ([\w.]+)$",
                        REFERENCE.read_text("utf-8"), re.M)  # fmt: skip
    assert len(listed) == len(set(listed))
    assert set(listed) == set(PUBLIC)


def classes_in_signatures(item: Any) -> Iterator[tuple[str, type]]:
    """Yield the classes named in the signature of a function, or of the methods of a class.

    The groups of `Settings` are left out: they are on the settings page.
    """
    if not inspect.isclass(item):
        yield from classes_in_annotations(item, item.__name__)
        return
    if is_dataclass(item):
        yield from classes_in_annotations(item, item.__name__)
    for name, member in vars(item).items():
        if name.startswith("_") and (name != "__init__" or is_dataclass(item)):
            continue
        if isinstance(member, (classmethod, staticmethod)):
            member = member.__func__
        elif isinstance(member, property):
            member = member.fget
        elif isinstance(member, cached_property):
            member = member.func
        if inspect.isfunction(member) and not issubclass(item, BaseModel):
            yield from classes_in_annotations(member, f"{item.__name__}.{name}")


def classes_in_annotations(item: Any, place: str) -> Iterator[tuple[str, type]]:
    module = sys.modules[item.__module__]
    names = names_for_type_checkers(module)
    for annotation in inspect.get_annotations(item).values():
        if isinstance(annotation, str):  # pd.Series can only be subscripted in annotations
            annotation = eval(annotation.replace("pd.Series[Any]", "pd.Series"), names)
        for cls in classes_in_hint(annotation):
            yield place, cls


def classes_in_hint(hint: Any) -> Iterator[type]:
    if isinstance(hint, list):  # the arguments of a Callable
        arguments = hint
    else:
        arguments = get_args(hint)
        origin = get_origin(hint) or hint
        if inspect.isclass(origin):
            yield origin
    for argument in arguments:
        yield from classes_in_hint(argument)


def names_for_type_checkers(module: ModuleType) -> dict[str, Any]:
    """Return the names of a module with those that it has only for type checkers."""
    names = dict(vars(module))
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for statement in node.body:
                try:
                    exec(ast.unparse(statement), names)
                except ImportError:  # an optional library
                    names |= dict.fromkeys([a.asname or a.name for a in statement.names], Any)
    return names
