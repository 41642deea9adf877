"""Which of the known servers answer on a machine of the user, asked without a key."""

import http.client
import json
from typing import NamedTuple
from urllib.parse import urlsplit

from ..exceptions import LanguageModelError
from ._servers import SERVERS, KnownServer, find_address

_MOST_BYTES = 1_000_000


class ServerAnswer(NamedTuple):
    """What came of asking one server for its models.

    Attributes
    ----------
    server : KnownServer
    address : str
        "" where the environment holds none that can be used.
    models : tuple of str or None
        None where no list of models came back.
    problem : str
        In words, where a server answers without such a list, or cannot be asked; "" of
        one that answers, or that nobody started.
    """

    server: KnownServer
    address: str
    models: tuple | None = None
    problem: str = ""


def ask_local_servers(timeout=1.0):
    """Ask every server that people run by themselves for the names of its models.

    Only their own addresses are asked, neither through a proxy nor on to where a reply
    points, and no key is sent.

    Parameters
    ----------
    timeout : float, default=1.0
        Seconds to wait for each step of an answer.

    Returns
    -------
    answers : list of ServerAnswer
    """
    return [_ask(s, timeout) for s in SERVERS.values() if s.is_local]


def _ask(server, timeout):
    try:
        address = find_address(server)
    except (ValueError, LanguageModelError):
        # the message might show what stands in the variable
        names = " and ".join(filter(None, (server.address_env, server.port_env)))
        return ServerAnswer(server, "", problem=f"{names} cannot be used")
    try:
        status, body = _get(f"{address}/models", timeout)
    except OSError:
        return ServerAnswer(server, address)
    except http.client.HTTPException:
        return ServerAnswer(server, address, problem="what answers is no web server")
    if status in (401, 403):
        return ServerAnswer(server, address, problem="answers, and wants a key")
    models = _read_models(body) if status == 200 else None
    if models is None:
        problem = f"answers, but lists no models (HTTP {status}): another program?"
        return ServerAnswer(server, address, problem=problem)
    return ServerAnswer(server, address, models)


def _get(url, timeout):
    """Return status and body. http.client knows no proxies and follows nothing."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https"
    kind = http.client.HTTPSConnection if is_safe else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path, headers={"Accept": "application/json"})
        reply = connection.getresponse()
        return reply.status, reply.read(_MOST_BYTES)
    finally:
        connection.close()


def _read_models(body):
    """Return the names of the models in a reply; None if it is no such list."""
    try:
        return tuple(str(model["id"]) for model in json.loads(body)["data"])
    except (ValueError, LookupError, TypeError):
        return None
