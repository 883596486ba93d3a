"""Speech engines that are programs: each runs once for every rendering and leaves a WAV file."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from xml.sax.saxutils import escape

from skkws.synthesis._espeak import speaks

_TIMEOUT = 120  # seconds; a large neural voice needs some to load

# Festival and RHVoice name a language in English.
_LANGUAGES = {
    **{"albanian": "sq", "brazilian-portuguese": "pt-br", "catalan": "ca", "czech": "cs", "english": "en"},
    **{"esperanto": "eo", "finnish": "fi", "georgian": "ka", "german": "de", "hindi": "hi", "italian": "it"},
    **{"kyrgyz": "ky", "macedonian": "mk", "marathi": "mr", "polish": "pl", "russian": "ru", "slovak": "sk"},
    **{"spanish": "es", "tatar": "tt", "telugu": "te", "ukrainian": "uk", "uzbek": "uz", "welsh": "cy"},
}


class ProgramEngine(ABC):
    """What the engines that are programs have in common.

    An engine says by its class how it is called and got, in `_languages` which voices it has, and in `_command` how it
    is asked to speak. The text also comes on standard input.

    Parameters
    ----------
    path : str
        The program.
    files : iterable of path-like, default=()
        Files of further voices. They are named by their stem and speak whatever the language.
    """

    name = program = get = suffix = None
    reads_phonemes = False

    def __init__(self, path, files=()):
        self.path = path
        self.files = {Path(file).stem: Path(file) for file in files}

    @classmethod
    def find(cls, files=()):
        """Return the engine, or None where its program is not installed."""
        path = shutil.which(cls.program)
        return cls(path, files) if path else None

    @cached_property
    def version(self):
        """Version of the program; empty where it does not tell."""
        return _find_version(self._ask(self.path, "--version"))

    def voices(self, language=None):
        """Return the names of the voices that speak a language; None takes all."""
        named = [voice for voice, code in self._voices.items() if language is None or speaks(code, language)]
        return [*named, *self._file_voices]

    def check_voices(self, voices):
        """Raise a ValueError if one of the voices is unknown."""
        for voice in voices:
            if voice not in self.voices():
                raise ValueError(
                    f"voices must name voices of {self.name}, got {voice!r}. "
                    f"There are {', '.join(self.voices()) or 'none'}; `skkws voices` tells how to get more."
                )

    def draw(self, language, rng):
        """Yield the voices of a language, each once, in random order."""
        yield from rng.permutation(self.voices(language)).tolist()

    def open(self):
        """Open the engine for a series of renderings; it keeps nothing between them."""
        return nullcontext(self)

    def speak(self, text, voice, *, speed=1.0, pitch=0.0, liveliness=1.0):
        """Render text as speech.

        Parameters
        ----------
        text : str
            What to say.
        voice : str
            One of `voices`.
        speed : float, default=1.0
            Speed in multiples of the voice's own.
        pitch : float, default=0.0
            Semitones above the voice's own pitch, where the engine can shift it.
        liveliness : float, default=1.0
            Range of the intonation in multiples of the voice's own, where the engine can change it.

        Returns
        -------
        samples : ndarray of shape (n_samples,), int16
            The rendering, silence before and after it included.
        sample_rate : int
            Samples per second.

        Raises
        ------
        RuntimeError
            If the program fails.
        """
        import soundfile

        with tempfile.TemporaryDirectory(prefix="skkws-") as folder:
            output = Path(folder, "speech.wav")
            command = self._command(text, voice, output, speed=speed, pitch=pitch, liveliness=liveliness)
            try:
                done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_TIMEOUT, check=False)
                message = done.stderr.decode(errors="replace").strip()
                if done.returncode == 0:
                    return soundfile.read(output, dtype="int16")
                fault = f"exit status {done.returncode}"
            except (OSError, subprocess.TimeoutExpired) as error:
                fault, message = str(error), ""
            except soundfile.LibsndfileError:
                fault = "it left no recording"
        raise RuntimeError(
            f"{self.name} could not speak {text!r} with the voice {voice!r}: {fault}. {message[-500:]}\n"
            f"Mend {self.path}, or leave the engine out: name those to use in engines."
        )

    @cached_property
    def _voices(self):
        """Languages of the voices that the engine itself has, by voice."""
        return self._languages()

    @property
    def _file_voices(self):
        return list(self.files)

    def _languages(self):
        """Return the language of each voice that the engine itself has; here none, as where all come from files."""
        return {}

    @abstractmethod
    def _command(self, text, voice, output, *, speed, pitch, liveliness):
        """Return the command that speaks a text into a file; its parameters are those of `speak`."""

    def _ask(self, *command):
        """Run a command that tells something; return what it writes."""
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RuntimeError(
                f"{self.name} does not answer: {error}. Mend {self.path}, or leave the engine out: "
                "name those to use in engines."
            ) from error
        return done.stdout.decode(errors="replace")


class Flite(ProgramEngine):
    """Flite: voices compiled in, and further ones as ``.flitevox`` files."""

    name = program = "flite"
    get = "apt install flite; further voices: .flitevox files in voice_files"
    suffix = ".flitevox"

    def _languages(self):
        _, _, names = self._ask(self.path, "-lv").partition("Voices available:")
        # "awb_time" can tell the time only, and "kal" is "kal16" at half the sample rate.
        return {name: "en" for name in names.split() if name not in ("awb_time", "kal")}

    def _command(self, text, voice, output, *, speed, pitch, liveliness):
        style = ("--setf", f"duration_stretch={1 / speed:.4f}", "--setf", f"f0_shift={_ratio(pitch):.4f}")
        return [self.path, "-voice", str(self.files.get(voice, voice)), *style, "-t", text, "-o", str(output)]


class Festival(ProgramEngine):
    """Festival, through ``text2wave``: the voices installed with it."""

    name = "festival"
    program = "text2wave"
    get = "apt install festival festvox-us-slt-hts; apt search festvox lists more voices"

    # A voice says its language in its description. Where it has a model of duration or pitch that can be set, it is:
    # diphone voices take a stretch and a mean pitch, HTS voices a rate.
    _LIST = (
        '(mapcar (lambda (v) (format t "%s %s\\n" v (cadr (assoc \'language (cadr (voice.description v))))))'
        " (voice.list))"
    )
    _STYLE = (
        "(Parameter.set 'Duration_Stretch {stretch:.4f})"
        "(if (boundp 'hts_engine_params)"
        ' (set! hts_engine_params (append hts_engine_params (list (list "-r" {speed:.4f})))))'
        "(if (boundp 'int_lr_params) (set! int_lr_params (cons"
        " (list 'target_f0_mean (* {ratio:.4f} (cadr (assoc 'target_f0_mean int_lr_params))))"
        " (cons (list 'target_f0_std (* {liveliness:.4f} (cadr (assoc 'target_f0_std int_lr_params))))"
        " int_lr_params))))"
    )

    @cached_property
    def version(self):
        """Version of Festival, which `text2wave` itself does not tell."""
        return _find_version(self._ask(self._festival, "--version"))

    @property
    def _festival(self):
        return str(Path(self.path).with_name("festival"))

    def _languages(self):
        rows = (line.split() for line in self._ask(self._festival, "-b", self._LIST).splitlines())
        return {row[0]: _LANGUAGES.get(row[1], row[1]) for row in rows if len(row) == 2}

    def _command(self, text, voice, output, *, speed, pitch, liveliness):
        style = self._STYLE.format(stretch=1 / speed, speed=speed, ratio=_ratio(pitch), liveliness=liveliness)
        return [self.path, "-eval", f"(voice_{voice})", "-eval", f"(begin {style})", "-o", str(output)]


class RHVoice(ProgramEngine):
    """RHVoice, through ``RHVoice-test``: the voices in its data folder."""

    name = "rhvoice"
    program = "RHVoice-test"
    get = "apt install rhvoice rhvoice-english (Debian: non-free)"
    version = ""  # Debian's RHVoice-test answers "none"

    def _languages(self):
        voices = {}
        for path in sorted(Path(self.path).resolve().parents[1].glob("share/RHVoice/voices/*/voice.info")):
            info = dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
            language = info["language"].lower()
            voices[info["name"].lower()] = _LANGUAGES.get(language, language)
        return voices

    def _command(self, text, voice, output, *, speed, pitch, liveliness):
        style = ("-r", f"{100 * speed:.0f}", "-t", f"{100 * _ratio(pitch):.0f}")
        return [self.path, "-p", voice, *style, "-o", str(output)]


class Pico(ProgramEngine):
    """SVOX Pico, through ``pico2wave``: one voice for each of its languages."""

    name = "pico"
    program = "pico2wave"
    get = "apt install libttspico-utils (Debian: non-free)"
    version = ""  # it tells none

    def _languages(self):
        codes = re.findall(r"^[a-z]{2}-[A-Z]{2}$", self._ask(self.path, "-l", "?", "-w", "none.wav", "?"), flags=re.M)
        return {code: code for code in codes}

    def _command(self, text, voice, output, *, speed, pitch, liveliness):
        style = f'<speed level="{100 * speed:.0f}"><pitch level="{100 * _ratio(pitch):.0f}">'
        return [self.path, "-l", voice, "-w", str(output), "--", f"{style}{escape(text)}</pitch></speed>"]


class Mbrola(ProgramEngine):
    """MBROLA's diphone voices with espeak-ng's phonemes, through the program ``espeak-ng``.

    The library in the wheel that speaks otherwise comes without the data that translate its phonemes for MBROLA.
    """

    name = program = "mbrola"
    get = "apt install mbrola mbrola-us1 espeak-ng (Debian: contrib, non-free); apt search mbrola lists more voices"

    @classmethod
    def find(cls, files=()):
        """Return the engine, or None where MBROLA or the program espeak-ng is not installed."""
        path = shutil.which("espeak-ng")
        return cls(path, files) if path and shutil.which(cls.program) else None

    @cached_property
    def version(self):
        """Version of MBROLA."""
        return _find_version(self._ask(self.program, "-h"))

    def _languages(self):
        voices = {}
        for line in self._ask(self.path, "--voices=mb").splitlines():
            # Priority, language, sex, a name, the file, and in parentheses other languages: (fr 10)(en 2)
            row = re.match(r"\s*\d+\s+(\S+)\s+\S+\s+\S+\s+mb/(mb-(\w+)\S*)", line)
            if row and _has_database(row[3]):
                voices[row[2]] = row[1]
        return voices

    def _command(self, text, voice, output, *, speed, pitch, liveliness):
        # The program's own scales, as in the library: words per minute, and 50 of 99 for the voice's own pitch.
        style = ("-s", f"{175 * speed:.0f}", "-p", f"{50 + pitch * 50 / 12:.0f}")
        return [self.path, "-v", voice, *style, "-w", str(output), "--", text]


class Piper(ProgramEngine):
    """Piper: neural voices as ``.onnx`` files, each with its settings in ``.onnx.json``.

    A file with several speakers is a voice for each: ``"libritts#7"``.
    """

    name = program = "piper"
    get = "pip install piper-tts; voices: .onnx files, with .onnx.json beside them, in voice_files"
    suffix = ".onnx"

    @classmethod
    def find(cls, files=()):
        """Return the engine, or None where its program is neither on the path nor beside Python."""
        path = shutil.which(cls.program, path=str(Path(sys.executable).parent)) or shutil.which(cls.program)
        return cls(path, files) if path else None

    @property
    def version(self):
        """Version of the package; the program is not asked, as a tool for mice has the same name."""
        try:
            return importlib.metadata.version("piper-tts")
        except importlib.metadata.PackageNotFoundError:
            return ""

    @property
    def _file_voices(self):
        voices = []
        for name, file in self.files.items():
            n_speakers = _read_piper_settings(file).get("num_speakers", 1)
            voices += [f"{name}#{i}" for i in range(n_speakers)] if n_speakers > 1 else [name]
        return voices

    def _command(self, text, voice, output, *, speed, pitch, liveliness):
        name, _, speaker = voice.partition("#")
        chosen = ("--speaker", speaker) if speaker else ()
        settings = _read_piper_settings(self.files[name]).get("inference", {})
        stretch = settings.get("length_scale", 1.0) / speed
        style = ("--length_scale", f"{stretch:.4f}")
        return [self.path, "--model", str(self.files[name]), *chosen, *style, "--output_file", str(output)]


def _read_piper_settings(file):
    try:
        return json.loads(Path(f"{file}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"voice_files must have their settings beside them, got {str(file)!r} without a readable "
            f"{Path(file).name}.json ({error}). Get both files of the voice."
        ) from error


def _has_database(name):
    # The folders in which espeak-ng looks.
    root = Path("/usr/share/mbrola")
    return any(path.is_file() for path in (root / name, root / name / name, root / "voices" / name))


def _find_version(text):
    found = re.search(r"\d+\.\d+[\w.]*", text)
    return found[0] if found else ""


def _ratio(semitones):
    return 2 ** (semitones / 12)
