"""What is installed where the lowest versions are tested is what is declared to be enough."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]


def test_the_lowest_versions_are_those_that_are_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *(line for name in extras if name != "bench" for line in extras[name])]
    lowest = {
        requirement.name: Version(next(iter(requirement.specifier)).version)
        for requirement in map(Requirement, declared)
        if requirement.name != "skkws"
    }
    pins = [Requirement(line) for line in (ROOT / "requirements" / "lowest.txt").read_text().split()]
    assert {str(next(iter(pin.specifier)).operator) for pin in pins} == {"=="}
    assert {pin.name: Version(next(iter(pin.specifier)).version) for pin in pins} == lowest
