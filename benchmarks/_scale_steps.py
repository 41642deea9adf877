"""The recipe of docs/scale.md, step by step: texts in a folder of Parquet files.

Each step writes what it made under a name of its own, whole or not at all, and does
nothing where that is there already. So a run that was killed goes on where it was.
"""

import json
import os
import time
from pathlib import Path

import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from sklearn_hypo import (
    HypothesisExtractor,
    LexiconInterpreter,
    NeuronSelector,
    SparseAutoencoderTransformer,
    TextEmbedder,
    evaluate_annotations,
)
from sklearn_hypo.datasets import make_concept_texts


class Study:
    """Where everything is, and what the run is to be.

    Parameters
    ----------
    folder : path
    settings : dict
        "texts", "partition" (texts in a file), "held_out" (files of the test),
        "sample" (files that the embedding and the dictionaries are learnt from),
        "components", "neurons".
    """

    def __init__(self, folder, settings):
        self.folder, self.settings = Path(folder), settings
        n_files = -(-settings["texts"] // settings["partition"])
        self.n_training = (n_files - settings["held_out"]) * settings["partition"]
        self.starts = range(0, settings["texts"], settings["partition"])
        for name in ("texts", "vectors", "annotations"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @classmethod
    def of(cls, folder, options):
        """Return the study that the options of the command line describe."""
        return cls(
            folder,
            {
                "texts": options.texts,
                "partition": options.partition,
                "held_out": options.n_held_out,
                "sample": options.n_sample,
                "components": options.components,
                "neurons": options.neurons,
            },
        )

    def path(self, *parts):
        """Return a path in the folder of the study."""
        return self.folder.joinpath(*parts)

    def files(self, name):
        """List the files of a folder, in the order of the texts."""
        return sorted(self.path(name).glob("[0-9]*"))

    def note(self, **facts):
        """Append a line to the journal, which survives a kill."""
        facts |= {"at": time.time(), "process": os.getpid(), "peak": measure_peak()}
        with self.path("journal.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")

    def read_partitions(self, files):
        """Return a Dask frame of texts, one partition for each file."""
        return dd.from_map(pd.read_parquet, [str(file) for file in files])


def measure_peak():
    """Return the largest resident memory of this process so far, in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise OSError("/proc/self/status has no VmHWM: memory is measured on Linux only")


def report_partition(study, path, started):
    """Note the processor time of a partition; return what Dask is told of it."""
    seconds = time.process_time() - started
    study.note(cpu=seconds)
    return pd.DataFrame({"file": [path.name], "peak": [measure_peak()]})


def write_whole(path, write):
    """Let a function write a file that appears under its name when it is complete."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        write(file)
    unfinished.replace(path)


# What is done to a partition --------------------------------------------------------


def make_texts(start, study):
    """Generate a partition of texts, of which nobody ever holds all."""
    path, started = study.path("texts", f"{start:012d}.parquet"), time.process_time()
    if not path.exists():
        n_rows = min(study.settings["partition"], study.settings["texts"] - start)
        made = make_concept_texts(n_rows, n_concepts=10, random_state=start)
        rows = pd.DataFrame(
            {
                "id": np.arange(start, start + n_rows),
                "text": pd.array(made.data, dtype="str"),
                "y": made.target,
            }
        )
        write_whole(path, lambda file: rows.to_parquet(file, index=False))
    return report_partition(study, path, started)


def embed(rows, study, embedder):
    """Write the vectors of a partition, unless they are there."""
    path = study.path("vectors", f"{rows['id'].iloc[0]:012d}.npy")
    started = time.process_time()
    if not path.exists():
        study.note(encoding=path.stem, n=len(rows))
        vectors = embedder.transform(rows["text"]).to_numpy()
        write_whole(path, lambda file: np.save(file, vectors))
    return report_partition(study, path, started)


def annotate(rows, study, extractor):
    """Write what the hypotheses say of a partition, unless that is there."""
    path = study.path("annotations", f"{rows['id'].iloc[0]:012d}.parquet")
    started = time.process_time()
    if not path.exists():
        study.note(annotating=path.stem, n=len(rows))
        marks = extractor.annotator_.annotate(rows["text"])
        frame = pd.DataFrame(marks, columns=extractor.get_feature_names_out())
        frame["y"] = rows["y"].to_numpy()
        write_whole(path, lambda file: frame.to_parquet(file, index=False))
    return report_partition(study, path, started)


META = {"file": "str", "peak": "int64"}


# Steps ------------------------------------------------------------------------------


def generate(study):
    """Write the texts."""
    made = dd.from_map(make_texts, list(study.starts), study=study, meta=META)
    return made.compute()


def learn_embedding(study):
    """Learn the embedding from some files of training texts."""
    files = study.files("texts")[: study.settings["sample"]]
    texts = pd.concat([pd.read_parquet(file, columns=["text"]) for file in files])
    embedder = TextEmbedder(
        "lsa", n_components=study.settings["components"], random_state=0
    ).fit(texts["text"])
    write_whole(study.path("embedder"), lambda file: joblib.dump(embedder, file))


def embed_all(study):
    """Embed every partition."""
    embedder = joblib.load(study.path("embedder"))
    texts = study.read_partitions(study.files("texts"))
    return texts.map_partitions(embed, study, embedder, meta=META).compute()


def join_vectors(study):
    """Join the vectors of the training texts in one file, to be mapped into memory."""
    shape = (study.n_training, study.settings["components"])
    unfinished = study.path(".training.npy")
    joined = np.lib.format.open_memmap(unfinished, "w+", "float32", shape)
    start = 0
    for file in study.files("vectors"):
        if start < len(joined):
            part = np.load(file)
            joined[start : start + len(part)] = part
            start += len(part)
    joined.flush()
    unfinished.replace(study.path("training.npy"))


def fit_neurons(study):
    """Fit autoencoder and selection to all training texts, in a memory map."""
    vectors = np.load(study.path("training.npy"), mmap_mode="r")
    files = study.files("texts")[: -study.settings["held_out"]]
    y = np.concatenate([pd.read_parquet(file, columns=["y"])["y"] for file in files])
    neurons = make_pipeline(
        SparseAutoencoderTransformer(
            study.settings["neurons"], 8, output="sparse", random_state=0
        ),
        NeuronSelector(20),
    ).fit(vectors, y)
    write_whole(study.path("neurons"), lambda file: joblib.dump(neurons, file))


def write_dictionaries(study):
    """Put the neurons into words, which some files of training texts are enough for."""
    neurons = joblib.load(study.path("neurons"))
    files = study.files("texts")[: study.settings["sample"]]
    rows = pd.concat([pd.read_parquet(file) for file in files])
    vectors = np.load(study.path("training.npy"), mmap_mode="r")[: len(rows)]
    frame = pd.DataFrame(
        neurons.transform(vectors).toarray(),
        index=pd.Index(rows["text"], name="text", dtype=object),
        columns=neurons.get_feature_names_out(),
    )
    words = TextEmbedder("lsa", n_components=study.settings["components"])
    extractor = HypothesisExtractor(LexiconInterpreter(embedder=words), random_state=0)
    extractor.fit(frame, rows["y"])
    write_whole(study.path("extractor"), lambda file: joblib.dump(extractor, file))


def annotate_held_out(study):
    """Annotate the texts that nothing was learnt from."""
    extractor = joblib.load(study.path("extractor"))
    files = study.files("texts")[-study.settings["held_out"] :]
    texts = study.read_partitions(files)
    return texts.map_partitions(annotate, study, extractor, meta=META).compute()


def test(study):
    """Test the hypotheses on their annotations, and write the report."""
    held_out = pd.concat([pd.read_parquet(f) for f in study.files("annotations")])
    report = evaluate_annotations(held_out.drop(columns="y"), held_out["y"])
    text = str(report).encode()
    write_whole(study.path("report.txt"), lambda file: file.write(text))


# name, function, what it leaves in the folder (None: asked partition by partition)
STEPS = (
    ("texts made", generate, None),
    ("embedding learnt", learn_embedding, "embedder"),
    ("embedded", embed_all, None),
    ("vectors joined", join_vectors, "training.npy"),
    ("autoencoder, selection", fit_neurons, "neurons"),
    ("dictionaries", write_dictionaries, "extractor"),
    ("annotated", annotate_held_out, None),
    ("tested", test, "report.txt"),
)


def go_on(study):
    """Do whatever has not been done yet."""
    for name, step, result in STEPS:
        if result is not None and study.path(result).exists():
            continue
        study.note(begins=name)
        started = time.process_time()
        partitions = step(study)
        if partitions is not None:
            study.note(workers=int(partitions["peak"].max()))
        study.note(ends=name, cpu=time.process_time() - started)
