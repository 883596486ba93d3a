"""The table of the embedding's paper: how many recordings a spotter of twelve classes needs, and of what speech.

    python benchmarks/paper.py --speech-commands SPEECH_COMMANDS --examples 5 92 0 --synthesized 92
    python benchmarks/paper.py --speech-commands SPEECH_COMMANDS --test TEST --models recipe
    python benchmarks/paper.py --speech-commands WORDS --noise NOISE --models recipe --half report

The classes are ten keywords, other words (`_unknown_`) and silence. Speech Commands is split as its two lists of files
say; TEST, a folder of WAV files for each class, takes the place of its test part. Any other folder of words is split
in five folds by speaker, and each recording of noise in five stretches: one to test on, the others to train on.

N examples are N of each keyword, of each other word and of silence, or all that there are; the paper's 3,220 clips are
92 of each of 35 words. Synthesized is what espeak-ng speaks, the other words too; silence stays recorded.

The recipe takes 15 recordings of each keyword, and 150 of each other word and of silence. Every other word is a class
of its own, so that none is lost among the frequent ones, and all classes weigh the same. The probabilities of five
heads are averaged, and what a keyword then has to exceed is the mean probability of the other words: together they are
no likelier beforehand than one keyword.
"""

import argparse
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from harness import load, write
from scipy.stats import gmean

from skkws import (
    AudioLoader,
    KeywordHeadClassifier,
    KeywordNetClassifier,
    LogMelTransformer,
    SpeechEmbeddingTransformer,
)
from skkws.audio import read_audio
from skkws.compare import speaker_folds
from skkws.datasets import fetch_speech_commands
from skkws.metrics import accuracy_interval
from skkws.spotting import SILENCE, UNKNOWN
from skkws.synthesis import synthesize_keywords

KEYWORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
CLASSES = np.array(sorted((*KEYWORDS, SILENCE, UNKNOWN)))
LISTS = ("validation_list.txt", "testing_list.txt")

# Lin, Kilgour, Roblek and Sharifi (2020), by model, recordings and synthesized clips of each word.
PER_WORD = 92
PUBLISHED = {
    ("head", 0, PER_WORD): 0.926,
    ("head", PER_WORD, 0): 0.953,
    ("head", None, 0): 0.977,
    ("full", 0, PER_WORD): 0.567,
    ("full", PER_WORD, 0): 0.887,
    ("full", None, 0): 0.974,
}

HEADING = """\
| model | recordings per word | synthesized | mean recall | seeds | accuracy | published |
|---|---|---|---|---|---|---|"""

N_FOLDS = 5
EXCERPTS = 20  # of each stretch of noise
EXCERPT_DB = (-30.0, 0.0)
RECIPE_OF_KEYWORD, RECIPE_OF_OTHERS, RECIPE_HEADS = 15, 150, 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech-commands", type=Path, required=True, help="folder of words to train on")
    parser.add_argument("--test", type=Path, help="folder of the twelve classes to test on")
    parser.add_argument("--noise", type=Path, help="folder of recorded noise, if not in _background_noise_")
    parser.add_argument("--examples", type=int, nargs="*", default=[5, 10, 35, PER_WORD, 125, 0], help="0 means all")
    parser.add_argument("--synthesized", type=int, nargs="*", default=[], help="synthesized clips of each word")
    parser.add_argument("--models", nargs="+", choices=("head", "full", "recipe"), default=["head", "full", "recipe"])
    parser.add_argument("--half", choices=("development", "report"), help="of the speakers in folds: those to test on")
    parser.add_argument("--folds", type=int, default=N_FOLDS, help="how many of the folds to run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()

    clips, folds_of = read_clips(args)
    conditions = [(0, m) for m in args.synthesized]
    conditions += [(n or None, m) for m in (0, *args.synthesized) for n in args.examples]
    rows = [(model, *condition) for model in args.models if model != "recipe" for condition in conditions]
    if "recipe" in args.models:
        rows.append(("recipe", RECIPE_OF_KEYWORD, 0))
    answers = {row: [] for row in rows}
    for seed in range(args.seeds):
        spoken = {m: speak(clips, m, seed) for m in sorted({m for _, _, m in rows if m})}
        folds = folds_of(seed)[: args.folds]
        for (model, n, m), parts in answers.items():
            for train, test in folds:
                chosen = draw(clips.words, train, model, n, m, np.random.default_rng([seed, test[0]]))
                named = name_classes(model, clips, chosen, spoken.get(m), test, seed)
                fewest = min(np.sum(clips.words[chosen] == word) for word in KEYWORDS)
                parts.append((seed, test, named == clips.classes[test], fewest))
            print(f"seed {seed}", line(summary(model, n, m, parts, clips)), flush=True)
    results = [summary(*row, parts, clips) for row, parts in answers.items()]
    print(HEADING, *map(line, results), sep="\n")
    write(args, results)


@dataclass
class Clips:
    """Waveform rows with their words and speakers, and what transformers make of them."""

    X: np.ndarray
    words: np.ndarray
    speakers: np.ndarray
    features: dict = field(default_factory=dict)

    @property
    def classes(self):
        return np.where(np.isin(self.words, CLASSES), self.words, UNKNOWN)

    def heard_by(self, transformer):
        name = type(transformer).__name__
        if name not in self.features:
            self.features[name] = transformer.fit_transform(self.X)
        return self.features[name]


def read_clips(args):
    """Return all clips, and the function from a seed to folds: pairs of rows to train on and rows to test on."""
    folder = args.speech_commands
    listed = all((folder / name).is_file() for name in LISTS)
    if listed:
        trained = official(folder, "train")
    else:
        recordings = load(folder, None)
        noise, files, stretches = excerpts(args.noise or folder / "_background_noise_")
        trained = joined(recordings, (noise, np.full(len(noise), SILENCE), files))
    if listed or args.test:
        tested = read_classes(args.test) if args.test else official(folder, "test")
        known = np.isin(tested[2], trained[2]) & (tested[1] != SILENCE)
        if known.any():
            print(f"warning: {known.sum()} of {len(known)} test clips are of speakers who are in training too")
        fold = np.split(np.arange(len(trained[0]) + len(tested[0])), [len(trained[0])])
        return Clips(*joined(trained, tested)), lambda seed: [fold]
    clips = Clips(*trained)
    stretches = np.append(np.full(len(recordings[0]), -1), stretches)
    return clips, lambda seed: recording_folds(clips, stretches, args.half, seed)


def joined(*parts):
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def official(folder, part):
    """Return waveform rows, words and speakers of a part of Speech Commands, with a tenth of the other words."""
    data = fetch_speech_commands(archive=folder, subset="12", split=part)
    spoken = np.array([Path(name).parent.name for name in data.filenames])
    return waveforms(data.filenames, np.where(data.target == UNKNOWN, spoken, data.target), data.groups)


def read_classes(folder):
    """Return waveform rows, classes and speakers of a folder for each of the twelve classes."""
    files = [path for label in CLASSES for path in sorted((folder / label).glob("*.wav"))]
    # The word may stand before the speaker in the name of a clip of another word.
    speakers = [re.sub(r"_nohash_.*", "", path.stem).rpartition("_")[2] for path in files]
    return waveforms(files, np.array([path.parent.name for path in files]), np.array(speakers))


def waveforms(filenames, words, speakers):
    loader = AudioLoader(on_error="skip")
    X = loader.fit_transform(filenames)
    return X, words[loader.kept_], speakers[loader.kept_]


def excerpts(folder):
    """Return seconds of recorded noise, at levels drawn at random, with their files and stretches of these."""
    rng = np.random.default_rng(0)
    rows, files, stretches = [], [], []
    for path in sorted(folder.glob("*.wav")):
        samples, rate = read_audio(path, sample_rate=16000)
        for number, stretch in enumerate(np.array_split(samples, N_FOLDS)):
            for start in rng.integers(len(stretch) - rate, size=EXCERPTS):
                rows.append(stretch[start : start + rate] * 10 ** (rng.uniform(*EXCERPT_DB) / 20))
                files.append(path.stem)
                stretches.append(number)
    return np.array(rows, dtype=np.float32), np.array(files), np.array(stretches)


def recording_folds(clips, stretches, half, seed):
    """Part recordings by speaker and excerpts by stretch; `half` says which speakers are tested.

    To test on the development half, only its speakers are trained on. To test on the report half, all are who are not
    in the fold.
    """
    reported = np.array([hashlib.sha1(speaker.encode()).digest()[0] % 2 == 1 for speaker in clips.speakers])
    recorded = np.flatnonzero((stretches < 0) & ~(reported & (half == "development")))
    folds = []
    speakers, _ = speaker_folds(clips.classes[recorded], clips.speakers[recorded], random_state=seed)
    for i, (train, test) in enumerate(speakers):
        tested = recorded[test]
        if half == "report":
            tested = tested[reported[tested]]
        held_out = stretches == i % N_FOLDS
        silence = np.flatnonzero((stretches >= 0) & ~held_out), np.flatnonzero(held_out)
        folds.append((np.append(recorded[train], silence[0]), np.append(tested, silence[1])))
    return folds


def speak(clips, n_per_word, seed):
    """Speak all words of the clips, keywords or not, in as many voices as clips of a word."""
    words = sorted(set(clips.words) - {SILENCE, UNKNOWN})
    speech = synthesize_keywords(words, n_per_word, voices=n_per_word, engines=["espeak-ng"], random_state=seed)
    return Clips(speech.data, speech.target, speech.groups)


def draw(words, train, model, n, n_synthesized, rng):
    """Draw the rows to train on, of each word."""

    def wanted(word):
        if model == "recipe":
            return RECIPE_OF_KEYWORD if word in KEYWORDS else RECIPE_OF_OTHERS
        # Nobody synthesizes silence.
        return n if n is None or word != SILENCE else max(n, n_synthesized)

    return np.concatenate(
        [rng.permutation(train[words[train] == word])[: wanted(word)] for word in np.unique(words[train])]
    )


def name_classes(model, clips, chosen, spoken, test, seed):
    """Train on the chosen rows, and on what is spoken, and name the classes of those to test on."""
    if model == "recipe":
        return recipe(clips, chosen, test, seed)
    transformer = SpeechEmbeddingTransformer() if model == "head" else LogMelTransformer()
    X, y = clips.heard_by(transformer)[chosen], clips.classes[chosen]
    if spoken:
        X, y = np.concatenate([X, spoken.heard_by(transformer)]), np.append(y, spoken.classes)
    if model == "head":
        classifier = KeywordHeadClassifier(class_weight="balanced", random_state=seed)
    else:
        # Few rows make few updates in an epoch.
        steps = {"epochs": 60, "batch_size": 16} if len(X) < 1000 else {}
        classifier = KeywordNetClassifier("keyword_net", class_weight="balanced", random_state=seed, **steps)
    return classifier.fit(X, y).predict(clips.heard_by(transformer)[test])


def recipe(clips, chosen, test, seed):
    """Name the classes by the recipe: see the top of this file."""
    vectors = clips.heard_by(SpeechEmbeddingTransformer())
    heads = [
        KeywordHeadClassifier(class_weight="balanced", random_state=RECIPE_HEADS * seed + i).fit(
            vectors[chosen], clips.words[chosen]
        )
        for i in range(RECIPE_HEADS)
    ]
    probabilities = gmean([head.predict_proba(vectors[test]) for head in heads], axis=0)
    words = heads[0].classes_
    known = np.isin(words, CLASSES)
    scores = np.column_stack([probabilities[:, known], probabilities[:, ~known].mean(axis=1)])
    return np.append(words[known], UNKNOWN)[scores.argmax(axis=1)]


def summary(model, n, n_synthesized, parts, clips):
    """Return the figures of a row of the table, from (seed, rows, right or not, fewest of a keyword) of each fold."""
    seeds, tests, right, fewest = zip(*parts, strict=True)
    seed = np.repeat(seeds, list(map(len, tests)))
    test, right = np.concatenate(tests), np.concatenate(right)
    classes, speakers = clips.classes[test], clips.speakers[test]
    names, class_of, n_clips = np.unique(classes, return_inverse=True, return_counts=True)
    recalls = np.bincount(class_of, right) / n_clips
    by_seed = [np.mean([right[(seed == s) & (classes == name)].mean() for name in names]) for s in np.unique(seed)]
    # The mean recall as a mean over clips, so that its interval is that of an accuracy: a clip stands for its part of
    # its class, and every class for as much as the others.
    as_mean = recalls.mean() + (right - recalls[class_of]) * len(right) / (len(names) * n_clips[class_of])
    return {
        "model": model,
        "recordings": n,
        "synthesized": n_synthesized,
        "fewest recordings of a keyword": int(min(fewest)),
        "mean recall": float(recalls.mean()),
        "mean recall interval": accuracy_interval(as_mean, speakers),
        "mean recall of seeds": list(map(float, by_seed)),
        "accuracy": float(right.mean()),
        "accuracy interval": accuracy_interval(right, speakers),
        "recalls": dict(zip(names.tolist(), recalls.tolist(), strict=True)),
        "published": PUBLISHED.get((model, n, n_synthesized)),
    }


def line(row):
    """Write a row of the table."""
    n, fewest = row["recordings"], row["fewest recordings of a keyword"]
    recordings = f"all, from {fewest}" if n is None else f"{n}, of some {fewest}" if fewest < n else str(n)
    seeds = "{:.3f}-{:.3f}".format(min(row["mean recall of seeds"]), max(row["mean recall of seeds"]))
    cells = [row["model"], recordings, str(row["synthesized"])]
    cells += ["{:.3f} ({:.3f}-{:.3f})".format(row["mean recall"], *row["mean recall interval"]), seeds]
    cells += ["{:.3f} ({:.3f}-{:.3f})".format(row["accuracy"], *row["accuracy interval"]), str(row["published"] or "")]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
