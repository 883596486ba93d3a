"""Speech from espeak-ng, through the shared library and data that the `espeakng-loader` wheel carries."""

import ctypes
import locale
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

# Constants of espeak-ng's public header, speak_lib.h (1.52).
_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback; no audio device, no thread of its own
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: report missing data instead of ending the process
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_CHARACTERS = 1  # POS_CHARACTER
_UTF8 = 1  # espeakCHARS_UTF8

# N_PATH_HOME: espeak-ng copies the data path into a buffer of this many bytes (160 in the Linux wheel) and, where the
# path does not fit, looks for its data elsewhere and writes to stderr.
_MAX_DATA_PATH = 160

# The English accents of the espeakng-loader 0.2.4 wheel (espeak-ng 1.52), by espeak-ng's names; "en" is Great Britain.
# Left out is "en-shaw", which reads the Shavian alphabet in the sounds of "en".
_ACCENTS = (
    "en",
    "en-029",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-gb-x-rp",
    "en-us",
    "en-us-nyc",
)

# Variants are vocal tracts: tables of formants, laid over an accent. Of the 104 in the wheel these are the ones that
# can pass for a person, by what their files say:
# - no Klatt synthesizer, no echo louder than 30/256, breath noise no louder than a tint (first number 0), flutter up to
#   8 and roughness up to 4 (drops robots, whispers, croaks and trembling old age);
# - a base pitch of 65 to 220 Hz;
# - formants 1 to 3, which make the vowels, at 70 to 150 % of their frequency and at least a third of their height;
# - of variants whose formants differ in one number at most, one.
_FEMALE = ("Andrea", "Annie", "anika", "belinda", "f1", "f2", "f3", "f4", "f5", "linda", "shelby", "steph")
_MALE = (
    *("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "Alex", "Denis", "Diogo", "Gene", "Mario", "Mike", "antonio"),
    *("ed", "ian", "iven3", "john", "max", "norbert", "pablo", "paul", "pedro", "quincy", "robert"),
)
MAX_VOICES = 2 * len(_FEMALE) * len(_ACCENTS)

_SYNTH_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class EspeakNG:
    """A freshly loaded espeak-ng; get one from `open_espeak_ng`.

    Attributes
    ----------
    version : str
        Version of the library, such as ``"1.52.0"``.
    """

    def __init__(self, library, data_path):
        self._chunks = []
        self._callback = _SYNTH_CALLBACK(self._collect)  # kept here: the library holds a bare pointer to it
        self._data_path = data_path
        self._library = library
        library.espeak_Info.restype = ctypes.c_char_p
        self._sample_rate = library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data_path), _DONT_EXIT)
        if self._sample_rate <= 0:
            raise RuntimeError(
                f"espeak-ng cannot read its data at {str(data_path)!r}. "
                "Reinstall the wheel that carries it: pip install --force-reinstall espeakng-loader"
            )
        library.espeak_ng_SetRandSeed(ctypes.c_long(0))  # espeak_Initialize seeds the breath noise from the clock
        library.espeak_SetSynthCallback(self._callback)
        self.version = library.espeak_Info(None).decode()

    def _collect(self, samples, n_samples, events):
        if samples and n_samples > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * n_samples))
        return 0

    def set_voice(self, voice):
        """Choose the voice of what is spoken next.

        Parameters
        ----------
        voice : str
            A language or accent, and after a plus sign a variant: ``"en-us+f3"``.

        Raises
        ------
        ValueError
            If espeak-ng does not know the voice or the variant.
        """
        _, _, variant = voice.partition("+")
        # espeak-ng passes over a variant that it does not find, and speaks with the plain voice.
        known = not variant or (Path(self._data_path) / "voices" / "!v" / variant).is_file()
        if not known or self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(
                f"voices must name voices of espeak-ng {self.version}, got {voice!r}. "
                "Use names such as 'en-us+f3'; `espeak-ng --voices` and `--voices=variant` list them."
            )

    def speak(self, text, *, voice, rate=175, pitch=50, pitch_range=50):
        """Render text as speech.

        Parameters
        ----------
        text : str
            What to say.
        voice : str
            Voice, as in `set_voice`.
        rate : int, default=175
            Speed in words per minute, 80 to 450.
        pitch : int, default=50
            Pitch from 0 to 99, where 50 is the voice's own; 0 is an octave lower and 99 an octave higher.
        pitch_range : int, default=50
            Liveliness of the intonation from 0 (monotone) to 99, where 50 is the voice's own.

        Returns
        -------
        samples : ndarray of shape (n_samples,), int16
            The rendering, silence before and after it included.
        sample_rate : int
            Samples per second.
        """
        self.set_voice(voice)
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, int(value), 0)
        self._chunks.clear()
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        status = self._library.espeak_Synth(encoded, size, 0, _CHARACTERS, 0, _UTF8, None, None)
        if status != 0:
            raise RuntimeError(f"espeak-ng stopped with status {status} at the text {text!r}. Try another wording.")
        self._library.espeak_Synchronize()
        return np.frombuffer(b"".join(self._chunks), dtype=np.int16), self._sample_rate


@contextmanager
def open_espeak_ng():
    """Load a private copy of espeak-ng, and unload it at the end.

    The library keeps the phase of its pitch flutter and the state of its filters between two renderings, and neither
    `espeak_Terminate` nor `espeak_ng_SetRandSeed` resets them: the same request sounds slightly different the second
    time. A copy of the library file is loaded with its state new, so what is spoken inside one `with` block depends on
    the requests in that block and their order alone. Copies share nothing, which also makes them safe across threads
    and forks. Of the wheel's variants only ``+Reed`` and ``+caleb`` stay unrepeatable: they take their breath noise
    from `rand` of the C library.

    Yields
    ------
    engine : EspeakNG
        The engine, usable inside the `with` block.

    Raises
    ------
    ImportError
        If `espeakng_loader` is not installed.
    RuntimeError
        If the library cannot be loaded or cannot read its data.

    Examples
    --------
    >>> from skkws.datasets._espeak import open_espeak_ng
    >>> with open_espeak_ng() as engine:
    ...     samples, sample_rate = engine.speak("hello", voice="en-us+f3")
    >>> samples.dtype, sample_rate
    (dtype('int16'), 22050)
    """
    try:
        import espeakng_loader
    except ImportError as error:
        raise ImportError(
            'Synthesizing speech needs espeak-ng, which is not installed. Run: pip install "skkws[synth]"'
        ) from error
    locale_before = locale.setlocale(locale.LC_CTYPE)  # espeak_Initialize sets LC_CTYPE of the whole process
    with tempfile.TemporaryDirectory(prefix="skkws-", ignore_cleanup_errors=True) as folder:
        data_path = _short_data_path(espeakng_loader.get_data_path(), folder)
        copy = shutil.copy(espeakng_loader.get_library_path(), folder)
        try:
            library = ctypes.CDLL(copy)
        except OSError as error:
            raise RuntimeError(
                f"espeak-ng could not be loaded from {copy!r}: {error}. "
                "Set TMPDIR to a folder from which libraries may be loaded (one not mounted noexec)."
            ) from error
        try:
            engine = EspeakNG(library, data_path)
            try:
                yield engine
            finally:
                library.espeak_Terminate()
        finally:
            _unload(library)
            locale.setlocale(locale.LC_CTYPE, locale_before)


def draw_voices(n_voices, rng):
    """Draw English voices, female and male in turn.

    Parameters
    ----------
    n_voices : int
        Number of voices, from 1 to `MAX_VOICES`.
    rng : RandomState instance
        Source of randomness.

    Returns
    -------
    voices : list of str
        Distinct names such as ``"en-us+f3"``. Each sex goes through all its variants before one comes again, and then
        with another accent.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.datasets._espeak import draw_voices
    >>> len(set(draw_voices(192, np.random.RandomState(0))))
    192
    """
    half = (n_voices + 1) // 2
    female, male = (_pair_with_accents(rng.permutation(variants), half, rng) for variants in (_FEMALE, _MALE))
    return [voice for pair in zip(female, male, strict=True) for voice in pair][:n_voices]


def _pair_with_accents(variants, n_voices, rng):
    accents = rng.permutation(_ACCENTS)
    voices = []
    for i in range(n_voices):
        n_rounds, k = divmod(i, len(variants))
        # The shift by one accent in every round gives each variant all accents, once each.
        voices.append(f"{accents[(k + n_rounds) % len(accents)]}+{variants[k]}")
    return voices


def _short_data_path(data_path, folder):
    """Return the data path, or a link to it in `folder` where espeak-ng could not hold the path itself."""
    if not Path(data_path, "phontab").is_file():
        raise RuntimeError(
            f"espeak-ng has no data at {str(data_path)!r}. "
            "Reinstall the wheel that carries it: pip install --force-reinstall espeakng-loader"
        )
    if len(os.fsencode(data_path)) < _MAX_DATA_PATH:
        return data_path
    link = Path(folder, "espeak-ng-data")
    if len(os.fsencode(link)) >= _MAX_DATA_PATH:
        raise RuntimeError(
            f"The path of espeak-ng's data must be shorter than {_MAX_DATA_PATH} bytes, got {str(data_path)!r}. "
            "Set TMPDIR to a folder with a short name, or install into an environment with a shorter path."
        )
    link.symlink_to(data_path, target_is_directory=True)
    return link


def _unload(library):
    """Unload a shared library; ctypes itself has no public call for it."""
    import _ctypes

    release = _ctypes.FreeLibrary if sys.platform == "win32" else _ctypes.dlclose
    release(library._handle)
