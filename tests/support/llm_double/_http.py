"""HTTP/1.1 on a raw asyncio protocol: keep-alive, chunks, one write for a reply."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus

__all__ = ["HTTPProtocol", "Reply", "Request"]

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_HEAD = (
    "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n"
    "x-request-id: req_double\r\n{}\r\n"
)


@dataclass
class Request:
    """One request; names of headers are in lower case."""

    method: str
    path: str
    headers: dict
    body: bytes = b""


@dataclass
class Reply:
    """One reply; `dropped` closes the connection in the middle of the body."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict = field(default_factory=dict)
    delay: float = 0.0
    dropped: bool = False
    pause: tuple | None = None  # (key, seconds) that a client is asked to wait
    receipt: object | None = None  # what to count when it is sent
    counted: bool = False  # among the calls in flight

    def encode(self):
        """Return the bytes on the wire."""
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        head = _HEAD.format(
            self.status,
            _REASONS.get(self.status, "Unknown"),
            self.content_type,
            len(self.body),
            more,
        ).encode("latin-1")
        if self.dropped:
            return head + self.body[: len(self.body) // 2]
        return head + self.body


def _parse_head(head):
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, version = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return Request(method, path, headers)


def _dechunk(buffer, start):
    """Return a chunked body and where it ends, or None while it is not complete."""
    pieces = []
    while True:
        line = buffer.find(b"\r\n", start)
        if line < 0:
            return None
        size = int(bytes(buffer[start:line]).partition(b";")[0], 16)
        start = line + 2
        if len(buffer) < start + size + 2:
            return None
        if size == 0:
            end = buffer.find(b"\r\n", start)
            return b"".join(pieces), end + 2
        pieces.append(bytes(buffer[start : start + size]))
        start += size + 2


class HTTPProtocol(asyncio.Protocol):
    """One connection of a client.

    Parameters
    ----------
    service : object
        With ``handle(request) -> Reply``, called in the loop, and the callbacks
        ``opened(protocol)``, ``closed(protocol)``, ``sent(reply)`` and ``gone(reply)``.
    """

    def __init__(self, service):
        self.service = service
        self.loop = asyncio.get_running_loop()
        self.buffer = bytearray()
        self.transport = None
        self.request = None  # a head whose body has not arrived yet
        self.reply = None  # what is going to be sent
        self.timer = None

    def connection_made(self, transport):
        self.transport = transport
        self.service.opened(self)

    def connection_lost(self, error):
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.reply is not None:
            self.service.gone(self.reply)
            self.reply = None
        self.service.closed(self)

    def data_received(self, data):
        self.buffer += data
        self._advance()

    def _advance(self):
        """Take up the next request; they are answered in their order."""
        if self.reply is not None or self.transport.is_closing():
            return
        request = self._next_request()
        if request is None:
            return
        self.request = None
        self.close_after = request.headers.get("connection", "").lower() == "close"
        self.reply = self.service.handle(request)
        if self.reply.delay > 0:
            self.timer = self.loop.call_later(self.reply.delay, self._send)
        else:
            self._send()

    def _next_request(self):
        if self.request is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            self.request = _parse_head(bytes(self.buffer[:end]))
            del self.buffer[: end + 4]
            if self.request.headers.get("expect", "").lower() == "100-continue":
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = self.request
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            whole = _dechunk(self.buffer, 0)
            if whole is None:
                return None
            request.body, end = whole
        else:
            end = int(request.headers.get("content-length", 0))
            if len(self.buffer) < end:
                return None
            request.body = bytes(self.buffer[:end])
        del self.buffer[:end]
        return request

    def _send(self):
        reply, self.reply, self.timer = self.reply, None, None
        self.transport.write(reply.encode())
        self.service.sent(reply)
        if reply.dropped or self.close_after:
            self.transport.close()
        elif self.buffer:
            self.loop.call_soon(self._advance)
