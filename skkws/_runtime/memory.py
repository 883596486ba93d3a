"""Memory that is free."""

from pathlib import Path

_MEMINFO = Path("/proc/meminfo")


def available_memory():
    """Bytes that can be had without swapping, as Linux tells; None where nothing tells.

    Examples
    --------
    >>> from skkws._runtime.memory import available_memory
    >>> free = available_memory()
    >>> free is None or free > 0
    True
    """
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    figures = dict(line.split(":", 1) for line in lines)
    return int(figures["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in figures else None
