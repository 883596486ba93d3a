"""What is packed is what is here."""

import tomllib
from pathlib import Path

import skkws

PACKAGE = Path(skkws.__file__).parent
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_the_wheel_carries_every_file_of_the_package():
    patterns = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]["skkws"]
    packed = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    there = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert packed == {path for path in there if path.suffix != ".py"}


def test_every_folder_with_modules_is_a_package():
    assert [path for path in PACKAGE.rglob("*.py") if not (path.parent / "__init__.py").exists()] == []
