import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skkws import AudioLoader, CachedTransformer, LogMelTransformer, MFCCTransformer, SpeechEmbeddingTransformer
from skkws._runtime.fingerprint import fingerprint

ROWS = np.random.default_rng(0).uniform(-0.1, 0.1, (4, 16000)).astype(np.float32)


def pipeline(**mfcc):
    return make_pipeline(MFCCTransformer(**mfcc), StandardScaler())


class Verbose(TransformerMixin, BaseEstimator):
    def __init__(self, gain=1.0, n_jobs=None, verbose=0):
        self.gain, self.n_jobs, self.verbose = gain, n_jobs, verbose


@pytest.mark.parametrize("estimator", [MFCCTransformer(), SpeechEmbeddingTransformer(pooling="mean"), pipeline()])
def test_a_clone_fitted_to_the_same_rows_has_the_same(estimator):
    assert fingerprint(clone(estimator).fit(ROWS)) == fingerprint(estimator.fit(ROWS))


def test_where_nothing_is_learnt_only_the_width_of_the_rows_counts():
    of_rows = fingerprint(LogMelTransformer().fit(ROWS))
    assert fingerprint(LogMelTransformer().fit(0 * ROWS[:1])) == of_rows
    assert fingerprint(LogMelTransformer().fit(ROWS[:, :8000])) != of_rows


@pytest.mark.parametrize(
    "other",
    [
        pipeline(deltas=1),
        pipeline(stats=("std", "mean")),
        make_pipeline(MFCCTransformer(), StandardScaler(with_std=False)),
        make_pipeline(MFCCTransformer()),
        make_pipeline(MFCCTransformer(), StandardScaler(), StandardScaler()),
        make_pipeline(LogMelTransformer(), StandardScaler()),
    ],
)
def test_every_parameter_and_step_counts(other):
    assert fingerprint(other.fit(ROWS)) != fingerprint(pipeline().fit(ROWS))


def test_what_was_learnt_counts():
    assert fingerprint(pipeline().fit(ROWS)) != fingerprint(pipeline().fit(2 * ROWS))


def test_how_much_is_told_and_done_at_once_does_not_count():
    assert fingerprint(Verbose(n_jobs=2, verbose=3)) == fingerprint(Verbose())
    assert fingerprint(Verbose(gain=2.0)) != fingerprint(Verbose())
    assert fingerprint(AudioLoader(n_jobs=2, verbose=1)) == fingerprint(AudioLoader())
    piped = pipeline().fit(ROWS)
    alike = fingerprint(piped)
    assert fingerprint(piped.set_params(verbose=True, memory="somewhere")) == alike
    assert fingerprint(piped.set_output(transform="pandas")) == alike
    cached = [CachedTransformer(MFCCTransformer(), folder) for folder in (None, "somewhere")]
    assert fingerprint(cached[0]) == fingerprint(cached[1])


def test_numbers_out_of_an_array_are_the_same_parameters():
    assert fingerprint(Verbose(gain=np.float64(0.5))) == fingerprint(Verbose(gain=0.5))


def test_it_is_the_same_in_every_process():
    code = (
        "import numpy as np\n"
        "from skkws import MFCCTransformer\n"
        "from skkws._runtime.fingerprint import fingerprint\n"
        "print(fingerprint(MFCCTransformer(stats={'mean'} and ('mean', 'std')).fit(np.zeros((1, 16000)))))"
    )
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    here = fingerprint(MFCCTransformer(stats=("mean", "std")).fit(ROWS))
    assert runs == {f"{here}\n".encode()} or runs == {f"{here}\r\n".encode()}


@pytest.mark.parametrize("form", [str, lambda path: path])
def test_of_a_file_named_by_a_parameter_the_content_counts(tmp_path, form):
    path = tmp_path / "weights.npz"
    path.write_bytes(b"some weights")
    before = fingerprint(SpeechEmbeddingTransformer(weights=form(path)))
    shutil.copy(path, tmp_path / "copy")
    path.write_bytes(b"more weights")
    assert fingerprint(SpeechEmbeddingTransformer(weights=form(path))) != before
    (tmp_path / "copy").replace(path)
    assert fingerprint(SpeechEmbeddingTransformer(weights=form(path))) == before


def test_what_cannot_be_pickled_is_named():
    with pytest.raises(ValueError, match=r"<unlocked _thread.lock.* cannot be pickled.*Leave it out, or do without"):
        fingerprint(FunctionTransformer(np.abs, kw_args={"lock": threading.Lock()}))
    assert fingerprint(FunctionTransformer(np.abs)) != fingerprint(FunctionTransformer(np.square))
