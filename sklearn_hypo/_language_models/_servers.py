"""Servers that speak OpenAI's protocol: where they are, and what they take.

The facts are rows of `known_servers.csv`, each with its source and the date as of
which it holds. Nothing is asked of a server that its row does not name.
"""

import csv
import os
import re
from importlib import resources
from typing import NamedTuple
from urllib.parse import urlsplit

from ..exceptions import LanguageModelError
from ._model_spec import check_url


class KnownServer(NamedTuple):
    """One server, or one program that people run as a server.

    Attributes
    ----------
    provider : str
        Stands before the colon in "provider:NAME".
    name : str
        What people call it.
    address : str
        Its base URL; "" for the one of OpenAI's SDK, or where every user has another.
    address_env, port_env : str
        Environment variables with which its own users set the address, or host and
        port; "" for none.
    key_env : str
        Environment variable of the key; "" if there is never one.
    needs_key : bool
        Whether nothing is answered without a key.
    key_header : str
        In which header the key is sent: "Authorization", as a bearer token, or
        another one, as it is.
    is_local : bool
        Whether it runs on a machine of the user, so that answers cost nothing.
    embeds : bool
        Whether it embeds texts.
    token_parameter, seed_parameter : str
        How its Chat Completions call the limit on the answer, and the seed.
    json_schema : bool
        Whether it takes a JSON schema, and does not refuse or ignore it.
    as_of, source : str
        When these facts were looked up, and where.
    """

    provider: str
    name: str
    address: str
    address_env: str
    port_env: str
    key_env: str
    needs_key: bool
    key_header: str
    is_local: bool
    embeds: bool
    token_parameter: str
    seed_parameter: str
    json_schema: bool
    as_of: str
    source: str


_YES_OR_NO = ("needs_key", "is_local", "embeds", "json_schema")


def _read_servers():
    file = resources.files(__package__).joinpath("known_servers.csv")
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    servers = [
        KnownServer(**{**row, **{name: row[name] == "yes" for name in _YES_OR_NO}})
        for row in rows
    ]
    return {server.provider: server for server in servers}


SERVERS = _read_servers()


def find_address(server):
    """Return the base URL that is in force where the user gave none.

    Parameters
    ----------
    server : KnownServer

    Returns
    -------
    address : str
        "" for OpenAI's own.

    Raises
    ------
    LanguageModelError
        Where only the user can know the address, and has not said it.
    ValueError
        Where the environment holds no address, or one with a secret.
    """
    host = _read_variable(server.address_env)
    port = _read_variable(server.port_env)
    if server.provider == "openai":
        return host
    if not (host or port or server.address):
        raise LanguageModelError(
            f"{server.name} has another address for every user. Set the environment "
            f"variable {server.address_env}, or give it: OpenAIModel(NAME, "
            f"provider={server.provider!r}, base_url="
            "'https://RESOURCE.openai.azure.com/openai/v1').",
            reason="address",
        )
    if not (host or port):
        return server.address
    if server.provider == "azure":
        address = read_azure_url(host)[0]
    else:
        address = complete_host(host, port, server.address)
    check_url(address, server.address_env)
    return address


def _read_variable(name):
    return os.environ.get(name, "").strip() if name else ""


def complete_host(host, port, address):
    """Return the base URL that a host means, written as in OLLAMA_HOST.

    Scheme, port and path may be missing; they are then those of `address`. As for
    Ollama's own client, "https://host" means port 443, "http://host" port 80, and
    0.0.0.0, where a server listens to everybody, is this machine.

    Examples
    --------
    >>> from sklearn_hypo._language_models._servers import complete_host
    >>> complete_host("0.0.0.0:9000", "", "http://localhost:11434/v1")
    'http://127.0.0.1:9000/v1'
    >>> complete_host("gpu-box", "", "http://localhost:11434/v1")
    'http://gpu-box:11434/v1'
    """
    usual = urlsplit(address)
    scheme, has_scheme, rest = host.rpartition("://")
    netloc, _, path = rest.strip("/").partition("/")
    netloc = netloc or usual.hostname
    is_bare = re.search(r":\d+\Z", netloc) is None
    if is_bare and (port or not has_scheme):
        netloc = f"{netloc}:{port or usual.port}"
    netloc = re.sub(r"\A(0\.0\.0\.0|\[::\]|)(?=:\d+\Z|\Z)", "127.0.0.1", netloc)
    path = path if path.endswith("v1") else f"{path}{usual.path}".strip("/")
    return f"{scheme or usual.scheme}://{netloc}/{path}"


_AZURE_HOST = re.compile(
    r"\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)\Z"
)
_DEPLOYMENT = re.compile(r"(?P<before>.*)/openai/deployments/(?P<name>[^/]+)(/.*)?\Z")


def is_azure_host(url):
    """Whether an address is one of Microsoft's for models."""
    return _AZURE_HOST.search(urlsplit(url).hostname or "") is not None


def is_azure_portal_url(url):
    """Whether an address is one that Azure's portal shows, which needs rewriting."""
    try:
        parts = urlsplit(url)
        is_azure = is_azure_host(url)
    except ValueError:
        return False
    if _DEPLOYMENT.match(parts.path):
        return True
    return is_azure and not parts.path.startswith("/openai/v1")


def read_azure_url(url):
    """Return the base URL for a resource of Azure, and the deployment in the address.

    Azure's portal shows the address of one deployment, with the version of an older
    protocol. The protocol of OpenAI, which needs neither, is at "/openai/v1" of the
    same host, with the name of the deployment as the model.

    Examples
    --------
    >>> from sklearn_hypo._language_models._servers import read_azure_url
    >>> read_azure_url(
    ...     "https://x.openai.azure.com/openai/deployments/mini/chat/completions"
    ...     "?api-version=2024-10-21"
    ... )
    ('https://x.openai.azure.com/openai/v1', 'mini')
    """
    parts = urlsplit(url)
    host = f"{parts.scheme}://{parts.netloc}"
    found = _DEPLOYMENT.match(parts.path)
    if found:
        return f"{host}{found['before']}/openai/v1", found["name"]
    before, has_version, _ = parts.path.partition("/openai/v1")
    if has_version or not is_azure_host(url):
        before = before if has_version else parts.path.rstrip("/")
        return f"{host}{before}/openai/v1", ""
    return f"{host}/openai/v1", ""
