"""Write the API reference from the docstrings.

python docs/make_api.py
"""

import inspect
from pathlib import Path

import sklearn_hypo
from sklearn_hypo import datasets, exceptions

TARGET = Path(__file__).with_name("api.rst")
MODULES = (sklearn_hypo, datasets, exceptions)


def own_members(cls):
    """Return the members that the package itself defines, mixins included."""
    members = {}
    for c in cls.__mro__:
        if c.__module__.startswith("sklearn_hypo"):
            members = members | {n: m for n, m in vars(c).items() if n not in members}
    return members


def public_methods(cls):
    """Return the methods documented in the package itself, in order of definition."""
    return [
        (name, inspect.unwrap(member.fget if isinstance(member, property) else member))
        for name, member in own_members(cls).items()
        if not name.startswith("_")
        and callable(getattr(cls, name, None))
        and inspect.getdoc(getattr(cls, name))
        and hasattr(member, "__name__")
    ]


def entry(name, thing, mark):
    """Return one documented name: heading, signature, docstring."""
    try:
        signature = f"{name}{inspect.signature(thing)}"
    except ValueError:
        signature = name
    text = inspect.getdoc(thing) or ""
    quoted = "\n".join(f"    {line}" if line else "" for line in text.splitlines())
    heading = f"{name}\n{mark * len(name)}"
    return f"{heading}\n\n.. code-block:: text\n\n    {signature}\n\n{quoted}\n"


def render():
    """Return the whole reference."""
    parts = ["API reference\n=============\n"]
    for module in MODULES:
        title = module.__name__
        parts.append(f"{title}\n{'-' * len(title)}\n")
        for name in sorted(module.__all__):
            thing = getattr(module, name)
            parts.append(entry(name, thing, "~"))
            if inspect.isclass(thing) and not issubclass(
                thing, BaseException | Warning
            ):
                parts += [
                    entry(f"{name}.{m}", f, "^") for m, f in public_methods(thing)
                ]
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
