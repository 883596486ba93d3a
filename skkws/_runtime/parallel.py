"""Work handed to joblib, whatever does it."""

from joblib import Parallel
from joblib.parallel import get_active_backend


def in_order(tasks, n_jobs=None):
    """Results of tasks in their order, as they come; all at the end where joblib's backend, such as Ray's, waits so.

    Parameters
    ----------
    tasks : iterable of delayed calls
        From `joblib.delayed`.
    n_jobs : int or None, default=None
        As in joblib.

    Returns
    -------
    results : iterator or list
    """
    backend, _ = get_active_backend()
    return Parallel(n_jobs, return_as="generator" if backend.supports_return_generator else "list")(tasks)


def shares_memory():
    """Whether the tasks of a user's choice run in threads; where nothing was chosen, they may."""
    backend, _ = get_active_backend(prefer="threads")
    return getattr(backend, "supports_sharedmem", False)
