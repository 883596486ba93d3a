"""What every benchmark shares: options, timing in turns, a table and JSON."""

import argparse
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

OURS = ("skkws", "numpy", "scipy", "scikit-learn", "llvmlite", "tensorflow", "keras", "librosa")
PEERS = ("kaldi-native-fbank", "openwakeword", "onnxruntime", "openvino", "ai-edge-litert", "scikeras")


def parser_for(doc, peers, repeat=5):
    """Return a parser with the options of every benchmark; `doc` is the script's own docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", nargs="*", choices=peers, default=list(peers), help="peers to measure (default: all)")
    parser.add_argument("--repeat", type=int, default=repeat, help="times that all are measured in turn")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    return parser


def run(question, jobs, args, *, warm=True):
    """Time jobs in turn, print medians and ratios, and return the times.

    A job makes the thing to time: it is called once, imports what it needs, and returns a function without arguments.
    The one named ``"skkws"`` is ours; of the others those are run that ``args.peer`` names. A peer that is not
    installed is left out with a line that says so. `warm` runs each once right before it is timed.
    """
    timed = {}
    for name, make in jobs.items():
        if name == "skkws" or name in args.peer:
            try:
                timed[name] = make()
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
    print(f"{question}; median of {args.repeat} (range), in turns")
    return {"question": question, "results": table(seconds)}


def table(seconds):
    """Print what each took and its ratio to ours, and return both."""
    results = {}
    for name, values in seconds.items():
        ratios = [peer / mine for peer, mine in zip(values, seconds["skkws"], strict=True)]
        results[name] = {"seconds": values, "ratio": median(ratios)}
        spread = f"({min(values) * 1e3:.4g} to {max(values) * 1e3:.4g})"
        print(f"{name:24} {median(values) * 1e3:10.4g} ms {spread:22} {median(ratios):6.2f} x the time of skkws")
    return results


def load(folder, labels):
    """Return waveform rows, words and speakers of a folder of recordings; `labels` are words separated by commas."""
    from skkws import AudioLoader
    from skkws.datasets import load_keyword_folder

    data = load_keyword_folder(folder, labels=labels.split(",") if labels else None)
    loader = AudioLoader(on_error="skip")
    X = loader.fit_transform(data.filenames)
    return X, data.target[loader.kept_], data.groups[loader.kept_]


def write(args, results):
    """Write results to ``args.output``, with the machine and the versions they were measured with."""
    if args.output:
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        content = {"machine": machine, "versions": _versions(), "results": results}
        args.output.write_text(json.dumps(content, indent=2) + "\n")


def _versions():
    found = {}
    for name in OURS + PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
