"""Speech from espeak-ng, through the shared library and data that the `espeakng-loader` wheel carries."""

import ctypes
import importlib.util
import locale
import os
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np

# Constants of espeak-ng's public header, speak_lib.h (1.52).
_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback; no audio device, no thread of its own
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: report missing data instead of ending the process
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_CHARACTERS = 1  # POS_CHARACTER
_UTF8, _PHONEMES = 1, 0x100  # espeakCHARS_UTF8; espeakPHONEMES: "[[...]]" in a text holds phonemes
_IPA = 2  # espeakPHONEMES_IPA, of espeak_TextToPhonemes
_BUFFER_MS = 1000  # a clip in one piece; the default of 60 ms calls back into Python ten times as often
_WORDS_PER_MINUTE = 175  # espeakRATE_NORMAL

# N_PATH_HOME: espeak-ng copies the data path into a buffer of this many bytes (160 in the Linux wheel) and, where the
# path does not fit, looks for its data elsewhere and writes to stderr.
_MAX_DATA_PATH = 160

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
_UNUSED = ("en-shaw",)  # reads the Shavian alphabet in the sounds of "en"

_SYNTH_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_starting = threading.Lock()


class EspeakNG:
    """A freshly loaded espeak-ng; get one from `open_espeak_ng`.

    Attributes
    ----------
    version : str
        Version of the library, such as ``"1.52.0"``.
    """

    def __init__(self, library, data_path):
        self._chunks = []
        self._voice = None
        self._callback = _SYNTH_CALLBACK(self._collect)  # kept here: the library holds a bare pointer to it
        self._data_path = data_path
        self._library = library
        library.espeak_Info.restype = library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._sample_rate = library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, os.fsencode(data_path), _DONT_EXIT)
        if self._sample_rate <= 0:
            raise RuntimeError(
                f"espeak-ng cannot read its data at {str(data_path)!r}. "
                "Reinstall the wheel that carries it: pip install --force-reinstall espeakng-loader"
            )
        library.espeak_ng_SetRandSeed(ctypes.c_long(0))  # espeak_Initialize seeds the breath noise from the clock
        library.espeak_SetSynthCallback(self._callback)
        # espeak_TextToPhonemes reads "[[...]]" only after espeak_Synth has been told to.
        library.espeak_Synth(b"", ctypes.c_size_t(1), 0, _CHARACTERS, 0, _UTF8 | _PHONEMES, None, None)
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
        if voice == self._voice:
            return
        _, _, variant = voice.partition("+")
        # espeak-ng passes over a variant that it does not find, and speaks with the plain voice.
        known = not variant or (Path(self._data_path) / "voices" / "!v" / variant).is_file()
        if not known or self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(
                f"voices must name voices of espeak-ng {self.version}, got {voice!r}. "
                "Use names such as 'en-us+f3', an accent and a variant; `skkws voices` lists them."
            )
        self._voice = voice

    def speak(self, text, voice, *, speed=1.0, pitch=0.0, liveliness=1.0):
        """Render text as speech.

        Parameters
        ----------
        text : str
            What to say; what stands in ``[[...]]`` are espeak-ng's phonemes of the voice's language.
        voice : str
            Voice, as in `set_voice`.
        speed : float, default=1.0
            Speed in multiples of the usual 175 words per minute, 0.46 to 2.57.
        pitch : float, default=0.0
            Semitones above the voice's own pitch, -12 to 12.
        liveliness : float, default=1.0
            Range of the intonation in multiples of the voice's own, 0 (monotone) to 2.

        Returns
        -------
        samples : ndarray of shape (n_samples,), int16
            The rendering, silence before and after it included.
        sample_rate : int
            Samples per second.
        """
        self.set_voice(voice)
        # espeak-ng counts pitch and range from 0 to 99, where 50 is the voice's own; 99 is an octave higher.
        rate, pitch, pitch_range = _WORDS_PER_MINUTE * speed, 50 + pitch * 50 / 12, 50 * liveliness
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, round(value), 0)
        self._chunks.clear()
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        status = self._library.espeak_Synth(encoded, size, 0, _CHARACTERS, 0, _UTF8 | _PHONEMES, None, None)
        if status != 0:
            raise RuntimeError(f"espeak-ng stopped with status {status} at the text {text!r}. Try another wording.")
        self._library.espeak_Synchronize()
        return np.frombuffer(b"".join(self._chunks), dtype=np.int16), self._sample_rate

    def phonemes(self, text, voice, *, ipa=True, separator=""):
        """Say how a text is pronounced.

        Parameters
        ----------
        text : str
            What to say, with phonemes in ``[[...]]`` as for `speak`.
        voice : str
            Voice, as in `set_voice`.
        ipa : bool, default=True
            Whether to answer in the International Phonetic Alphabet or in espeak-ng's own signs, as they may stand in
            ``[[...]]``.
        separator : str, default=""
            A character to put between phonemes, or none.

        Returns
        -------
        phonemes : str
            The phonemes with their signs of stress.
        """
        self.set_voice(voice)
        mode = (_IPA if ipa else 0) | (ord(separator) << 8 if separator else 0)
        rest, clauses = ctypes.c_char_p(text.encode()), []
        while rest.value:  # every call reads one clause and moves on
            clauses.append(self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, mode).decode())
        return " ".join(clauses)


class EspeakEngine:
    """The engine espeak-ng, of which every user opens a copy of his own.

    Attributes
    ----------
    version : str
        Version of the library.

    Raises
    ------
    RuntimeError
        If the library cannot be loaded or cannot read its data.
    """

    name = "espeak-ng"
    get = 'pip install "skkws[synth]"'
    suffix = None
    reads_phonemes = True

    def __init__(self):
        with open_espeak_ng() as library:
            self.version = library.version

    @classmethod
    def find(cls, files=()):
        """Return the engine, or None where its wheel is not installed."""
        return cls() if importlib.util.find_spec("espeakng_loader") else None

    @staticmethod
    def open():
        """Open the engine for a series of renderings, as `open_espeak_ng` does."""
        return open_espeak_ng()

    @staticmethod
    def voices(language=None):
        """Return the names of the voices: every accent with every variant.

        Parameters
        ----------
        language : str or None, default=None
            A language such as ``"en"``, whose accents are taken, or an accent such as ``"en-us"``; None takes all.
        """
        return [f"{accent}+{variant}" for accent in accents(language) for variant in (*_FEMALE, *_MALE)]

    @staticmethod
    def check_voices(voices):
        """Raise a ValueError if one of the voices is unknown; more variants than those of `voices` are known."""
        with open_espeak_ng() as library:
            for voice in voices:
                library.set_voice(voice)

    @staticmethod
    def draw(language, rng):
        """Draw voices, female and male in turn.

        Parameters
        ----------
        language : str
            Language or accent, as in `voices`.
        rng : RandomState instance
            Source of randomness.

        Yields
        ------
        voice : str
            Distinct names such as ``"en-us+f3"``. Each sex goes through all its variants before one comes again, and
            then with another accent. It ends when the voices of one sex do.

        Examples
        --------
        >>> import numpy as np
        >>> from skkws.synthesis._espeak import EspeakEngine
        >>> len(set(EspeakEngine.draw("en", np.random.RandomState(0))))
        192
        """
        spoken = accents(language)
        if not spoken:
            return
        female, male = (
            _pair_with_accents(rng.permutation(variants), rng.permutation(spoken)) for variants in (_FEMALE, _MALE)
        )
        for pair in zip(female, male, strict=False):
            yield from pair


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
    >>> from skkws.synthesis._espeak import open_espeak_ng
    >>> with open_espeak_ng() as engine:
    ...     samples, sample_rate = engine.speak("hello", "en-us+f3")
    >>> samples.dtype, sample_rate
    (dtype('int16'), 22050)
    """
    try:
        import espeakng_loader
    except ImportError as error:
        raise ImportError(
            'Synthesizing speech needs espeak-ng, which is not installed. Run: pip install "skkws[synth]"'
        ) from error
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
            with _starting:  # espeak_Initialize sets LC_CTYPE of the whole process
                locale_before = locale.setlocale(locale.LC_CTYPE)
                try:
                    engine = EspeakNG(library, data_path)
                finally:
                    locale.setlocale(locale.LC_CTYPE, locale_before)
            try:
                yield engine
            finally:
                library.espeak_Terminate()
        finally:
            _unload(library)


def accents(language=None):
    """List the accents of a language by espeak-ng's names.

    Parameters
    ----------
    language : str or None, default=None
        A language such as ``"en"`` or an accent such as ``"en-us"``; None takes all.

    Returns
    -------
    accents : list of str
        Names in alphabetical order; none where espeak-ng does not speak the language.

    Examples
    --------
    >>> from skkws.synthesis._espeak import accents
    >>> accents("en")[:4]
    ['en', 'en-029', 'en-gb-scotland', 'en-gb-x-gbclan']
    """
    import espeakng_loader

    found = []
    for path in Path(espeakng_loader.get_data_path(), "lang").rglob("*"):
        name = path.name.lower()
        if path.is_file() and name not in _UNUSED and (language is None or _speaks_any(path, language)):
            found.append(name)
    return sorted(found)


def _speaks_any(path, language):
    """Tell whether a file of an accent names the language, in one of the lines for it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return any(speaks(line.split()[1], language) for line in lines if line.startswith("language "))


def speaks(name, language):
    """Tell whether the name of an accent, such as ``"en-us"``, is one of a language such as ``"en"``."""
    name, language = (code.lower().replace("_", "-") for code in (name, language))
    return name == language or name.startswith(f"{language}-")


def _pair_with_accents(variants, accents):
    for n_rounds in range(len(accents)):
        for k, variant in enumerate(variants):
            # The shift by one accent in every round gives each variant all accents, once each.
            yield f"{accents[(k + n_rounds) % len(accents)]}+{variant}"


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
