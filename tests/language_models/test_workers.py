"""Jobs in threads, whatever interrupts the one that hands them in."""

import signal
import subprocess
import sys
import textwrap

import pytest

INTERRUPTED = """
    import random, signal, threading
    from sklearn_hypo._language_models._workers import do_jobs

    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    draw = random.Random(0)
    n_interrupted = 0
    for _ in range(120):
        begun, ended = [], []

        def work(job):
            begun.append(job)
            sum(range(200))
            ended.append(job)

        stop = threading.Event()
        options = {"n_threads": 8, "capacity": lambda: 16, "stop": stop}
        try:
            signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-4, 4e-3))
            try:
                do_jobs(range(1_000_000), work, **options)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            n_interrupted += 1
        assert sorted(begun) == sorted(ended)
    print(n_interrupted)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_an_interrupt_at_any_moment_leaves_no_lock_behind():
    """The threads would wait for it for ever, and the end of the run for them."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["120"]
