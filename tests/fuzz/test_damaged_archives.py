"""Damaged archives of a corpus."""

import gzip
import io
import shutil
import tarfile
import zipfile

import pytest
from mutation import BYTES, complaints, in_zip, mutants, names_the_file

from skkws.datasets import load_esc50

FILES = {
    "a/meta/esc50.csv": b"filename,fold,target,category\na.wav,1,0,dog\n",
    "a/audio/a.wav": b"RIFF" * 300,
    "a/audio/" + "long/" * 30 + "b.wav": b"",
}


def load(path):
    """Unpack an archive and list what is in it; a table that was damaged may be refused by its own name."""
    home = path.with_name("home")
    try:
        load_esc50(path, data_home=home, verbose=0)
    except (ValueError, OSError) as error:
        if str(home) not in str(error):
            raise
    finally:
        shutil.rmtree(home, ignore_errors=True)


def tar(format):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as archive:
        for name, content in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()[:-8192]


def zipped(method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return file.getvalue()


# What is put into headers of TAR files: sizes and names at the edge, and types of members.
_VALUES = [b"\0", b"\x80", b"\xff" * 12, b"77777777777\0", b"\x80" + b"\xff" * 11, b"../", b"/"]
_VALUES += [bytes([kind]) for kind in b"01235LKSxg"]
_PLACES = (0, 100, 124, 125, 156, 157, 345, 386, 482, 483)  # of name, size, type, link, prefix and sparse map


def change_header(content, wholes, rng):
    """Write into a header of a TAR file, and correct its check sum; what has none stays as it is."""
    starts = [at for at in range(0, len(content) - 511, 512) if content[at + 257 : at + 262] == b"ustar"]
    if not starts:
        return content
    at, header = int(rng.choice(starts)), bytearray(512)
    header[:] = content[at : at + 512]
    place, value = int(rng.choice(_PLACES)), _VALUES[rng.integers(len(_VALUES))]
    header[place : place + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return content[:at] + bytes(header) + content[at + 512 :]


@pytest.mark.inputs(60)
def test_a_damaged_zip_is_refused_by_its_name_or_unpacked(child, n_inputs, tmp_path):
    wholes = [zipped(zipfile.ZIP_STORED), zipped(zipfile.ZIP_DEFLATED)]
    damages = [*BYTES, *[in_zip(damage) for damage in BYTES]]
    inputs = mutants(wholes, n_inputs, damages=damages)
    assert not complaints(child, load, inputs, tmp_path, suffix=".zip", accepts=names_the_file)


@pytest.mark.inputs(60)
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_a_damaged_tar_is_refused_by_its_name_or_unpacked(child, suffix, n_inputs, tmp_path):
    wholes = [tar(tarfile.PAX_FORMAT), tar(tarfile.GNU_FORMAT)]
    inputs = mutants(wholes, n_inputs, damages=[*BYTES, *[change_header] * 20])
    if suffix == ".tar.gz":
        inputs = map(gzip.compress, inputs)
    assert not complaints(child, load, inputs, tmp_path, suffix=suffix, accepts=names_the_file)


@pytest.mark.inputs(20)
def test_damaged_gzip_is_refused_by_its_name_or_unpacked(child, n_inputs, tmp_path):
    inputs = mutants([gzip.compress(tar(tarfile.PAX_FORMAT))], n_inputs)
    assert not complaints(child, load, inputs, tmp_path, suffix=".tar.gz", accepts=names_the_file)
