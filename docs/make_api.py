"""Write the API reference from the docstrings, by the steps of the method.

make docs
"""

import inspect
import re
from pathlib import Path

import sklearn_hypo
from sklearn_hypo import datasets, exceptions

TARGET = Path(__file__).with_name("_build") / "api.rst"


def public_names():
    """Return the public names by step, as `sklearn_hypo.__all__` lists them."""
    source = inspect.getsource(sklearn_hypo)
    listed = re.search(r"^__all__ = \[.*\n((?: .*\n)*)\]$", source, flags=re.M)[1]
    steps = {}
    for step, name in re.findall(r"^ +(?:# (.+)|\"(\w+)\",)$", listed, flags=re.M):
        if step:
            names = steps.setdefault(step, [])
        else:
            names.append(name)
    return steps


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
    return (
        f"{heading(name, mark)}\n.. code-block:: text\n\n    {signature}\n\n{quoted}\n"
    )


def entries(module, names, mark="~", below="^"):
    """Yield the entries of some names of a module, classes with their methods."""
    for name in names:
        thing = getattr(module, name)
        yield entry(name, thing, mark)
        if inspect.isclass(thing) and not issubclass(thing, BaseException):
            for method, function in public_methods(thing):
                yield entry(f"{name}.{method}", function, below)


def heading(title, mark="-"):
    """Return a heading of the reference."""
    return f"{title}\n{mark * len(title)}\n"


def render():
    """Return the whole reference."""
    parts = [heading("API reference", "=")]
    for step, names in public_names().items():
        parts += [heading(step), *entries(sklearn_hypo, names)]
    for module in (datasets, exceptions):
        parts += [heading(module.__name__), *entries(module, sorted(module.__all__))]
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(render(), encoding="utf-8")
