"""The server as a process of its own, so that it shares no interpreter lock."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from ._faults import Faults
from ._mind import Mind
from ._server import LLMServer
from ._stats import Call, Stats

__all__ = ["ProcessServer", "main", "start_process"]


def main(argv=None):
    """Print the addresses as one line of JSON, then serve until the end of stdin."""
    parser = argparse.ArgumentParser(prog="llm_double", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mind", help="JSON file: forms by statement")
    parser.add_argument("--mind-options", default="{}", help="JSON, see Mind")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--faults", default="{}", help="JSON: {'rates': {...}, ...}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON, see LLMServer")
    parser.add_argument(
        "--watch-stdin", action="store_true", help="end when stdin is closed"
    )
    given = parser.parse_args(argv)
    options = json.loads(given.mind_options)
    mind = Mind.from_json(given.mind, **options) if given.mind else Mind({}, **options)
    server = LLMServer(
        mind,
        latency=given.latency,
        faults=Faults(**json.loads(given.faults)),
        seed=given.seed,
        port=given.port,
        **json.loads(given.settings),
    )

    def ready():
        addresses = {"openai_url": server.openai_url, "gemini_url": server.gemini_url}
        sys.stdout.write(json.dumps({"url": server.url, **addresses}) + "\n")
        sys.stdout.flush()

    if given.watch_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    server.run(ready)


def _end_with_stdin():
    sys.stdin.buffer.read()
    os._exit(0)


class ProcessServer:
    """A server in another process, see `start_process`."""

    def __init__(self, process, addresses):
        self.process = process
        self.url = addresses["url"]
        self.openai_url = addresses["openai_url"]
        self.gemini_url = addresses["gemini_url"]
        # a proxy of the environment must not get in between
        self._open = build_opener(ProxyHandler({})).open

    def _ask(self, path, values=None):
        data = None if values is None else json.dumps(values).encode()
        with self._open(Request(f"{self.url}/__{path}", data), timeout=60) as reply:
            return json.loads(reply.read())

    def stats(self):
        """Return what was counted."""
        return Stats.from_json(self._ask("stats"))

    @property
    def calls(self):
        """The last calls, oldest first."""
        return [Call(**values) for values in self._ask("calls")]

    def reset(self):
        """Start counting from nothing."""
        self._ask("reset", {})

    def set_faults(self, faults=None):
        """Set what goes wrong; None for nothing."""
        self._ask("faults", (faults or Faults()).to_dict())

    def set(self, **settings):
        """Set latency and the other settings of `LLMServer`."""
        self._ask("settings", settings)

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def start_process(mind, *, latency=0.0, faults=None, seed=0, port=0, **settings):
    """Start a server in another process; a context manager.

    Takes what `LLMServer` takes. The rules of the mind must be made of forms.
    """
    folder = Path(__file__).parents[1]
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    options = {"first_wrong": mind.first_wrong, "unknown_rate": mind.unknown_rate}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "mind.json")
        mind.to_json(path)
        command = [sys.executable, "-m", "llm_double", "--watch-stdin"]
        command += ["--port", str(port), "--seed", str(seed), "--mind", str(path)]
        command += ["--latency", str(latency), "--settings", json.dumps(settings)]
        command += ["--faults", json.dumps((faults or Faults()).to_dict())]
        command += ["--mind-options", json.dumps(options)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        line = process.stdout.readline()  # the mind is read by then
    if not line:
        raise RuntimeError(f"the server ended with status {process.wait()}")
    return ProcessServer(process, json.loads(line))
