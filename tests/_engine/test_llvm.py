"""Machine code made for older processors, or kept on disk, computes the same."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

CODE = """
import sys
import numpy as np
from skkws import KeywordHeadClassifier, SpeechEmbeddingTransformer
from skkws._engine.llvm import host_registers
clips = np.random.RandomState(0).uniform(-0.1, 0.1, (8, 16000))
rows = SpeechEmbeddingTransformer().fit_transform(clips)
head = KeywordHeadClassifier(epochs=2, random_state=0).fit(rows, [0, 1] * 4)
np.savez(sys.argv[1], rows=rows, probabilities=head.predict_proba(rows), lanes=host_registers().lanes)
"""


def computed(simd, path):
    environment = os.environ | {"SKKWS_SIMD": simd}
    subprocess.run([sys.executable, "-c", CODE, path], env=environment, check=True)
    return np.load(path)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are instructions of x86-64")
@pytest.mark.parametrize(("simd", "lanes"), [pytest.param("avx2", 8, marks=pytest.mark.slow), ("sse", 4)])
def test_code_held_to_an_older_processor_computes_the_same(simd, lanes, tmp_path):
    native, held = computed("native", tmp_path / "native.npz"), computed(simd, tmp_path / "held.npz")
    assert held["lanes"] == lanes
    np.testing.assert_allclose(held["rows"], native["rows"], atol=1e-4 * np.abs(native["rows"]).max())
    np.testing.assert_allclose(held["probabilities"], native["probabilities"], atol=1e-3)


def test_an_unknown_processor_is_named():
    code = "from skkws._engine.llvm import host_registers\nhost_registers()"
    environment = os.environ | {"SKKWS_SIMD": "mmx"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "SKKWS_SIMD='mmx' is not known here" in run.stderr
    assert "Unset it" in run.stderr


COUNTING = """
import sys
import llvmlite.binding
import numpy as np
compiled, parse = [], llvmlite.binding.parse_assembly
def counted(assembly, *args, **kwargs):
    compiled.extend([assembly] if assembly else [])
    return parse(assembly, *args, **kwargs)
llvmlite.binding.parse_assembly = counted
from skkws import KeywordHeadClassifier, log_mel
rows = log_mel(np.random.RandomState(0).uniform(-0.1, 0.1, (4, 16000))).reshape(4, -1)
head = KeywordHeadClassifier(n_vectors=98, epochs=1, filters=8, random_state=0).fit(rows, [0, 1, 0, 1])
np.savez(sys.argv[1], rows=rows, probabilities=head.predict_proba(rows), n_compiled=len(compiled))
"""


@pytest.fixture
def compute(tmp_path):
    """Return a function that computes in a process of its own, and returns what and how many modules it compiled."""

    def compute(**environment):
        path = tmp_path / "computed.npz"
        environment = {"SKKWS_CACHE_DIR": str(tmp_path / "cache"), "SKKWS_SIMD": "native"} | environment
        subprocess.run([sys.executable, "-c", COUNTING, path], env=os.environ | environment, check=True)
        return dict(np.load(path))

    return compute


def assert_same(one, other):
    np.testing.assert_array_equal(one["rows"], other["rows"])
    np.testing.assert_array_equal(one["probabilities"], other["probabilities"])


def test_a_second_process_compiles_nothing(compute):
    first, second = compute(), compute()
    assert first["n_compiled"] == 3  # log-mel, both blocks of the head
    assert second["n_compiled"] == 0
    assert_same(first, second)


def test_machine_code_that_was_damaged_on_disk_is_made_anew(compute, tmp_path):
    first = compute()
    for i, path in enumerate((tmp_path / "cache" / "machine-code").iterdir()):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content[: len(content) // 3] if i % 2 else content)
    again = compute()
    assert again["n_compiled"] == 3
    assert_same(first, again)
    assert compute()["n_compiled"] == 0


def test_nowhere_to_keep_machine_code_is_no_error(compute, tmp_path):
    (tmp_path / "cache").write_text("where the folder would be")
    in_the_way, off = compute(), compute(SKKWS_CACHE_DIR="off")
    assert in_the_way["n_compiled"] == off["n_compiled"] == 3
    assert_same(in_the_way, off)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are instructions of x86-64")
def test_machine_code_for_several_processors_lies_side_by_side(compute):
    native, held = compute(), compute(SKKWS_SIMD="sse")
    assert held["n_compiled"] == 3
    assert_same(native, compute())
    again = compute(SKKWS_SIMD="sse")
    assert again["n_compiled"] == 0
    assert_same(held, again)


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.zeros(8), "float64"),
        (np.zeros(8, ">f4"), ">f4"),
        (np.zeros(16, np.float32)[::2], r"\(8,\)"),
        ([0.0] * 8, "list"),
        (1234, "int"),
    ],
    ids=str,
)
def test_machine_code_takes_no_array_that_it_would_misread(array, got):
    from skkws._engine.head_kernels import BlockShape, compile_block

    kernels = compile_block(BlockShape(1, 1, 1, 1, 1, "relu", "float32"))
    with pytest.raises(TypeError, match=f"convolve takes C-contiguous arrays of float32, got .*{got}"):
        kernels.convolve(array, np.zeros(1, np.int64), np.zeros(1, np.float32), np.zeros(8, np.float32), 1)
