"""Work handed to joblib, whatever does it."""

import pytest
from joblib import delayed, parallel_config
from joblib._parallel_backends import SequentialBackend

from skkws._runtime.parallel import in_order, shares_memory


class Waiting(SequentialBackend):
    """A backend that gives its results all at once, as Ray's does."""

    supports_return_generator = False


@pytest.mark.parametrize("options", [{}, {"backend": "loky", "n_jobs": 2}, {"backend": Waiting()}])
def test_results_come_in_the_order_of_the_tasks_from_any_backend(options):
    with parallel_config(**options):
        assert list(in_order(delayed(pow)(i, 2) for i in range(20))) == [i**2 for i in range(20)]


def test_threads_are_used_unless_the_user_chose_processes():
    assert shares_memory()
    with parallel_config(n_jobs=2):
        assert shares_memory()
    with parallel_config("threading"):
        assert shares_memory()
    with parallel_config("loky"):
        assert not shares_memory()
