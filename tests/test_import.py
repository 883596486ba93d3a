import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skkws

PACKAGE = Path(skkws.__file__).parent
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


def test_every_public_name_is_found():
    for name in skkws.__all__:
        assert getattr(skkws, name).__name__ in (name, f"skkws.{name}")


def test_a_room_needs_no_import_of_its_own():
    assert loaded_after("import skkws", ["skkws.datasets"]) == []
    assert loaded_after("import skkws\nskkws.datasets.load_esc50", ["skkws.datasets"]) == ["skkws.datasets"]


def test_dir_shows_public_names_alone():
    assert [name for name in dir(skkws) if not name.startswith("__")] == sorted(skkws.__all__)
    assert {"__all__", "__doc__", "__file__", "__name__", "__version__"} <= set(dir(skkws))


def test_editors_see_the_same_names():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {
        (node.module, alias.name) for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    names = {(f"skkws.{room}", name) for name, room in skkws._ROOM_OF.items()}
    assert imported == names | {("skkws", room) for room in skkws._ROOMS}
    [listed] = [ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign)]
    assert sorted(listed) == sorted(skkws.__all__)


def test_a_checkout_that_is_not_installed_knows_its_version():
    code = f"import sys; sys.path.append({str(PACKAGE.parent)!r}); import skkws; print(skkws.__version__)"
    without_packages = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(without_packages, capture_output=True, text=True, check=True)
    assert done.stdout == f"{skkws.__version__}\n"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'skkws' has no attribute 'WakeWordWizard'"):
        skkws.WakeWordWizard  # noqa: B018 (the access is what is tested)
    with pytest.raises(ImportError, match="WakeWordWizard"):
        from skkws import WakeWordWizard  # noqa: F401
