"""How many calls are under way: against simulated servers, in simulated time."""

import heapq
import random

import pytest

from sklearn_hypo._language_models._addresses import is_local_address
from sklearn_hypo._language_models._concurrency import CallLimit

ANSWERED = "answered"


class Bucket:
    """Allows so many requests a second, and a few at once."""

    def __init__(self, per_second, burst, seconds, hint):
        self.per_second, self.burst, self.seconds = per_second, burst, seconds
        self.hint = hint
        self.tokens, self.time = burst, 0.0

    def __call__(self, now):
        gained = (now - self.time) * self.per_second
        self.tokens, self.time = min(self.burst, self.tokens + gained), now
        if self.tokens >= 1:
            self.tokens -= 1
            return ANSWERED, self.seconds, 0.0
        hint = (1 - self.tokens) / self.per_second if self.hint else 0.0
        return "rate_limit", 0.01, hint


class Serial:
    """Answers one request after the other, also those that were given up."""

    def __init__(self, seconds, timeout=60.0):
        self.seconds, self.timeout = seconds, timeout
        self.free = 0.0

    def __call__(self, now):
        self.free = max(self.free, now) + self.seconds
        wait = self.free - now
        return (ANSWERED, wait, 0.0) if wait < self.timeout else ("timeout", 60.0, 0.0)


class Parallel:
    """Answers whatever comes, after a while that varies."""

    def __init__(self, seconds):
        self.seconds, self.random = seconds, random.Random(0)

    def __call__(self, now):
        return ANSWERED, self.seconds * self.random.uniform(0.5, 1.5), 0.0


class Slots:
    """Refuses what is more than so many at once."""

    def __init__(self, n, seconds):
        self.n, self.seconds, self.ends = n, seconds, []

    def __call__(self, now):
        self.ends = [end for end in self.ends if end > now]
        if len(self.ends) >= self.n:
            return "rate_limit", 0.01, 0.0
        self.ends.append(now + self.seconds)
        return ANSWERED, self.seconds, 0.0


def simulate(server, n_calls, seed=0, **options):
    """Return the seconds and requests until all calls are answered, and the limit."""
    limit = CallLimit(16, **options)
    limit._random = random.Random(seed)
    now, n_sent, n_answered, under_way = 0.0, 0, 0, []
    while n_answered < n_calls:
        wait = None
        while wait is None and n_answered + len(under_way) < n_calls:
            turn, wait = limit.try_begin(now)
            if turn is not None:
                wait = None
                n_sent += 1
                outcome, seconds, hint = server(now)
                heapq.heappush(under_way, (now + seconds, n_sent, turn, outcome, hint))
        ends = [under_way[0][0]] if under_way else []
        now = min(ends + ([] if wait is None else [now + wait + 1e-6]))
        while under_way and under_way[0][0] <= now:
            _, _, turn, outcome, hint = heapq.heappop(under_way)
            limit.end(turn, now, outcome, hint)
            n_answered += outcome == ANSWERED
    return now, n_sent, limit


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hint", [True, False], ids=["hint", "no hint"])
@pytest.mark.parametrize("is_local", [True, False])
def test_five_requests_a_second(is_local, hint, seed):
    """60 calls can be made in 11 s; a client that learns needs little more."""
    seconds, n_sent, limit = simulate(
        Bucket(5, 5, 0.3, hint), 60, seed, is_local=is_local
    )
    assert seconds <= 1.5 * 11
    assert limit.n_refused == n_sent - 60
    assert limit.n_refused <= 0.13 * n_sent
    seconds, n_sent, _ = simulate(Bucket(5, 5, 0.3, hint), 300, seed, is_local=is_local)
    assert seconds <= 1.2 * 59
    assert n_sent - 300 <= 0.1 * n_sent


@pytest.mark.parametrize("seconds", [2.0, 25.0])
def test_a_serial_server_gets_no_queue(seconds):
    took, n_sent, limit = simulate(Serial(seconds, 600.0), 24, is_local=True)
    assert took == pytest.approx(24 * seconds)
    assert n_sent == 24
    assert limit.highest <= 4
    assert limit.limit <= 2


def test_a_slow_serial_server_is_not_asked_twice_for_long():
    """Unknown to be one's own: time-outs teach the same, at some cost."""
    _, n_sent, limit = simulate(Serial(10.0), 60)
    assert n_sent <= 1.5 * 60
    assert limit.lowest <= 4


@pytest.mark.parametrize("is_local", [True, False])
def test_a_parallel_server_is_used_in_full(is_local):
    seconds, n_sent, limit = simulate(Parallel(0.5), 1000, is_local=is_local)
    assert n_sent == 1000
    assert limit.highest == 16
    assert seconds <= 1.3 * 1000 * 0.5 / 16


@pytest.mark.parametrize("is_local", [True, False])
def test_a_server_with_four_slots(is_local):
    seconds, n_sent, _ = simulate(Slots(4, 0.05), 600, is_local=is_local)
    assert seconds <= 2.2 * 600 * 0.05 / 4
    assert n_sent <= 1.1 * 600


def test_one_call_finds_out():
    limit = CallLimit(16)
    turn, _ = limit.try_begin(0.0)
    assert limit.try_begin(0.0)[0] is None
    limit.end(turn, 1.0, "request")
    turn, _ = limit.try_begin(1.0)
    assert limit.try_begin(1.0)[0] is None  # still unknown whether it answers
    limit.end(turn, 2.0, ANSWERED)
    begun = [limit.try_begin(2.0)[0] for _ in range(6)]
    assert [turn is not None for turn in begun] == [True] * 4 + [False] * 2
    assert CallLimit(16, proven=True).limit == 4
    assert CallLimit(16, proven=True, is_local=True).limit == 2
    assert CallLimit(1, proven=True).limit == 1


def test_a_success_ends_the_strikes():
    """One that began before the pause, too: else they would only grow."""
    limit = CallLimit(8, proven=True)
    longest = []
    limit.draw_wait = lambda strikes: longest.append(strikes) or 0.1
    for start in range(20):
        first, second = (limit.try_begin(float(start))[0] for _ in range(2))
        if second is None:
            limit.end(first, start + 0.1, "rate_limit")
            turn, _ = limit.try_begin(start + 0.9)
            limit.end(turn, start + 0.95, ANSWERED)
            continue
        limit.end(first, start + 0.1, "rate_limit")
        limit.end(second, start + 0.2, ANSWERED)
    assert max(longest) <= 2


def test_one_cut_for_all_that_were_under_way():
    limit = CallLimit(16, proven=True)
    turns = [limit.try_begin(0.0)[0] for _ in range(4)]
    for turn in turns:
        limit.end(turn, 1.0, "server")
    assert limit.limit == pytest.approx(0.8 * 4)


def test_a_hint_is_kept_and_calls_then_begin_apart():
    limit = CallLimit(16, proven=True)
    for i in range(12):
        turn, _ = limit.try_begin(i / 4)
        limit.end(turn, i / 4 + 0.1, ANSWERED)
    turn, _ = limit.try_begin(3.0)
    limit.end(turn, 3.0, "rate_limit", 2.0)
    assert limit.try_begin(4.9)[0] is None
    first, _ = limit.try_begin(5.01)
    second, wait = limit.try_begin(5.01)
    assert first is not None
    assert second is None
    assert wait == pytest.approx(1 / (0.85 * 12 / 2.9), rel=0.05)


def test_the_gap_that_a_user_asks_for():
    limit = CallLimit(16, proven=True)
    assert limit.try_begin(0.0, gap=0.5)[0] is not None
    assert limit.try_begin(0.1, gap=0.5) == (None, 0.4)
    assert limit.try_begin(0.5, gap=0.5)[0] is not None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1234/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://localhost/v1", True),
        ("http://LOCALHOST./v1", True),
        ("http://192.168.1.5:8000/v1", True),
        ("http://gpu-node:8000/v1", True),
        ("http://box.local/v1", True),
        ("https://openrouter.ai/api/v1", False),
        ("https://8.8.8.8/v1", False),
        ("https://local.example.com/v1", False),
        ("", False),
    ],
)
def test_local_addresses(url, expected):
    assert is_local_address(url) is expected
