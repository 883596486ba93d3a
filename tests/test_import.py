import subprocess
import sys

import pytest

import skkws

HEAVY = ("tensorflow", "keras", "librosa", "matplotlib")


def loaded_after(statements, names):
    """The modules among `names` that a fresh interpreter has loaded after these statements."""
    code = f"{statements}\nimport sys\nprint(*[name for name in {names!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import skkws", (*HEAVY, "sklearn", "scipy", "numpy")) == []


def test_batches_of_files_need_none_of_the_heavy_packages():
    assert loaded_after("from skkws import extract_features, iter_batches", HEAVY) == []


def test_log_mel_rows_need_none_of_the_heavy_packages():
    statements = "import numpy, skkws\nskkws.LogMelTransformer().fit_transform(numpy.zeros((1, 16000)))"
    assert loaded_after(statements, HEAVY) == []


def test_embedding_speech_needs_none_of_the_heavy_packages():
    statements = "import numpy, skkws\nskkws.SpeechEmbeddingTransformer().fit_transform(numpy.zeros((1, 16000)))"
    assert loaded_after(statements, HEAVY) == []


def test_training_a_head_needs_none_of_the_heavy_packages():
    fit = "skkws.KeywordHeadClassifier(epochs=1).fit(numpy.eye(4, 192), [0, 1, 0, 1]).predict(numpy.eye(4, 192))"
    assert loaded_after(f"import numpy, skkws\n{fit}", HEAVY) == []


def test_looking_at_a_fitted_head_needs_none_of_the_heavy_packages():
    fit = "head = skkws.KeywordHeadClassifier(epochs=1).fit(numpy.eye(4, 192), [0, 1, 0, 1])"
    look = "inspect.getmembers(head), repr(head), head._repr_html_()"
    assert loaded_after(f"import inspect, numpy, skkws\n{fit}\n{look}", HEAVY) == []


def test_all_public_names_load_without_the_heavy_packages():
    assert loaded_after("from skkws import *", HEAVY) == []


def test_public_names_are_listed_and_found():
    assert {"LogMelTransformer", "MFCCTransformer", "SpeechEmbeddingTransformer", "embed", "log_mel"} <= set(dir(skkws))
    assert set(skkws.__all__) <= set(dir(skkws))
    for name in skkws.__all__:
        assert getattr(skkws, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'skkws' has no attribute 'WakeWordWizard'"):
        skkws.WakeWordWizard  # noqa: B018 (the access is what is tested)
    with pytest.raises(ImportError, match="WakeWordWizard"):
        from skkws import WakeWordWizard  # noqa: F401
