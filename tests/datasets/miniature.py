"""Pieces of miniature corpora: words, speakers, recordings and archives."""

import io
import tarfile
import zipfile

import numpy as np
import soundfile as sf

COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
OTHERS = ("bed", "cat", "zero")
# Speakers of the real corpus; those of validation and test are from its own lists.
SPEAKERS = {
    "train": ("004ae714", "0a7c2a8d", "0a2b400e"),
    "validation": ("8b775397", "2643992f"),
    "test": ("2aa787cf", "ffa76c4a"),
}


def wav(n_samples, seed=0):
    """Return the bytes of a WAV file of noise at 16 kHz."""
    file = io.BytesIO()
    y = np.random.default_rng(seed).integers(-3000, 3000, n_samples, dtype=np.int16)
    sf.write(file, y, 16000, format="WAV", subtype="PCM_16")
    return file.getvalue()


def tar_gz(files):
    """Return the bytes of a .tar.gz as Google packs it, with names that start with ``./``."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return archive.getvalue()


def zipped(files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()


def write_files(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root
