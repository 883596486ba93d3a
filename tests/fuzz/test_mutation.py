"""The machinery finds what it is there to find."""

import os
import sys
import time

import pytest
from mutation import BYTES, Child, complaints, in_zip, mutants, names_the_file

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")


def behave(path):
    """Do what the file says."""
    match path.read_text():
        case "crash":
            os.kill(os.getpid(), 11)
        case "exit":
            os._exit(3)
        case "hang":
            time.sleep(60)
        case "memory":
            bytearray(200 * 2**20)
        case "too much":
            bytearray(2**40)
        case "print":
            os.write(1, b"noise")
        case "named":
            raise ValueError(f"{path}: damaged")
        case "unnamed":
            raise KeyError("x")


@pytest.fixture
def small_child():
    with Child(seconds=1.0, n_bytes=100 * 2**20) as child:
        yield child


@linux_only
def test_each_input_has_its_verdict_and_the_next_is_tried(small_child, tmp_path):
    behaviours = ["fine", "crash", "fine", "exit", "named", "hang", "memory", "too much", "unnamed", "print"]
    verdicts = {}
    for i, behaviour in enumerate(behaviours):
        path = tmp_path / f"{i}.txt"
        path.write_text(behaviour)
        verdicts[i] = small_child.call(behave, path)
    kinds = [verdict.kind for verdict in verdicts.values()]
    assert kinds == ["fine", "crash", "fine", "crash", "error", "hang", "memory", "memory", "error", "fine"]
    assert "Segmentation fault" in verdicts[1].message
    assert verdicts[6].n_bytes > 190 * 2**20
    assert verdicts[8].error[0] == "KeyError"
    assert [verdict.printed for verdict in verdicts.values()][-1] == "noise"
    assert not verdicts[0].printed


@linux_only
def test_what_is_wrong_is_told_and_its_file_is_left(small_child, tmp_path):
    contents = [b"fine", b"unnamed", b"named", b"crash"]
    lines = complaints(small_child, behave, contents, tmp_path, suffix=".txt", accepts=names_the_file)
    assert [("KeyError" in line, "crash" in line) for line in lines] == [(True, False), (False, True)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input-1.txt", "input-3.txt"]


def test_inputs_depend_on_the_seed_and_their_index_alone():
    wholes = [bytes(range(256)) * 4, b"another file"]
    few, many = list(mutants(wholes, 10)), list(mutants(wholes, 200))
    assert many[:10] == few
    assert few != list(mutants(wholes, 10, seed=1))
    assert len(set(many)) > 180
    assert not {b""} >= set(many)


@pytest.mark.parametrize("damage", BYTES, ids=lambda damage: damage.__name__)
def test_every_damage_takes_every_content(damage):
    for content in (b"", b"x", bytes(5000)):
        for out in mutants([content, b"other"], 20, damages=[damage, in_zip(damage)]):
            assert isinstance(out, bytes)
