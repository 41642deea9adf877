"""What the server has seen."""

from collections import Counter
from dataclasses import dataclass, field, fields

__all__ = ["Call", "Stats"]

_PAIRS = ("asked", "answered", "lost")


@dataclass
class Call:
    """A light record of one call."""

    number: int
    route: str
    time: float
    model: str | None = None
    text: str | None = None
    statements: list = field(default_factory=list)
    fault: str | None = None
    status: int = 0
    body: dict | None = None
    kind: str | None = None


@dataclass
class Stats:
    """Counts since the start or the last reset.

    `asked`, `answered` and `lost` are keyed by (text, statement). A question is lost
    where it was answered and the answer did not arrive whole. `embedded` is keyed by
    text and counts vectors that were sent.
    """

    calls: int = 0
    connections: int = 0
    in_flight: int = 0
    in_flight_max: int = 0
    prompt_characters: int = 0
    schema_characters: int = 0
    answer_characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    lost_input_tokens: int = 0
    lost_output_tokens: int = 0
    batch_input_tokens: int = 0
    batch_output_tokens: int = 0
    batch_requests: int = 0
    during_pause: int = 0
    malformed: int = 0
    unrecognized: int = 0
    routes: Counter = field(default_factory=Counter)
    statuses: Counter = field(default_factory=Counter)
    faults: Counter = field(default_factory=Counter)
    kinds: Counter = field(default_factory=Counter)
    headers: Counter = field(default_factory=Counter)
    auth: Counter = field(default_factory=Counter)
    asked: Counter = field(default_factory=Counter)
    answered: Counter = field(default_factory=Counter)
    lost: Counter = field(default_factory=Counter)
    embedded: Counter = field(default_factory=Counter)

    def copy(self):
        """Return an independent copy."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Stats(
            **{
                k: Counter(v) if isinstance(v, Counter) else v
                for k, v in values.items()
            }
        )

    def to_json(self):
        """Return a dict of plain values; questions become lists."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in _PAIRS:
            plain[name] = [[*pair, n] for pair, n in plain[name].items()]
        return plain

    @classmethod
    def from_json(cls, plain):
        """Undo `to_json`, also after a trip through JSON."""
        stats = cls(**plain)
        for f in fields(cls):
            value = getattr(stats, f.name)
            if f.name in _PAIRS:
                setattr(stats, f.name, Counter({(t, s): n for t, s, n in value}))
            elif isinstance(value, dict):
                setattr(stats, f.name, Counter(value))
        stats.statuses = Counter({int(k): n for k, n in stats.statuses.items()})
        return stats
