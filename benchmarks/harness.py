"""What every benchmark shares: options, timing in turns, a table and JSON."""

import argparse
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

PACKAGES = ("skkws", "numpy", "scipy", "tensorflow", "keras", "librosa", "kaldi-native-fbank", "openwakeword")


def parser_for(doc, peers, repeat=5):
    """Return a parser with the options of every benchmark; `doc` is the script's own docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", nargs="*", choices=peers, default=list(peers), help="peers to measure (default: all)")
    parser.add_argument("--repeat", type=int, default=repeat, help="times that all are measured in turn")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    return parser


def run(title, ours, peers, args, *, warm=True):
    """Time our function and the peers' in turn, print medians and ratios, and write them down.

    `ours` and the values of `peers` make the thing to time: they are called once, import what they need, and return a
    function without arguments. A peer that is not installed is left out with a line that says so. `warm` runs each once
    right before it is timed.
    """
    timed = {"skkws": ours()}
    for name in args.peer:
        try:
            timed[name] = peers[name]()
        except ImportError as error:
            print(f'{name}: left out, not installed ({error.name}); pip install -e ".[bench]"')
    seconds = {name: [] for name in timed}
    for function in timed.values():
        function()  # what loads or compiles at the first call is another question
    for _ in range(args.repeat):
        for name, function in timed.items():
            sleep(0.3)  # until the threads of the one before have stopped waiting for more at full speed
            if warm:
                function()  # wakes the cores and fills the caches, for each alike
            start = perf_counter()
            function()
            seconds[name].append(perf_counter() - start)
    print(f"{title}; median of {args.repeat} (range), in turns")
    results = {}
    for name, values in seconds.items():
        ratios = [peer / mine for peer, mine in zip(values, seconds["skkws"], strict=True)]
        results[name] = {"seconds": values, "ratio": median(ratios)}
        spread = f"({min(values) * 1e3:.1f} to {max(values) * 1e3:.1f})"
        print(f"{name:24} {median(values) * 1e3:9.1f} ms {spread:20} {median(ratios):6.2f} x the time of skkws")
    if args.output:
        write(args.output, {"title": title, "results": results})


def write(path, content):
    """Write results with the machine and the versions they were measured with."""
    machine = {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
    path.write_text(json.dumps({"machine": machine, "versions": _versions(), **content}, indent=2) + "\n")


def _versions():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
