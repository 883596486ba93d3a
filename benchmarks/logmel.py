"""Log-mel energies of many clips: ours against librosa, tf.signal and kaldi-native-fbank.

    python benchmarks/logmel.py --repeat 9

Clips of noise, 25 ms windows every 10 ms, 512-point FFT, magnitudes, 32 HTK mel bands from 60 to 3800 Hz, logarithm.
The peers draw their triangles and place their windows a little otherwise; the work is the same.
"""

import numpy as np
from harness import parser_for, run, write

SETTINGS = {"n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 32, "fmin": 60.0, "fmax": 3800.0}


def make_ours(X):
    from skkws import log_mel

    return lambda: log_mel(X)


def make_librosa(X, one_by_one):
    import librosa

    def log_mel(y):
        mel = librosa.feature.melspectrogram(
            y=y, sr=16000, center=False, power=1.0, htk=True, norm=None, window="hann", **SETTINGS
        )
        return np.log(mel + np.float32(1e-3))

    return (lambda: [log_mel(y) for y in X]) if one_by_one else (lambda: log_mel(X))


def make_tensorflow(X):
    import tensorflow as tf

    weights = tf.signal.linear_to_mel_weight_matrix(32, 257, 16000, 60.0, 3800.0)

    @tf.function(input_signature=[tf.TensorSpec((None, None))])
    def log_mel(y):
        return tf.math.log(tf.abs(tf.signal.stft(y, 400, 160, 512)) @ weights + 1e-3)

    return lambda: log_mel(X).numpy()


def make_kaldi(X):
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    options.use_power = False
    for name, value in {"dither": 0, "remove_dc_offset": False, "preemph_coeff": 0, "window_type": "hanning"}.items():
        setattr(options.frame_opts, name, value)
    for name, value in {"num_bins": 32, "low_freq": 60, "high_freq": 3800}.items():
        setattr(options.mel_opts, name, value)

    def log_mel(y):
        fbank = kaldi_native_fbank.OnlineFbank(options)
        fbank.accept_waveform(16000, y)
        fbank.input_finished()
        return np.stack([fbank.get_frame(t) for t in range(fbank.num_frames_ready)])

    return lambda: [log_mel(y) for y in X]


JOBS = {
    "skkws": make_ours,
    "librosa": lambda X: make_librosa(X, one_by_one=False),
    "librosa, clip by clip": lambda X: make_librosa(X, one_by_one=True),
    "tf.signal": make_tensorflow,
    "kaldi-native-fbank": make_kaldi,
}


def main():
    parser = parser_for(__doc__, [name for name in JOBS if name != "skkws"], repeat=9)
    parser.add_argument("--clips", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=2.0)
    args = parser.parse_args()
    results = []
    for clips, seconds in ((args.clips, args.seconds), (1, 1.0)):
        X = np.random.default_rng(0).normal(0, 0.1, (clips, round(16000 * seconds))).astype(np.float32)
        jobs = {name: lambda make=make, X=X: make(X) for name, make in JOBS.items()}
        results.append(run(f"Log-mel of {clips} x {seconds:g} s", jobs, args))
    write(args, results)


if __name__ == "__main__":
    main()
