"""Many recordings as waveform rows."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from skkws._runtime.progress import progress
from skkws.audio._clips import ClipReport, as_clip_list, clip_names, load_clip, shorten
from skkws.audio._decoding import MAX_RATE, MAX_SAMPLES, MIN_RATE
from skkws.audio._recording import CROPS
from skkws.audio._samples import AudioError


class AudioLoader(TransformerMixin, BaseEstimator):
    """Turn recordings into waveform rows of one rate and one length.

    Files and arrays become a matrix that holds one clip per row: mono, float32, full scale [-1, 1]. The first step of
    a pipeline whose `X` is a list of paths.

    Parameters
    ----------
    sample_rate : int, default=16000
        The rate of the rows, in Hz, up to 768000. A recording at another rate is resampled (soxr, high quality).
    duration : float or None, default=1.0
        The length of a row, in seconds. Clips are cropped or padded to ``round(duration * sample_rate)`` samples.
        None keeps the clips as long as they are and requires equal lengths: `fit` takes the length of the first
        usable clip and `transform` refuses any other.
    pad : {"center", "start", "end", "loudest"}, default="center"
        The side that changes: where zeros are added to a shorter clip, and samples removed from a longer one.

        - "center": both sides by the same number, the end by one more where the difference is odd;
        - "start": the start, so the end of the clip stays at the end of the row;
        - "end": the end, so the start of the clip stays at the start of the row;
        - "loudest": of a longer clip its loudest stretch is kept, as by :func:`~skkws.audio.fit_length`; it brings
          words of long clips into the row wherever they lie. Shorter ones are padded as with "center".

        With the first three, clips that are more than 5 % longer than a row are counted in a warning.
    on_error : {"raise", "skip"}, default="raise"
        What to do with a clip that cannot be used: stop with an error that names it, or leave its row out, with one
        warning for all of them. See `transform` on how to keep labels aligned.
    source_rate : int or None, default=None
        The rate of the clips that come as arrays, in Hz, from 1000 to 768000. None means `sample_rate`. Set it to
        search over `sample_rate` with arrays as `X`. A file brings its own rate, and this parameter does not touch it.
    n_jobs : int or None, default=None
        The number of clips read at the same time (joblib, threads). The result does not depend on it.
    verbose : bool or int, default=0
        Whether to draw a progress bar on the standard error stream.

    Attributes
    ----------
    n_samples_ : int
        The length of a row, in samples.
    n_features_in_ : int
        The number of columns seen during `fit`. Only where `X` was a 2-D array.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the columns seen during `fit`. Only where `X` was a data frame with string column names.
    kept_ : ndarray of shape (n_rows,)
        The indices into `X` of the clips in the latest `transform`'s rows. Only with ``on_error="skip"``.
    skipped_ : list of (int, str, str)
        Index, name and reason of every clip the latest `transform` left out. Only with ``on_error="skip"``.

    Notes
    -----
    `fit` reads nothing unless ``duration=None``, in which case it reads the first usable clip; with a `duration` the
    transformer is stateless and needs no `fit`. Of a recording longer than `duration` only what the row holds, and
    a little around it, is decoded and resampled, except for MP3 and what PyAV decodes.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.audio import AudioLoader
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> clips = [tone[:6000], (32767 * tone).astype(np.int16)]
    >>> X = AudioLoader(sample_rate=16000, duration=0.5, source_rate=8000).fit_transform(clips)
    >>> X.shape, X.dtype
    ((2, 8000), dtype('float32'))

    With files: ``make_pipeline(AudioLoader(), ..., LogisticRegression()).fit(paths, labels)``.
    """

    _parameter_constraints = {
        "sample_rate": [Interval(Integral, 1, MAX_RATE, closed="both")],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "pad": [StrOptions(set(CROPS))],
        "on_error": [StrOptions({"raise", "skip"})],
        "source_rate": [Interval(Integral, MIN_RATE, MAX_RATE, closed="both"), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        sample_rate=16000,
        duration=1.0,
        pad="center",
        on_error="raise",
        source_rate=None,
        n_jobs=None,
        verbose=0,
    ):
        self.sample_rate = sample_rate
        self.duration = duration
        self.pad = pad
        self.on_error = on_error
        self.source_rate = source_rate
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def learns_from_data(self):
        """Whether `fit` learns from the clips: their length, with ``duration=None``."""
        return self.duration is None

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and, where ``duration=None``, learn the length of a row.

        Parameters
        ----------
        X : list of clips, or array-like of shape (n_clips, n_samples)
            As for `transform`.
        y : None
            Ignored.

        Returns
        -------
        self : AudioLoader
        """
        clips = self._check_clips(X, reset=True)
        if self.duration is not None:
            self.n_samples_ = self._row_length()
            return self
        for clip, name in zip(clips, clip_names(clips), strict=True):
            result = load_clip(clip, name, **self._options())
            if not isinstance(result, Exception):
                self.n_samples_ = len(result.y)
                return self
        raise AudioError(f"none of the {len(clips)} clips can be used; the last one: {result}")

    def transform(self, X):
        """Load clips as rows.

        Parameters
        ----------
        X : list of clips, or array-like of shape (n_clips, n_samples)
            A 1-D collection (list, tuple, string or object array, pandas series) of clips of any length, or a 2-D
            array with a waveform per row. Paths may also come as a single column, ``(n_clips, 1)``. A clip is a path
            (`str` or `Path`), the bytes of a file, a binary file object, or a 1-D array of samples: floats in
            [-1, 1], or integer PCM, which is scaled by the full range of its type. Arrays are at `source_rate`; a
            pair ``(rate, array)``, as SciPy and Gradio give it, brings its own rate in Hz, and may have channels,
            ``(n_samples, n_channels)``, which are averaged.

        Returns
        -------
        ndarray of shape (n_clips, n_samples_), dtype float32
            Row i is clip i. With ``on_error="skip"`` the rows of unusable clips are missing, **so rows no longer
            align with the labels**: load first, take ``y[loader.kept_]``, then fit the rest of the pipeline on the
            rows. Inside a pipeline under cross-validation keep ``on_error="raise"``.

        Raises
        ------
        AudioError
            If a clip cannot be used and ``on_error="raise"``, if no clip can be used, or if lengths differ and
            ``duration=None``.
        FileNotFoundError
            If a path does not exist and ``on_error="raise"``.
        """
        check_is_fitted(self)
        self._validate_params()
        clips = self._check_clips(X, reset=False)
        n_samples = self._row_length()
        names = clip_names(clips)
        options = self._options()
        # Decoding and resampling release the interpreter's lock, and threads share file objects and arrays.
        results = Parallel(n_jobs=self.n_jobs, require="sharedmem", return_as="generator")(
            delayed(load_clip)(clip, name, **options) for clip, name in zip(clips, names, strict=True)
        )

        rows = np.empty((len(clips), n_samples), dtype=np.float32)
        kept, skipped, different, report = [], [], [], ClipReport()
        with progress("Loading audio", len(clips), verbose=self.verbose) as advance:
            for index, result in enumerate(results):
                if isinstance(result, Exception):
                    skipped.append((index, names[index], str(result)))
                elif len(result.y) != n_samples:
                    different.append(f"{names[index]} ({len(result.y)})")
                else:
                    rows[len(kept)] = result.y
                    kept.append(index)
                    report.add(result, self.duration, self.pad)
                advance()
        if different:
            raise AudioError(
                f"duration=None needs clips of equal length, {n_samples} samples as learned in fit; these differ: "
                f"{shorten(different, len(different))}. Set duration in seconds to crop and pad them."
            )
        if self.on_error == "skip":
            self.kept_, self.skipped_ = np.array(kept, dtype=int), skipped
            if not kept:
                raise AudioError(f"none of the {len(clips)} clips can be used; the first one: {skipped[0][2]}")
            if skipped:
                reasons = shorten([reason for *_, reason in skipped], len(skipped))
                warnings.warn(
                    f"{len(skipped)} of {len(clips)} clips left out: {reasons} "
                    "(all of them: skipped_). Rows no longer align with y; use y[kept_].",
                    UserWarning,
                    stacklevel=3,  # past the wrapper that set_output puts round transform
                )
        report.warn(self.duration, stacklevel=3)
        rows = rows[: len(kept)]
        if skipped and hasattr(X, "iloc") and _get_output_config("transform", self)["dense"] == "pandas":
            import pandas as pd  # whose index scikit-learn would take from all of X

            return pd.DataFrame(rows, index=X.index[kept])
        return rows

    def get_feature_names_out(self, input_features=None):
        """Name the columns, one per sample: ``sample_00000``, ``sample_00001``, ...

        Parameters
        ----------
        input_features : array-like of str, default=None
            Only checked against the names seen during `fit`.

        Returns
        -------
        ndarray of shape (n_samples_,), dtype object
        """
        check_is_fitted(self)
        if input_features is not None:
            _check_feature_names_in(self, input_features)
        return np.array([f"sample_{i:05d}" for i in range(self._row_length())], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.duration is None
        tags.input_tags.allow_nan = self.on_error == "skip"
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _row_length(self):
        if self.duration is None:
            return self.n_samples_
        n_samples = round(self.duration * self.sample_rate)
        if n_samples == 0:
            raise ValueError(
                f"duration={self.duration} s is less than one sample at sample_rate={self.sample_rate} Hz. Raise it."
            )
        if n_samples > MAX_SAMPLES:
            raise ValueError(
                f"duration={self.duration:,} s are {n_samples:,} samples a row at sample_rate={self.sample_rate} Hz, "
                f"and {MAX_SAMPLES:,} are the most. Lower it: it counts seconds."
            )
        return n_samples

    def _check_clips(self, X, *, reset):
        """Return the clips of `X` as a sequence, whatever form `X` has."""
        clips = as_clip_list(X)
        if clips is not None:
            if reset:  # a list has no columns, and a refit forgets those of an earlier array
                vars(self).pop("n_features_in_", None)
                vars(self).pop("feature_names_in_", None)
            return clips
        rows = validate_data(self, X, reset=reset, ensure_all_finite=self.on_error == "raise")
        if isinstance(X, list | tuple) and rows.dtype.kind in "iu":
            raise ValueError(
                "a list of Python integers does not say how wide its PCM is. Pass an array, as in "
                "np.asarray(X, dtype=np.int16)."
            )
        return rows

    def _options(self):
        return {
            "sample_rate": self.sample_rate,
            "source_rate": self.source_rate or self.sample_rate,
            "n_samples": None if self.duration is None else self._row_length(),
            "pad": self.pad,
            "on_error": self.on_error,
        }
