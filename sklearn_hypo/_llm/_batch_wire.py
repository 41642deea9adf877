"""The batch endpoints of both vendors: many requests now, answers within a day."""

import json
from typing import NamedTuple

from ._gemini import content_config, read_content
from ._openai import chat_body, read_chat, read_response, responses_body
from ._troubles import GarbageError
from ._values import FAILED, Reply

# Limits of one job. OpenAI's are on the number of requests and the size of the file,
# Gemini's on the size of what is sent; some room is left for what goes around it.
LIMITS = {"openai": (50_000, 190_000_000), "gemini": (50_000, 18_000_000)}

_RESPONSES = "/v1/responses"
_OPENAI_STATES = {"completed": "done", "expired": "done", "cancelled": "done"}
_OPENAI_PENDING = ("validating", "in_progress", "finalizing", "cancelling")
_GEMINI_PENDING = ("PENDING", "QUEUED", "RUNNING", "CANCELLING", "PAUSED", "UPDATING")
# How many jobs are looked through for one whose name was not noted in time.
_MAX_LISTED = 1000
_TAG = "sklearn_hypo"


class Fetched(NamedTuple):
    """The state of a job.

    Attributes
    ----------
    state : {"pending", "done", "failed"}
        A job that expired or was cancelled is done: what it finished can be had.
    replies : dict of str to Reply
        By identifier of the request; those that failed say so.
    detail : str
        Why a job failed.
    """

    state: str
    replies: dict
    detail: str = ""


class OpenAIBatches:
    """Batches of OpenAI.

    Parameters
    ----------
    model : OpenAIModel
        Which model.
    client : openai.OpenAI
        Open.
    """

    def __init__(self, model, client):
        self.model = model
        self._client = client
        responses = model.api == "responses"
        self._body = responses_body if responses else chat_body
        self._endpoint = _RESPONSES if responses else "/v1/chat/completions"

    def write(self, name, prompt):
        """Write one request; the length of it counts for the limits."""
        line = {
            "custom_id": name,
            "method": "POST",
            "url": self._endpoint,
            "body": self._body(self.model, prompt),
        }
        return json.dumps(line)

    def submit(self, tag, written):
        """Submit requests that `write` wrote; return the vendor's name of the job."""
        data = "\n".join(written).encode()
        file = self._client.files.create(file=(f"{tag}.jsonl", data), purpose="batch")
        job = self._client.batches.create(
            input_file_id=file.id,
            endpoint=self._endpoint,
            completion_window="24h",
            metadata={_TAG: tag},
        )
        return job.id

    def find(self, tag):
        """Look for a job by its tag; None if there is none."""
        for number, job in enumerate(self._client.batches.list(limit=100)):
            if (job.metadata or {}).get(_TAG) == tag:
                return job.id
            if number >= _MAX_LISTED:
                break
        return None

    def fetch(self, name):
        """Ask for the state of a job, and for its answers if it is done."""
        job = self._client.batches.retrieve(name)
        if job.status in _OPENAI_PENDING:
            return Fetched("pending", {})
        # of the job, which need not be that of this specification
        read = read_response if job.endpoint == _RESPONSES else read_chat
        replies = {}
        for file in (job.output_file_id, job.error_file_id):
            if file:
                content = self._client.files.content(file).text
                # not splitlines(): a line may hold other characters that end lines
                for line in content.split("\n"):
                    replies |= _read_line(line, read) if line.strip() else {}
        if job.status in _OPENAI_STATES or replies:
            return Fetched("done", replies)
        errors = getattr(job.errors, "data", None) or []
        reasons = "; ".join(dict.fromkeys(str(error.message) for error in errors))
        return Fetched("failed", {}, f"{job.status}: {reasons}"[:300])

    def discard(self, name):
        """Delete the files of a job, which hold the texts."""
        job = self._client.batches.retrieve(name)
        for file in (job.input_file_id, job.output_file_id, job.error_file_id):
            if file:
                self._client.files.delete(file)


class GeminiBatches:
    """Batches of Gemini, sent inline.

    Parameters
    ----------
    model : GeminiModel
        Which model.
    client : google.genai.Client
        Open.
    """

    def __init__(self, model, client):
        self.model = model
        self._client = client

    def write(self, name, prompt):
        """Write one request; the length of it counts for the limits."""
        config = content_config(self.model, prompt)
        settings = config.model_dump(exclude_none=True, mode="json")
        # for calls that are made now
        settings.pop("automatic_continuation", None)
        request = {
            "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
            "config": settings,
            "metadata": {"key": name},
        }
        return json.dumps(request)

    def submit(self, tag, written):
        """Submit requests that `write` wrote; return the vendor's name of the job."""
        job = self._client.batches.create(
            model=self.model.model,
            src=[json.loads(request) for request in written],
            config={"display_name": f"{_TAG} {tag}"},
        )
        return job.name

    def find(self, tag):
        """Look for a job by its tag; None if there is none."""
        for number, job in enumerate(self._client.batches.list()):
            if job.display_name == f"{_TAG} {tag}":
                return job.name
            if number >= _MAX_LISTED:
                break
        return None

    def fetch(self, name):
        """Ask for the state of a job, and for its answers if it is done."""
        job = self._client.batches.get(name=name)
        state = getattr(job.state, "name", str(job.state)).rpartition("STATE_")[2]
        if state in _GEMINI_PENDING:
            return Fetched("pending", {})
        answers = getattr(job.dest, "inlined_responses", None) or []
        replies = {}
        for position, entry in enumerate(answers):
            # answers come in the order of the requests, should they not be named
            key = (entry.metadata or {}).get("key", f"r{position}")
            replies[key] = self._reply(entry)
        if replies or state == "SUCCEEDED":
            return Fetched("done", replies)
        # the SDK does not always hand on what the vendor says
        detail = state if job.error is None else f"{state}: {job.error}"
        return Fetched("failed", {}, detail[:300])

    def discard(self, name):
        """Do nothing: what was sent inline goes with the job, after a while."""

    def _reply(self, entry):
        if entry.response is None:
            return Reply(FAILED, detail=str(entry.error)[:300])
        return _or_failed(read_content, entry.response)


def _read_line(line, read):
    try:
        entry = json.loads(line)
        response = entry.get("response") or {}
    except (ValueError, AttributeError):
        return {}  # one broken line does not cost the others
    if response.get("status_code") != 200:
        reason = entry.get("error") or response.get("body")
        return {entry["custom_id"]: Reply(FAILED, detail=str(reason)[:300])}
    return {entry["custom_id"]: _or_failed(read, response.get("body"))}


def _or_failed(read, body):
    try:
        return read(body)
    except GarbageError as error:
        return Reply(FAILED, detail=str(error)[:300])
