import io
import zipfile

import numpy as np
import pytest

from skkws._runtime.npz import read_npz


def header(shape, descr="<f4"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "arrays.npz"


def test_arrays_come_back(path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(7), "c": np.asfortranarray(np.ones((2, 3), "i2"))}
    for write in (np.savez, np.savez_compressed):
        write(path, **arrays)
        read = read_npz(path, max_bytes=10_000)
        assert read.keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(read[name], array)
            assert read[name].dtype == array.dtype


def test_what_unpacks_to_more_is_refused_before_it_is_unpacked(path, monkeypatch):
    np.savez_compressed(path, a=np.zeros(10**6), b=np.zeros(10**6))
    assert path.stat().st_size < 50_000
    opened = []
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *args: opened.append(args))
    with pytest.raises(ValueError, match=r"it would take 16\.0 MB, and max_bytes=15000000 allows 15\.0 MB"):
        read_npz(path, max_bytes=15 * 10**6)
    assert not opened


@pytest.mark.parametrize("shape", [(10**12,), (2**40, 2**40), (3,), (0,)])
def test_an_array_that_announces_another_size_than_it_has_is_refused(path, shape):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", header(shape) + bytes(8))
    with pytest.raises(ValueError, match=r"an array of the shape \(.*\) and dtype float32 has another size"):
        read_npz(path, max_bytes=10**6)


@pytest.mark.parametrize(
    "content", [b"", b"text", header((2,)) + bytes(8), b"PK\x05\x06" + bytes(17)], ids=["empty", "text", "npy", "zip"]
)
def test_what_is_no_npz_file_is_an_error_with_a_reason(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"\w+"):
        read_npz(path, max_bytes=10**6)


def test_objects_are_refused(path):
    np.savez(path, a=np.array([None], dtype=object))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        read_npz(path, max_bytes=10**6)
