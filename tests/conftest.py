"""What several rooms' tests share."""

import io
import os
import signal
from pathlib import Path

# Set before any library reads it: where other programs use the processors, OpenMP's threads otherwise spend most of
# the time waiting for each other at full speed, and XGBoost takes a hundred times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# The width that a parallel run gives its workers would be that of every table that is printed here.
os.environ.pop("COLUMNS", None)
# A shell starts what runs in the background deaf to Ctrl-C, and programs that are tested would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
import soundfile as sf

from skkws._runtime.optional import is_installed

WORDS = ("no", "stop", "yes")

# Tests whose modules compare with TensorFlow or librosa, or are about what needs them, are not collected without them.
collect_ignore_glob = []
if not is_installed("tensorflow"):
    collect_ignore_glob += [
        "_engine/test_head_network.py",
        "_engine/test_multiply_adds.py",
        "classifiers/test_backbone.py",
        "classifiers/test_net.py",
        "embedding/test_embedding.py",
        "extraction/test_keras_dataset.py",
        "features/test_logmel.py",
        "networks/*",
        "reconstruction/*",
    ]
if not is_installed("librosa"):
    collect_ignore_glob += ["features/test_logmel.py", "features/test_mfcc.py"]


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz-inputs", type=int, metavar="N", help="damaged files that each test of tests/fuzz tries, by default few"
    )


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist, where it is installed, looks at its options
def pytest_cmdline_main(config):
    """Run whole folders on two workers, unless something else is asked for, or what only one process can do."""
    option = config.option
    if "PYTEST_XDIST_WORKER" in os.environ or not config.pluginmanager.hasplugin("xdist"):
        return  # a worker starts no workers
    if option.numprocesses is not None or option.tx:
        return
    by_hand = option.usepdb or option.trace or option.capture == "no" or option.collectonly
    if not by_hand and all(Path(arg).is_dir() for arg in config.args):
        option.numprocesses, option.dist = 2, "worksteal"


@pytest.fixture(scope="session")
def speech():
    """Three words, each spoken three times by four voices: what `synthesize_keywords` returns."""
    from skkws.synthesis import synthesize_keywords

    return synthesize_keywords(WORDS, 12, engines=["espeak-ng"], voices=4, random_state=0)


@pytest.fixture(scope="session")
def speech_folder(speech, tmp_path_factory):
    """The same as files ``<word>/<voice>_<n>.wav``; not to be changed, copy it first."""
    root = tmp_path_factory.mktemp("speech") / "words"
    for index, (clip, word, voice) in enumerate(zip(speech.data, speech.target, speech.groups, strict=True)):
        path = root / word / f"{voice}_{index:02d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, clip, speech.sample_rate)
    return root


@pytest.fixture
def decoded(monkeypatch):
    """Content of each recording that is decoded from now on."""
    contents = []

    class Watched(sf.SoundFile):
        def __init__(self, file, *args, **kwargs):
            if isinstance(file, io.BytesIO):
                contents.append(file.getvalue())
            super().__init__(file, *args, **kwargs)

    monkeypatch.setattr(sf, "SoundFile", Watched)
    return contents


@pytest.fixture(scope="session")
def child():
    """A process in which the tests of tests/fuzz open damaged files."""
    from mutation import Child

    with Child() as child:
        yield child


@pytest.fixture
def n_inputs(request):
    """Number of damaged files that `--fuzz-inputs` asks for; by default that of the test, in its mark `inputs`."""
    return request.config.getoption("fuzz_inputs") or request.node.get_closest_marker("inputs").args[0]
