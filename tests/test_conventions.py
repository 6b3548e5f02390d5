"""Conventions of the code that no other tool checks: names, sizes, isolation of the tests."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "firmware_sim").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

MAX_LINES = 400

#: Files of the same name, where the folder makes the meaning plain.
SAME_FILE_NAME = {
    "per_second.py": "model: the table; detect: its computation",
    "read.py": "io: captures of any format; sleep/hypnogram: hypnograms of any format",
}

#: Words that name a thing by a metaphor, by its role in a dialogue or by half a sentence.
#: The standard term is given where there is one.
RETIRED = {
    "again": "repeats",
    "alike": "similar",
    "ask": "request, query",
    "asked": "requested, selected",
    "asks": "requests",
    "aside": "worker",
    "astray": "drift",
    "awake": "wake",
    "certainty": "confidence",
    "claim": "lock",
    "claimed": "explained, locked",
    "claims": "locks",
    "company": "local features",
    "finding": "candidate",
    "findings": "candidates",
    "fusion": "clustering",
    "hear": "receive",
    "heard": "received",
    "hypnoedf": "hypnogram.edf",
    "inbox": "queue",
    "jolt": "jerk, bump",
    "jolts": "jerks, bumps",
    "kin": "recurrence",
    "knock": "bump",
    "knocked": "bumped",
    "knocks": "bumps",
    "lane": "stream",
    "lanes": "streams",
    "ledger": "tracker",
    "likeness": "similarity",
    "lonely": "isolated",
    "look": "features, poll",
    "looks": "polls",
    "marks": "movements, markers",
    "mend": "repair, retransmit",
    "mended": "repaired, retransmitted",
    "mends": "retransmits",
    "nightbook": "loss report",
    "nightlike": "protocols",
    "opinion": "estimate",
    "opinions": "estimates",
    "owed": "pending",
    "plain": "escaped, standard",
    "quote": "quotation mark",
    "quotes": "quotation marks",
    "senses": "sensor queries",
    "settle": "close, finalize",
    "settled": "closed, final",
    "sniff": "dialect",
    "soon": "within ... s",
    "spool": "temporary file",
    "stamps": "timestamps",
    "surroundings": "context",
    "tall": "large",
    "tell": "report",
    "tells": "reports",
    "textable": "text table",
    "texture": "contraction features",
    "thrown": "moved the leg",
    "tickclock": "device clock",
    "told": "reported",
    "trail": "buffer",
    "twin": "near-identical",
    "twins": "near-identical",
    "usual": "median, reference",
    "verdict": "classification, state",
    "verdicts": "classifications",
    "volley": "burst train, group",
    "volleys": "groups",
    "vote": "rule",
    "votes": "rules",
    "wear": "worn time",
}
#: Identifiers that keep a retired word: on disk, typed by users, or a term of their field.
KEPT_IDENTIFIERS = {
    "JOLT_REASONS": "kind `jolt` of the event table",
    "keep_awake": "term of operating systems: keeps the computer awake",
    "escape_unclosed_quotes": "term of CSV (RFC 4180)",
    "usual": "column of associations.csv and key of trend.json",
    "volley": "setting labels.volley",
    "volley_s": "setting labels.volley_s",
    "in_volley": "result of the settings labels.volley and labels.volley_s",
    "_in_volley": "result of the settings labels.volley and labels.volley_s",
    "KNOCK": "kind of a simulated event: a knock at the bed or the strap (docs/decisions.md)",
}

#: Private names that the tests use for lack of a public one; none is of this project.
FOREIGN_PRIVATE_NAMES = {
    "_compositor": "textual: the text on the screen",
    "_repr_html_": "IPython: what a notebook shows of an object",
    "_convert_emg_to_uv": "libemg: the conversion that its joined packets do not fit",
}

#: Modules whose name differs from that of their distribution, and optional tools of the tests.
TEST_IMPORTS = {"yaml", "sklearn", "bids_validator"}


@cache
@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def where(path: Path, node: ast.AST | None = None) -> str:
    line = f":{node.lineno}" if node is not None else ""
    return f"{path.relative_to(ROOT)}{line}"


# ---- source ----------------------------------------------------------------------------


def test_no_file_is_too_long():
    lengths = {where(path): len(path.read_text().splitlines()) for path in SOURCE}
    assert {path: n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_class_names_are_unique():
    places = defaultdict(list)
    for path in SOURCE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(where(path, node))
    assert {name: at for name, at in places.items() if len(at) > 1} == {}


def test_file_names_are_unique_unless_the_folder_explains_them():
    places = defaultdict(list)
    for path in SOURCE:
        if path.is_relative_to(ROOT / "src") and path.name != "__init__.py":
            places[path.name].append(where(path))
    repeated = {name: at for name, at in places.items() if len(at) > 1}
    assert {name: at for name, at in repeated.items() if name not in SAME_FILE_NAME} == {}
    assert set(SAME_FILE_NAME) <= set(repeated), "an entry that is no longer needed"


def test_every_module_has_a_layer():
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (layers,) = [c["layers"] for c in contracts if c["name"].startswith("Each layer")]
    listed = {name.strip() for layer in layers for name in layer.split("|")}
    package = ROOT / "src" / "twitchsense"
    folders = {path.parent for path in package.glob("*/__init__.py")}
    modules = {path.with_suffix("") for path in package.glob("*.py") if path.stem != "__init__"}
    assert listed == {f"twitchsense.{path.name}" for path in folders | modules}


def identifiers(path: Path):
    """Yield module, classes, functions, parameters, attributes and variables, with their place."""
    module = tree(path)
    yield path.parent.name if path.stem == "__init__" else path.stem, where(path)
    for node in ast.walk(module):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, where(path, node)
        elif isinstance(node, ast.arg):
            yield node.arg, where(path, node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, where(path, node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, where(path, node)


def words(identifier: str) -> set[str]:
    """Return the words of an identifier in snake_case or CamelCase."""
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier).lower().split("_"))


def test_identifiers_use_standard_terms():
    retired = defaultdict(list)
    for path in SOURCE:
        for name, at in identifiers(path):
            if words(name) & RETIRED.keys():
                retired[name].append(at)
    advice = {
        f"{name} ({'; '.join(RETIRED[w] for w in sorted(words(name) & RETIRED.keys()))})": at
        for name, at in retired.items()
        if name not in KEPT_IDENTIFIERS
    }
    assert advice == {}
    assert set(KEPT_IDENTIFIERS) <= set(retired), "an entry that is no longer needed"


# ---- tests -----------------------------------------------------------------------------


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def private_uses(path: Path):
    """Yield private names that a module imports, reads or replaces in another one."""
    for node in ast.walk(tree(path)):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += (node.module or "").split(".")
        elif isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            names = [] if own else [node.attr]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("setattr", "getattr")):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            names = [part for t in texts if isinstance(t, str) for part in t.split(".")]
        yield from (f"{where(path, node)} {name}" for name in names if is_private(name))


def test_tests_use_public_names_only():
    uses = [use for path in TESTS for use in private_uses(path)]
    assert [use for use in uses if use.split()[1] not in FOREIGN_PRIVATE_NAMES] == []


def test_no_test_module_imports_another():
    imports = []
    for path in TESTS:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom):
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                continue
            for module in modules:
                file = ROOT / Path(*module.split(".")).with_suffix(".py")
                parent = file.parent.with_suffix(".py")
                if any(p.name.startswith("test_") and p in TESTS for p in (file, parent)):
                    imports.append(f"{where(path, node)} {module}")
    assert imports == []


def test_no_test_skips_itself_for_lack_of_a_module_of_this_project():
    """A module that was renamed would otherwise skip its tests for good."""
    declared = [*PROJECT["project"]["dependencies"]]
    for group in (*PROJECT["project"]["optional-dependencies"].values(),
                  *PROJECT["dependency-groups"].values()):  # fmt: skip
        declared += group
    known = {re.split(r"[\[<>=;, ]", name)[0].replace("-", "_") for name in declared}
    known |= sys.stdlib_module_names | TEST_IMPORTS
    unknown = []
    for path in TESTS:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("importorskip"):
                module = ast.literal_eval(node.args[0])
                file = Path(*module.split("."))
                own = any(
                    (base / file).with_suffix(".py").exists() for base in (ROOT / "src", ROOT)
                )
                if not own and module.split(".")[0] not in known:
                    unknown.append(f"{where(path, node)} {module}")
    assert unknown == []
