"""Extensions of recordings: which ones are read here, and what is known of the others."""

from skkws._runtime.optional import is_installed

AUDIO_EXTENSIONS = (
    *(".wav", ".wave", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2"),
    *(".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".sph", ".nist", ".voc"),
)
_PYAV_EXTENSIONS = (".m4a", ".m4b", ".mp4", ".aac", ".webm", ".weba", ".mka", ".3gp", ".amr")
_OTHER_EXTENSIONS = (
    ".wma",
    ".ape",
    ".wv",
    ".ac3",
    ".ra",
    ".spx",
    ".tta",
    ".mpc",
    ".dsf",
    ".shn",
    ".gsm",
    ".raw",
    ".pcm",
)


def audio_extensions() -> tuple[str, ...]:
    """Return the extensions of the recordings that can be read, with PyAV also those of AAC, MP4, WebM and AMR.

    Examples
    --------
    >>> from skkws.audio import audio_extensions
    >>> ".wav" in audio_extensions()
    True
    """
    return AUDIO_EXTENSIONS + (_PYAV_EXTENSIONS if is_installed("av") else ())


def unread_extensions() -> dict[str, str]:
    """Return the extensions of recordings that cannot be read, and for each what to do.

    Examples
    --------
    >>> from skkws.audio import unread_extensions
    >>> unread_extensions()[".wma"]
    'convert them to WAV or FLAC'
    """
    known = dict.fromkeys(_OTHER_EXTENSIONS, "convert them to WAV or FLAC")
    if not is_installed("av"):
        known |= dict.fromkeys(_PYAV_EXTENSIONS, "PyAV reads them: pip install av")
    return known
