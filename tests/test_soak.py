"""A long life: hours of signal in blocks, and thousands of single predictions, in memory that does not grow."""

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read as Linux tells it")

LIFE = """
    import gc, sys
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from skkws import KeywordHeadClassifier, SpeechEmbeddingTransformer
    from skkws.embedding import embed
    from skkws.features import log_mel

    def resident():
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    SECONDS, RATE = 30, 16000
    rng = np.random.default_rng(0)
    sound = rng.normal(scale=0.1, size=(SECONDS + 1) * RATE).astype(np.float32)
    vectors = SpeechEmbeddingTransformer().fit_transform(sound.reshape(-1, RATE)[:8])
    head = KeywordHeadClassifier(epochs=2, random_state=0).fit(vectors, ["no", "yes"] * 4)
    spotter = make_pipeline(SpeechEmbeddingTransformer().fit(sound[None, :RATE]), head)

    def listen(hours):
        '''Each block begins with the frames that the vectors of the last one did not reach.'''
        heard, left = 0, np.zeros((0, 32), np.float32)
        for _ in range(int(hours * 3600 / SECONDS)):
            sound[:] = np.roll(sound, 4001)
            frames = np.concatenate([left, log_mel(sound[: SECONDS * RATE + 240])])
            found = embed(frames)
            heard += len(found)
            left = frames[8 * len(found) :]
        return heard

    def predict(n):
        for i in range(n):
            spotter.predict_proba(sound[None, i % 1000 : i % 1000 + RATE])

    hours, n = float(sys.argv[1]), int(sys.argv[2])
    listen(0.05)
    predict(100)
    before = resident()
    heard = listen(hours)
    middle = resident()
    predict(n)
    print(heard, middle - before, resident() - middle)
"""


def live(hours, n_predictions):
    command = [sys.executable, "-c", textwrap.dedent(LIFE), str(hours), str(n_predictions)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    heard, *growths = map(int, done.stdout.split())
    assert heard == pytest.approx(hours * 3600 / 0.08, rel=0.001)
    assert max(growths) < 16 * 2**20, growths


def test_memory_is_flat_over_a_quarter_of_an_hour_and_some_hundred_predictions():
    live(0.25, 300)


@pytest.mark.slow
def test_memory_is_flat_over_a_day_and_ten_thousand_predictions():
    live(24, 10_000)
