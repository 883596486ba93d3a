"""How many threads our own code may start, and starting them."""

import os
from concurrent.futures import ThreadPoolExecutor

from joblib import cpu_count


def available_threads():
    """Cores this process may use, or ``OMP_NUM_THREADS`` where that is less, as in the workers of joblib."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cpu_count(), int(limit)) if limit.isdigit() and int(limit) > 0 else cpu_count()


def run_threads(function, items, n_threads):
    """Call ``function(some)`` with a share of the items in each of at most `n_threads` threads, this one among them."""
    shares = [items[k::n_threads] for k in range(min(len(items), n_threads))]
    if len(shares) < 2:
        function(items)
        return
    with ThreadPoolExecutor(len(shares) - 1) as pool:
        others = [pool.submit(function, share) for share in shares[1:]]
        function(shares[0])
        for other in others:
            other.result()
