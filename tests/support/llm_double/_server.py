"""The server in a thread of this process."""

import asyncio
import socket
import threading

from ._faults import Faults
from ._http import HTTPProtocol
from ._service import Service, Settings

__all__ = ["LLMServer"]

_BACKLOG = 1024


class LLMServer:
    """A language model behind the wire formats of OpenAI and Gemini, on 127.0.0.1.

    Use it as a context manager, or call `start` and `close`. `mind`, `faults` and
    each of the settings below is an attribute that can be set at any time.

    Parameters
    ----------
    mind : Mind
        Who answers.
    latency : float, default=0.0
        Seconds from the last byte of a request to the first one of the reply.
    faults : Faults, default=None
        What goes wrong; None for nothing.
    seed : int, default=0
        For the order of the results of a batch and the like.
    port : int, default=0
        0 for any free one.
    api_key : str, default=None
        The key that is accepted; None for any or none.
    models : list of str, default=None
        The models that exist; None for any name.
    served_model : str, default=None
        What replies call the model, whatever was asked for; None for that.
    reasoning_tokens : int, default=0
        How many tokens each answer costs before the first one of its text.
    cached_share : float, default=0.0
        Which part of the prompt's tokens is reported as cached.
    report_usage : bool, default=True
        Whether replies say what they cost.
    style : str, default="json"
        How answers are written: "json", "fenced", "thinking", "words", or one of
        `_reader.NOTATIONS`.
    thinks : {"reasoning", "reasoning_content"}, default=None
        If set, the model thinks to no end, and this field holds its thoughts.
    default_limit : int, default=None
        The most tokens of an answer whose request has no limit.
    context : int, default=None
        The most tokens of a prompt; None for any number.
    overflow : {"openai", "llama.cpp", "ollama", "fastapi", "silent"}, default="openai"
        What is done with a longer prompt: the dialect of the error, or "silent" to
        read a part only and answer false to all.
    dimensions : int, default=64
        Of embeddings, where the request does not say.
    reject_parameters : tuple of str, default=()
        Parameters that are answered with status 400.
    most_alternatives : int or None, default=20
        How many log-probabilities a chat answer may come with; more are answered with
        status 400. None: there are none, and who asks for them is not told.
    decision_paths : tuple of str, default=("/v1/decisions",)
        Which of "/v1/decisions" and "/v1/systemone" of OpenAI's protocol exist.
    system_role : bool, default=True
        Whether a message of the system is accepted.
    serial : bool, default=False
        Whether one request is answered after the other, each for `latency` seconds.
    requests_per_second : float, default=None
        What a bucket of `burst` tokens is filled with; requests beyond are answered
        with status 429, and, if `hints`, how long to wait.
    burst : int, default=5
        Requests that may come at once.
    hints : bool, default=True
        Whether that reply says when the next token is there.
    batch_polls : int, default=1
        How often a batch is found unfinished; 0 for never.
    batch_error_rate : float, default=0.0
        The share of a batch's requests that fail, by content.
    batch_outcome : {"completed", "failed", "expired"}, default="completed"
        How batches end. One that expires has done half of its requests.
    jobs_per_page : int, default=None
        The most jobs on a page of a list; None for what the client asks for.
    max_records : int, default=10_000
        How many calls are kept in `calls`.
    """

    def __init__(self, mind, *, latency=0.0, faults=None, seed=0, port=0, **settings):
        settings = Settings(latency=latency, **settings)
        self.service = Service(mind, faults or Faults(), settings, seed)
        self._port = port
        self._thread = None
        self._loop = None

    def __getattr__(self, name):
        service = self.__dict__.get("service")
        if service is not None and name in vars(service.settings):
            return getattr(service.settings, name)
        raise AttributeError(name)

    def __setattr__(self, name, value):
        service = self.__dict__.get("service")
        if service is not None and name in vars(service.settings):
            setattr(service.settings, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def mind(self):
        """Who answers."""
        return self.service.mind

    @mind.setter
    def mind(self, mind):
        self.service.mind = mind

    @property
    def faults(self):
        """What goes wrong."""
        return self.service.faults

    @faults.setter
    def faults(self, faults):
        self.service.faults = faults or Faults()

    @property
    def calls(self):
        """The last calls, oldest first."""
        return self._in_loop(lambda: list(self.service.calls))

    def stats(self):
        """Return a copy of what was counted."""
        return self._in_loop(self.service.stats.copy)

    def reset(self):
        """Start counting from nothing."""
        self._in_loop(self.service.reset)

    def _in_loop(self, function):
        """Call a function between two requests."""
        if self._loop is None or self._loop.is_closed():
            return function()
        done = threading.Event()
        result = []

        def call():
            result.append(function())
            done.set()

        self._loop.call_soon_threadsafe(call)
        done.wait()
        return result[0]

    @property
    def url(self):
        """The address, without a path."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def openai_url(self):
        """What an OpenAI client takes as its base URL."""
        return f"{self.url}/v1"

    @property
    def gemini_url(self):
        """What a Gemini client takes as its base URL."""
        return self.url

    def start(self):
        """Serve in a thread until `close`."""
        listener = self._listen()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(listener, ready),), daemon=True
        )
        self._thread.start()
        ready.wait()
        return self

    def run(self, ready):
        """Serve in this thread; `ready` is called when requests can come."""
        listener = self._listen()

        class Ready:
            set = staticmethod(ready)

        asyncio.run(self._serve(listener, Ready))

    def _listen(self):
        listener = socket.create_server(("127.0.0.1", self._port), backlog=_BACKLOG)
        self._port = listener.getsockname()[1]
        return listener

    async def _serve(self, listener, ready):
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await self._loop.create_server(
            lambda: HTTPProtocol(self.service), sock=listener, backlog=_BACKLOG
        )
        ready.set()
        await self._stop.wait()
        server.close()
        for protocol in list(self.service.protocols):
            protocol.transport.abort()
        await asyncio.sleep(0)

    def close(self):
        """Stop serving; what was counted stays readable."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.close()
