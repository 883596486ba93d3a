"""Time from ``import`` to the first vectors of one clip, in a fresh interpreter, and of one more clip once warm.

    python benchmarks/startup.py --repeat 5

Every measurement starts a new Python; what the interpreter itself takes is not counted.
"""

import json
import os
import subprocess
import sys
from time import sleep

from harness import parser_for, table, write

BEGIN = """
import time
start = time.perf_counter()
import numpy as np
clip = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
"""
END = """
embed()
first = time.perf_counter() - start
warm = []
for _ in range(200):
    start = time.perf_counter()
    embed()
    warm.append(time.perf_counter() - start)
print(json.dumps([first, float(np.median(warm))]))
"""
OURS = """
import skkws
def embed():
    return skkws.embed(skkws.log_mel(clip))
"""
KERAS = """
import tensorflow as tf
from skkws import log_mel
from skkws.networks import speech_embedding
model = speech_embedding()
network = tf.function(lambda x: model(x, training=False))
def embed():
    return network(log_mel(clip)[None]).numpy()
"""
OPENWAKEWORD = """
from openwakeword.utils import AudioFeatures
features = AudioFeatures()
pcm = (clip * 32767).astype(np.int16)[None]
def embed():
    return features.embed_clips(pcm)
"""
# Keeps no machine code on disk, as the first process does after an installation.
ANEW = f"""
import os
os.environ["SKKWS_CACHE_DIR"] = "off"
{OURS}"""
PROGRAMS = {"skkws": OURS, "skkws-uncached": ANEW, "Keras": KERAS, "openwakeword": OPENWAKEWORD}


def measure(program):
    """First and warm time of a program in a fresh interpreter, or None where it does not import."""
    code = f"import json{BEGIN}{program}{END}"
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=quiet, check=False)
    if "ModuleNotFoundError" in done.stderr:
        return None
    done.check_returncode()
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = parser_for(__doc__, [name for name in PROGRAMS if name != "skkws"])
    args = parser.parse_args()
    times = {}
    for name in ["skkws", *args.peer]:
        if measure(PROGRAMS[name]) is None:  # also brings the files into memory
            print(f'{name}: left out, not installed; pip install -e ".[bench]"')
        else:
            times[name] = []
    for _ in range(args.repeat):
        for name, pairs in times.items():
            sleep(0.3)
            pairs.append(measure(PROGRAMS[name]))
    results = []
    for i, question in enumerate(("From import to the first vectors of a clip of 1 s", "The same clip once warm")):
        print(f"{question}; median of {args.repeat} (range), in turns")
        seconds = {name: [pair[i] for pair in pairs] for name, pairs in times.items()}
        results.append({"question": question, "results": table(seconds)})
    write(args, results)


if __name__ == "__main__":
    main()
