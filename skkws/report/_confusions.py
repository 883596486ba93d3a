"""Which labels were taken for another one, in which clips, and how those sound."""

import base64
import io
from collections import defaultdict

import numpy as np

from skkws.features import log_mel

# Clips named for each cell of a confusion matrix, and how many of them can be played.
N_NAMED = 12
N_PLAYABLE = 4
# Bytes of sound and spectrograms in a page, as text: beyond that it opens slowly on a phone.
_MOST_BYTES = 2_200_000


def confusion_counts(comparison, scores):
    """Count answers for each true and each predicted label.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What the model is part of.
    scores : skkws.compare.ModelScores
        The model.

    Returns
    -------
    counts : list of list of int
        A row for each true label; over all repeats.
    """
    from sklearn.metrics import confusion_matrix

    target = np.tile(comparison.target, len(scores.predictions))
    return confusion_matrix(target, scores.predictions.ravel(), labels=comparison.labels).tolist()


def misclassified_clips(comparison):
    """Find the clips in each cell of the confusion matrices that is off the diagonal.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to look through.

    Returns
    -------
    cells : list of dict
        For each model, from (true, predicted), numbers of labels, to its clips as (clip, probability of the predicted
        label), the surest mistake first; the probability is a mean over repeats, or None.
    """
    number = {label: i for i, label in enumerate(comparison.labels)}
    target = [number[label] for label in comparison.target]
    found = []
    for scores in comparison.ranked:
        mistakes = defaultdict(list)
        for repeat, clip in np.argwhere(scores.predictions != comparison.target).tolist():
            predicted = number[scores.predictions[repeat, clip]]
            sure = None if scores.probabilities is None else scores.probabilities[repeat, clip, predicted]
            mistakes[target[clip], predicted, clip].append(sure)
        cells = defaultdict(list)
        for (true, predicted, clip), sure in mistakes.items():
            cells[true, predicted].append((clip, None if sure[0] is None else float(np.mean(sure))))
        found.append({cell: sorted(clips, key=lambda each: -(each[1] or 0)) for cell, clips in cells.items()})
    return found


def choose_playable(cells):
    """Put the clips into the order in which they deserve room in the page.

    Parameters
    ----------
    cells : list of dict
        What :func:`misclassified_clips` returned.

    Returns
    -------
    clips : list of int
        First the surest mistake of each cell of each model, cells with many mistakes first; then the second one, and
        so on up to `N_PLAYABLE`.
    """
    lists = sorted((clips for model in cells for clips in model.values()), key=len, reverse=True)
    return list(dict.fromkeys(clips[k][0] for k in range(N_PLAYABLE) for clips in lists if k < len(clips)))


def embed_sounds(clips, waveforms, sample_rate):
    """Make sound and spectrogram of clips as text, as many as there is room for.

    Parameters
    ----------
    clips : list of int
        Which ones, the most important one first.
    waveforms : array-like of shape (n_clips, n_samples)
        All clips, in [-1, 1].
    sample_rate : int
        Samples per second.

    Returns
    -------
    sounds : dict of int to dict
        Audio as a data URI (MP3, or FLAC at a rate that MP3 lacks; one channel), duration in seconds, and the log-mel
        spectrogram as base64 of one byte for each frame and band, frame by frame.
    """
    sounds, n_bytes = {}, 0
    for clip in clips:
        sound = _embed(np.asarray(waveforms[clip], dtype=np.float32), sample_rate)
        n_bytes += len(sound["audio"]) + len(sound["spectrogram"])
        if n_bytes > _MOST_BYTES:
            break
        sounds[clip] = sound
    return sounds


def _embed(y, sample_rate):
    import soundfile as sf

    file, kind = io.BytesIO(), "mpeg"
    try:
        sf.write(file, y, sample_rate, format="MP3")
    except sf.LibsndfileError:  # MPEG knows nine rates, and old libsndfile no MPEG
        file, kind = io.BytesIO(), "flac"
        sf.write(file, y, sample_rate, format="FLAC", subtype="PCM_16")
    # Windows of 25 ms every 10 ms, whatever the rate.
    win_length = round(0.025 * sample_rate)
    frames = log_mel(
        y,
        sample_rate=sample_rate,
        win_length=win_length,
        hop_length=round(0.01 * sample_rate),
        n_fft=2 ** int(np.ceil(np.log2(win_length))),
        fmax=min(3800.0, sample_rate / 2),
    )
    span = np.ptp(frames) or 1.0
    pixels = np.round(255 * (frames - frames.min()) / span).astype(np.uint8)
    return {
        "audio": f"data:audio/{kind};base64," + _base64(file.getvalue()),
        "seconds": len(y) / sample_rate,
        "bands": frames.shape[1],
        "spectrogram": _base64(pixels.tobytes()),
    }


def _base64(content):
    return base64.b64encode(content).decode("ascii")
