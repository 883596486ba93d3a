"""The rooms keep to docs/architecture.md: who may import whom, and by which names."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import skkws

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skkws"
PAGE = ROOT / "docs" / "architecture.md"
OPEN_TO_ALL = ("_engine", "_runtime")


def rooms_in_order():
    """Rooms of the page's table: each may import those before it."""
    table = PAGE.read_text(encoding="utf-8").split("| room |", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `(\w+)` \|", table, flags=re.M)


ROOMS = rooms_in_order()


def modules(folder):
    return sorted(folder.rglob("*.py"))


def room_of(path):
    """Room that a module of the package belongs to, or that a test is about; None for the package itself."""
    inside = path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT / "tests")
    room = inside.parts[0].removesuffix(".py").removeprefix("test_")
    return room if room in ROOMS else None


def used(path):
    """Whatever a module uses of the package, at its top or in its functions, as (line, dotted name)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names, bound = [], {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports = [(a.name, a.asname or "skkws", a.name if a.asname else "skkws") for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: modules are imported by their whole name"
            imports = [(f"{node.module}.{a.name}", a.asname or a.name, f"{node.module}.{a.name}") for a in node.names]
        else:
            continue
        for dotted, name, what in imports:
            if dotted.split(".")[0] == "skkws":
                names.append((node.lineno, dotted))
                bound[name] = what
    for node in ast.walk(tree):
        dotted = dotted_name(node)
        module = bound.get(dotted.partition(".")[0], "")
        if "." in dotted and (module == "skkws" or module.removeprefix("skkws.") in ROOMS):
            names.append((node.lineno, f"{module}.{dotted.partition('.')[2]}"))
    return names


def dotted_name(node):
    """What ``a.b.c`` in the code reads as; empty for all else."""
    if isinstance(node, ast.Attribute):
        before = dotted_name(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def room_and_rest(dotted):
    """Room that a dotted name leads to and what is asked of it, with names of the root in their rooms."""
    _, *parts = dotted.split(".")
    if parts and parts[0] in skkws._ROOM_OF:
        parts.insert(0, skkws._ROOM_OF[parts[0]])
    return (parts[0], parts[1:]) if parts and parts[0] in ROOMS else (None, parts)


def is_public(room, rest):
    return not rest or rest[0].startswith("__") or rest[0] in getattr(import_module(f"skkws.{room}"), "__all__", ())


def private_uses(path, own=None):
    """Uses of what another room keeps to itself, for a message."""
    found = []
    for line, dotted in used(path):
        room, rest = room_and_rest(dotted)
        if room not in (None, own, *OPEN_TO_ALL) and not is_public(room, rest):
            found.append(f"{path}:{line} uses {dotted}")
    return found


def test_the_page_names_the_rooms_that_there_are():
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set(ROOMS) == there - {"__init__"}
    assert len(ROOMS) == len(set(ROOMS))


def test_the_root_shows_the_public_rooms_and_holds_no_private_module():
    assert set(skkws._ROOMS) == {room for room in ROOMS if not room.startswith("_")} - {"cli"}
    assert [path.name for path in PACKAGE.glob("_*.py")] == ["__init__.py"]
    assert not [name for _, name in used(PACKAGE / "__init__.py")]


def test_a_room_imports_only_rooms_before_it():
    against = []
    for path in modules(PACKAGE):
        for line, dotted in used(path):
            room, _ = room_and_rest(dotted)
            if room is not None and ROOMS.index(room) > ROOMS.index(room_of(path)):
                against.append(f"{path}:{line} uses {dotted}")
    assert not against


def test_a_room_uses_others_by_their_public_names():
    assert not [use for path in modules(PACKAGE) for use in private_uses(path, own=room_of(path))]


def test_a_test_looks_inside_no_room_but_its_own():
    assert not [use for path in modules(ROOT / "tests") for use in private_uses(path, own=room_of(path))]


@pytest.mark.parametrize("folder", ["benchmarks", "tools"])
def test_scripts_use_public_names(folder):
    assert not [use for path in modules(ROOT / folder) for use in private_uses(path)]


@pytest.mark.parametrize("room", skkws._ROOMS)
def test_all_that_a_room_names_is_there(room):
    module = import_module(f"skkws.{room}")
    assert [name for name in module.__all__ if name.startswith("_") or not hasattr(module, name)] == []


def test_names_of_the_root_are_public_in_their_rooms():
    assert [name for name, room in skkws._ROOM_OF.items() if not is_public(room, [name])] == []


@pytest.mark.parametrize("room", skkws._ROOMS)
def test_functions_say_what_they_take_and_return(room):
    module = import_module(f"skkws.{room}")
    functions = [thing for name in module.__all__ if inspect.isfunction(thing := getattr(module, name))]
    for function in functions:
        signature = inspect.signature(function)
        bare = [name for name, parameter in signature.parameters.items() if parameter.annotation is parameter.empty]
        assert bare == [], f"{function.__name__} leaves them without a type"
        assert signature.return_annotation is not signature.empty, f"{function.__name__} returns what?"


@pytest.mark.parametrize(
    "code",
    [
        "from skkws.audio._samples import as_signals",
        "def f():\n    from skkws.audio import _samples",
        "from skkws import audio\naudio._samples",
        "from skkws import audio as door\ndoor._loader.decode",
        "import skkws\nskkws.audio._samples.as_signals",
        "import skkws.audio._samples as gate",
        "from skkws.audio import decode",
    ],
)
def test_private_uses_are_found_however_they_are_written(tmp_path, code):
    path = tmp_path / "module.py"
    path.write_text(code)
    assert private_uses(path)
    assert not private_uses(path, own="audio")
    path.write_text("from skkws import AudioLoader, audio\nfrom skkws.audio import as_signals\naudio.read_audio")
    assert not private_uses(path)
