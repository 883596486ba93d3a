"""Machine code made for older processors computes the same."""

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
@pytest.mark.parametrize(("simd", "lanes"), [("avx2", 8), ("sse", 4)])
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
