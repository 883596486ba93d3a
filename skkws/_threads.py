"""How many threads our own code may start."""

import os

from joblib import cpu_count


def available_threads():
    """Cores this process may use, or ``OMP_NUM_THREADS`` where that is less, as in the workers of joblib."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cpu_count(), int(limit)) if limit.isdigit() and int(limit) > 0 else cpu_count()
