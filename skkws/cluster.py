"""Searches, comparisons and feature extraction on many machines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from joblib import parallel_config

from skkws._runtime.optional import require

if TYPE_CHECKING:
    from dask.distributed import Client

__all__ = ["on_dask"]

# Arrays from this size on, in bytes, are sent to each worker once, and smaller ones with each task.
_LARGE = 2**20


@contextmanager
def on_dask(client: Client | None = None, *, verbose: int = 0) -> Iterator[None]:
    """Have the work of joblib done by a Dask cluster, and go on when one of its workers is lost.

    In this context every search, cross-validation and comparison of scikit-learn and skkws, and
    :func:`extract_features`, hands its tasks to the cluster; the results are those of one machine. With
    ``joblib.parallel_config("dask")`` the same runs, but ends with an error when a worker is lost, as joblib lays
    parts of the tasks on single workers, from where they cannot be recovered. Here large arrays lie on every worker,
    where they are sent once, and all else travels with its task, which another worker takes over.

    Parameters
    ----------
    client : dask.distributed.Client or None, default=None
        The cluster. None takes the client that was made last.
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
    keep to ``OMP_NUM_THREADS``, which Dask sets to 1. When all workers are lost at the same time, so are the arrays
    that lay on them, and the search ends with an error.

    Examples
    --------
    >>> from dask.distributed import Client, LocalCluster  # doctest: +SKIP
    >>> client = Client(LocalCluster(n_workers=2, threads_per_worker=1))  # doctest: +SKIP
    >>> with on_dask(client):  # doctest: +SKIP
    ...     search.fit(X, y, groups=speakers)
    """
    backend = _backend()(client=_client(client))
    with parallel_config(backend, verbose=verbose):
        yield


def _client(client):
    require("distributed", "A cluster")
    from dask.distributed import get_client

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
        """joblib's backend, which lays nothing on a single worker."""

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self._sending = {}

        def start_call(self):
            super().start_call()
            self.call_data_futures = None

        def stop_call(self):
            self.call_data_futures = {}  # which joblib clears
            super().stop_call()

        async def _to_func_args(self, func):
            for _, args, kwargs in func.items:
                for value in (*args, *kwargs.values()):
                    if isinstance(value, np.ndarray) and value.nbytes >= _LARGE:
                        self.data_futures[id(value)] = await self._on_all_workers(value)
            return await super()._to_func_args(func)

        async def _on_all_workers(self, value):
            if id(value) not in self._sending:
                self._scatter.append(value)  # so that nothing else gets its id
                # Under a name of its own: a search on the same data may just be releasing its copies.
                sending = self.client.scatter([value], broadcast=True, hash=False, asynchronous=True)
                self._sending[id(value)] = asyncio.ensure_future(sending)
            (future,) = await self._sending[id(value)]
            return future

    return DurableDaskBackend
