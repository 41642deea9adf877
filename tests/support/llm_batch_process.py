"""What the tests of batch jobs do in processes of their own, and how these die."""

import contextlib
import os
import signal

from forks import fork_context
from llm_cases import annotator_for


def in_process(work, *args, **kwargs):
    """Do work in a process of its own; return its exit code and what it returned."""
    return finish(start(work, *args, **kwargs))


def start(work, *args, **kwargs):
    """Begin work in a process of its own; see `finish`."""
    context = fork_context()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, work, args, kwargs))
    process.start()
    sender.close()
    return process, receiver


def finish(started):
    """Wait for a process."""
    process, receiver = started
    result = None
    with contextlib.suppress(EOFError):
        result = receiver.recv()
    process.join(30)
    return process.exitcode, result


def _send(sender, work, args, kwargs):
    os.environ["NO_PROXY"] = "127.0.0.1"
    sender.send(work(*args, **kwargs))


def submit(model, folder, texts, asked, die=None, **settings):
    """Submit, and perhaps be killed on the way."""
    if die is not None:
        die()
    return annotator_for(model, asked, cache=folder, **settings).submit(texts)


def collect(model, folder, texts, asked, **settings):
    """Collect, and annotate from what came."""
    annotator = annotator_for(model, asked, cache=folder, **settings)
    collected = annotator.collect()
    return tuple(collected), None if collected.pending else annotator.annotate(texts)


def _kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def _wires():
    from sklearn_hypo._language_models._gemini import GeminiBatches
    from sklearn_hypo._language_models._openai import OpenAIBatches

    return OpenAIBatches, GeminiBatches


def die_before_the_call():
    for wire in _wires():
        wire.submit = _kill


def die_between_file_and_job():
    from openai.resources import Batches

    Batches.create = _kill


def die_before_the_note():
    for wire in _wires():
        _die_after(wire, "submit", lambda arguments: True)


def die_after_the_note():
    from sklearn_hypo._language_models._answers import AnswerStore

    _die_after(AnswerStore, "put_record", lambda arguments: arguments[3]["job"])


def die_while_collecting():
    from sklearn_hypo._language_models._answers import AnswerRun

    _die_after(AnswerRun, "put", lambda arguments: True)


def _die_after(owner, name, condition):
    original = getattr(owner, name)

    def method(*args):
        result = original(*args)
        if condition(args):
            _kill()
        return result

    setattr(owner, name, method)


def collect_and_die(model, folder, asked):
    """Collect, and be killed after the first answers were stored."""
    die_while_collecting()
    annotator_for(model, asked, cache=folder).collect()
