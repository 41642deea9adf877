"""A process that annotates for the benchmark: it can be timed alone, and killed.

It reads jobs from stdin, one JSON object per line, and writes the results to stdout in
the same way, after a first line that says that everything is imported.
"""

import contextlib
import io
import json
import os
import sys
import time

from _common import pin_threads

pin_threads(1)

# the SDKs too: importing them takes longer than many a run here
import google.genai
import openai
from _annotation_setup import annotator, shorten

_SDKS = (openai, google.genai)


def annotate_ours(job):
    """Annotate with LLMAnnotator."""
    made = annotator(
        job["vendor"],
        job["url"],
        job["layout"],
        job["statements"],
        options=job.get("options", {}),
        cache=job["cache"],
        n_workers=job["n_workers"],
        max_missing=1.0,
    )

    def work():
        values = made.annotate(job["texts"])
        # JSON has no NaN
        return [[v if v == v else None for v in row] for row in values.tolist()], None

    return work


def annotate_theirs(job):
    """Annotate with hypothesaes's public function, with its defaults but as told.

    Its cache would lie beside the installed package, and is put into a folder of ours.
    The labels are read from it, for what the function returns is lost where it raises.
    """
    import hypothesaes.annotate as theirs

    os.environ["OPENAI_BASE_URL"] = job["url"] + "/v1"
    os.environ["OPENAI_KEY_SAE"] = "a-key-for-the-double"
    theirs.CACHE_DIR = job["cache"]
    settings = dict(job.get("options", {}))
    if job["n_workers"] is not None:
        settings["n_workers"] = job["n_workers"]

    def work():
        try:
            theirs.annotate_texts_with_concepts(
                job["texts"], job["statements"], cache_name="run", **settings
            )
            error = None
        except Exception as caught:
            error = _in_words(caught)
        cache = theirs.get_annotation_cache(
            os.path.join(job["cache"], "run_hypothesis-eval.json")
        )
        keys = [
            [
                theirs.generate_cache_key(statement, text)
                for statement in job["statements"]
            ]
            for text in job["texts"]
        ]
        return [[cache.get(key) for key in row] for row in keys], error

    return work


def _in_words(error):
    return f"{type(error).__name__}: {error}"


def do(job):
    """Do one job; what is printed meanwhile is part of the result."""
    printed, bars = io.StringIO(), io.StringIO()
    values = error = None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(bars):
        work = annotate_theirs(job) if job["who"] == "theirs" else annotate_ours(job)
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            values, error = work()
        except Exception as caught:
            error = _in_words(caught)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    lines = printed.getvalue().splitlines()
    return {
        "values": values if job.get("values", True) else None,
        "error": error,
        "wall": wall,
        "cpu": cpu,
        "printed": len(lines),
        "last_line": shorten(lines[-1]) if lines else "",
    }


def main():
    out = sys.stdout
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(do(job)), file=out, flush=True)


if __name__ == "__main__":
    main()
