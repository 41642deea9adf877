"""``sklearn-hypo doctor``: what is installed, and what is found on this machine."""

import os
import platform
import stat
from importlib import metadata

import joblib
from packaging.requirements import Requirement

from .. import __version__
from .._language_models._gemini import GeminiModel
from .._language_models._local_servers import ask_local_servers
from .._language_models._servers import SERVERS
from .._utils._cache_folder import resolve_cache_folder
from .._utils._device import resolve_device
from .._utils._printable import pluralize, shorten, to_printable
from .._utils._threads import describe_computation

_DISTRIBUTION = "sklearn-hypo"
_FOR_DEVELOPERS = ("benchmark", "docs", "release", "test")
_MODELS_SHOWN = 5
_OTHERS = stat.S_IRGRP | stat.S_IROTH


def doctor(options, say, note):
    """Say what is installed, and what is found on this machine.

    Parameters are as in `run`. Of keys it is said which variables hold one, never what.
    """
    say(f"sklearn-hypo {__version__}, Python {platform.python_version()}")
    say(platform.platform())
    sections = {
        "packages": _list_packages,
        "extras": _list_extras,
        "devices": _list_devices,
        "caches": lambda: _list_caches(resolve_cache_folder(options.cache or "auto")),
        "servers of language models on this machine": _list_servers,
        "keys of language models": _list_keys,
    }
    for heading, list_lines in sections.items():
        say("\n".join([f"\n{heading}", *(f"  {line}" for line in list_lines())]))


# Packages ---------------------------------------------------------------------------


def _read_requirements():
    """Return the requirements by extra; "" for those of the package itself."""
    try:
        about = metadata.metadata(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return {}
    extras = ["", *sorted({*about.get_all("Provides-Extra", [])} - {*_FOR_DEVELOPERS})]
    needed = [Requirement(line) for line in about.get_all("Requires-Dist", [])]
    always = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    found = {"": always}
    for extra in extras[1:]:
        found[extra] = [
            r for r in needed if r not in always and r.marker.evaluate({"extra": extra})
        ]
    return found


def _check_version(requirement):
    """Return the version in place of a requirement, and what is wrong with it."""
    name = requirement.name
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return f"{name} {version}"
    return f"{name} {version}, but {requirement.specifier} is needed"


def _list_packages():
    requirements = _read_requirements().get("", [])
    if not requirements:
        yield f"{_DISTRIBUTION} is not installed: this is its source alone"
    yield from map(_check_version, requirements)


def _list_extras():
    for extra, requirements in _read_requirements().items():
        if extra:
            yield f"{extra}: {'; '.join(map(_check_version, requirements))}"


# Devices ----------------------------------------------------------------------------


def _list_devices():
    yield f"{pluralize(joblib.cpu_count(), 'core')} for this process"
    try:
        import torch
    except (ImportError, OSError) as error:  # a library that it needs is missing
        yield f"torch cannot be imported: {to_printable(error)}"
        return
    yield f"device='auto' is '{resolve_device('auto')}'"
    for i in range(torch.cuda.device_count()):
        try:
            properties = torch.cuda.get_device_properties(i)
        except (RuntimeError, AssertionError) as error:  # as where a driver is too old
            yield f"cuda:{i} cannot be used: {to_printable(error)}"
            continue
        yield f"cuda:{i}: {properties.name}, {_megabytes(properties.total_memory)}"
    computation = describe_computation()
    yield f"torch: kernels {computation['torch']['kernel']}"
    for library in computation["libraries"]:
        yield f"{library['name']} {library['version']}: kernels {library['kernel']}"


# Caches -----------------------------------------------------------------------------


def _list_caches(folder):
    yield folder
    try:
        files = sorted(os.scandir(folder), key=lambda file: file.name)
    except OSError as error:
        yield f"  nothing there yet ({error.strerror})"
        files = []
    for file in files:
        try:
            about = file.stat()
        except OSError:  # gone since, as the journal of a run may be
            continue
        if file.is_file() and about.st_size:
            line = f"  {to_printable(file.name)}: {_megabytes(about.st_size)}"
            # on Windows these bits say nothing
            is_open = os.name == "posix" and about.st_mode & (
                stat.S_IRGRP | stat.S_IROTH
            )
            yield line + (", which others on this machine can read" if is_open else "")
    yield from _describe_hub_cache()


def _describe_hub_cache():
    """Models that were downloaded, which lie where Hugging Face puts them."""
    try:
        from huggingface_hub import constants, scan_cache_dir
        from huggingface_hub.errors import CacheNotFound
    except ImportError as error:
        yield f"models of Hugging Face: {to_printable(error)}"
        return
    yield constants.HF_HUB_CACHE
    try:
        found = scan_cache_dir()
    except (CacheNotFound, OSError):
        yield "  nothing there yet"
        return
    size = _megabytes(found.size_on_disk)
    yield f"  {pluralize(len(found.repos), 'model')} of Hugging Face: {size}"


def _megabytes(n_bytes):
    return f"{n_bytes / 1e6:,.2f} MB"


# Language models --------------------------------------------------------------------


def _list_servers():
    for server, address, models, problem in ask_local_servers():
        where = f"{server.name}, {address or 'no address'}: "
        if models is None:
            yield where + (problem or "nobody answers")
        elif not models:
            yield where + "answers, without any model"
        else:
            more = len(models) - _MODELS_SHOWN
            names = ", ".join(map(shorten, models[:_MODELS_SHOWN]))
            yield where + names + (f" and {more} more" if more > 0 else "")


def _list_keys():
    names = {server.key_env for server in SERVERS.values()} - {""}
    names |= {*GeminiModel.key_envs}
    held = sorted(name for name in names if os.environ.get(name, "").strip())
    yield f"set: {', '.join(held)}" if held else "none is set"
