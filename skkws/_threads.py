"""How many threads our own code may start, and starting them."""

import os
from concurrent.futures import ThreadPoolExecutor

from joblib import cpu_count


def available_threads():
    """Cores this process may use, or ``OMP_NUM_THREADS`` where that is less, as in the workers of joblib."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cpu_count(), int(limit)) if limit.isdigit() and int(limit) > 0 else cpu_count()


def run_threads(function, items, n_threads):
    """Call ``function(some)`` in each of at most `n_threads` threads, with an equal share of the items."""
    n_threads = min(len(items), n_threads)
    if n_threads == 1:
        function(items)
    elif n_threads > 1:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(function, (items[k::n_threads] for k in range(n_threads))))
