"""A server that replies what it is told, and remembers what it was sent."""

import json
import time
from collections import deque

from llm_double import LLMServer, Mind
from llm_double._http import Reply


class ScriptedServer(LLMServer):
    """A test double of a language model whose replies can be given one by one.

    Without any, the mind answers. `seen` lists the requests, each with the attributes
    `path`, `headers`, `body`, `time` and `data` (the body, parsed).
    """

    def __init__(self, mind=None, **settings):
        super().__init__(mind or Mind({}), **settings)
        self.seen = []
        self.replies = deque()
        self.always = None
        self._answer = self.service.handle
        self.service.handle = self._handle

    def _handle(self, request):
        request.time = time.monotonic()
        request.data = json.loads(request.body or b"null")
        self.seen.append(request)
        if self.replies:
            return self.replies.popleft()
        return self.always() if self.always else self._answer(request)


def reply(status=200, body=None, headers=None, **more):
    """Build a reply; a body that is not bytes becomes JSON."""
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, written, headers=headers or {}, **more)


def chat(content="yes", finish="stop", usage=(10, 2), **message):
    """Build the body of a reply of Chat Completions."""
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m-2026",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": usage
        and {
            "prompt_tokens": usage[0],
            "completion_tokens": usage[1],
            "total_tokens": sum(usage),
        },
    }


def content(text="yes", finish="STOP", usage=(10, 2)):
    """Build the body of a reply of Gemini."""
    parts = [] if text is None else [{"text": text}]
    body = {
        "candidates": [
            {
                "content": {"parts": parts, "role": "model"},
                "finishReason": finish,
                "index": 0,
            }
        ],
        "modelVersion": "m-2026",
    }
    if usage:
        body["usageMetadata"] = {
            "promptTokenCount": usage[0],
            "candidatesTokenCount": usage[1],
            "totalTokenCount": sum(usage),
        }
    return body
