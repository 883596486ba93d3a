"""How many threads our own code starts."""

import joblib
import pytest

from skkws._runtime.threads import available_threads


@pytest.mark.parametrize(("limit", "expected"), [("1", 1), ("", None), ("many", None), ("0", None), ("10000", None)])
def test_threads_are_the_cores_or_fewer_by_omp_num_threads(monkeypatch, limit, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert available_threads() == (expected or joblib.cpu_count())
