"""Searches, comparisons and feature extraction on many machines."""

from contextlib import contextmanager

from joblib import parallel_config

__all__ = ["on_dask"]


@contextmanager
def on_dask(client=None, *, data=(), verbose=0):
    """Have the work of joblib done by a Dask cluster, and go on when one of its workers is lost.

    In this context every search, cross-validation and comparison of scikit-learn and skkws, and
    :func:`extract_features`, hands its tasks to the cluster; the results are those of one machine. With
    ``joblib.parallel_config("dask")`` the same runs, but ends with an error when a worker is lost, as joblib lays
    parts of the tasks on single workers, from where they cannot be recovered. Here the `data` lie on every worker and
    all else travels with its task, which another worker takes over.

    Parameters
    ----------
    client : dask.distributed.Client or None, default=None
        The cluster. None takes the client that was made last.
    data : sequence of arrays, default=()
        The arrays that every task needs, such as ``[X, y]``: sent to each worker once. The same objects have to be
        given to `fit`. What is not named here is sent with each task.
    verbose : int, default=0
        As in joblib: above 0 says now and then how many tasks are done.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If there is no client.

    Notes
    -----
    A :class:`CachedTransformer` needs a `cache_dir` that all machines share. The embedding is loaded once by each
    worker. Give each worker as many threads as it has fits to do at a time, usually one: the library's own threads
    keep to ``OMP_NUM_THREADS``, which Dask sets to 1.

    Examples
    --------
    >>> from dask.distributed import Client, LocalCluster  # doctest: +SKIP
    >>> client = Client(LocalCluster(n_workers=2, threads_per_worker=1))  # doctest: +SKIP
    >>> with on_dask(client, data=[X, y]):  # doctest: +SKIP
    ...     search.fit(X, y, groups=speakers)
    """
    backend = _backend()(client=_client(client), scatter=list(data))
    with parallel_config(backend, verbose=verbose):
        yield


def _client(client):
    try:
        from dask.distributed import get_client
    except ImportError as error:
        raise ImportError('A cluster needs Dask; install it with pip install "skkws[dask]".') from error
    try:
        return get_client() if client is None else client
    except ValueError:
        raise ValueError(
            "There is no Dask client yet; make one first: Client(LocalCluster(n_workers=2)) for this machine, "
            'Client("address:8786") for the scheduler of a cluster, both from dask.distributed.'
        ) from None


def _backend():
    from joblib._dask import DaskDistributedBackend

    class DurableDaskBackend(DaskDistributedBackend):
        """joblib's backend, which lays nothing on a single worker but what was scattered over all of them."""

        def start_call(self):
            super().start_call()
            self.call_data_futures = None

        def stop_call(self):
            self.call_data_futures = {}  # which joblib clears
            super().stop_call()

    return DurableDaskBackend
