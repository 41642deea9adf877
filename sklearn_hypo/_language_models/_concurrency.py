"""How many calls are under way at once, and how soon the next one may begin.

Servers differ by four orders of magnitude: a laptop answers one call after the other,
a provider hundreds at once until its limit is reached. What a server bears is found out
by asking it: a few calls at first, more while that helps, fewer when it says no.
"""

import random
from collections import deque
from typing import NamedTuple

# One call alone finds out whether the server answers at all; then so many.
_FIRST = 4
_FIRST_LOCAL = 2

# Until something is refused, so much of a call more with each answer.
_RISE = 0.5

# What is left of the calls under way after a limit, an overload, or a lost call...
_FEWER = {"rate_limit": 0.7, "server": 0.8, "connection": 0.8, "timeout": 0.5}
# ...and after how many rounds of answers there is one more again.
_ROUNDS = 4

# After a limit, calls begin at this share of the pace that was borne, and a little
# faster with each answer.
_SLOWER = 0.85
_FASTER = 1.01
_FEWEST_TIMED = 3

# On a server of one's own, twice as many calls have to be answered this much faster.
# What a level gives is judged by so many answers per call under way; where it did not
# help, it is tried again after so many.
_HELPS = 1.2
_JUDGED_BY = 2
_TRIED_AGAIN = 100

# Exponential backoff with full jitter: up to so many seconds, doubled each time.
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0


class Turn(NamedTuple):
    """A call that has begun.

    Attributes
    ----------
    began : float
        When, by the clock of the limit.
    level : int
        How often the number of calls had changed before.
    """

    began: float
    level: int


class CallLimit:
    """The calls to one server; all times are given, so that there is no clock in it.

    A provider: after the first answer, four calls; one more with every other answer,
    until a 429, an overload or a time-out; then fewer, and one more after four rounds
    of answers. After a 429, calls also keep a distance in time, so that they do not all
    begin again at once. This is additive increase, multiplicative decrease. [1]_

    A server of one's own: after the first answer, two calls; then twice as many as long
    as answers come faster for it. A model that answers one after the other is not given
    a queue, in which calls would time out.

    Parameters
    ----------
    most : int
        Calls under way at once, at most.
    is_local : bool
        Whether the server is one's own; see `_addresses`.
    proven : bool
        Whether it is known to answer.

    Attributes
    ----------
    limit : float
        How many calls may be under way now.
    n_under_way : int
        How many are.
    highest, lowest : int
        The most calls that were ever under way, and to how few the limit fell.
    n_refused : int
        Calls that were answered with a 429.

    References
    ----------
    .. [1] Chiu and Jain 1989, "Analysis of the increase and decrease algorithms for
       congestion avoidance in computer networks", Computer Networks 17(1).
    """

    def __init__(self, most, *, is_local=False, proven=False):
        self.most = most
        self.is_local = is_local
        self.n_under_way = 0
        self.n_refused = 0
        self.highest = 0
        self._first = min(most, _FIRST_LOCAL if is_local else _FIRST)
        self.limit = float(self._first if proven else 1)
        self.lowest = most
        self._proven = proven
        self._rises = True  # until something is refused, or does not help
        self._searches = is_local  # by judging what twice as many calls give
        self._level = 0  # changes with the limit
        self._n_answered = 0  # at this level
        self._level_began = None
        self._speed_before = None  # answers per second, with half as many calls
        self._paused_until = self._next_start = 0.0
        self._pace = None  # calls per second
        self._cut_at = None
        self._answered = deque(maxlen=1000)
        self._strikes = 0
        # Only spreads waiting times; no result depends on it.
        self._random = random.Random()

    # Before a call

    def try_begin(self, now, gap=0.0):
        """Begin a call, if one may begin now.

        Parameters
        ----------
        now : float
            In seconds.
        gap : float, default=0.0
            Seconds from this call to the next, which the user asks for.

        Returns
        -------
        turn : Turn or None
            To be given back by `end`. None: not yet.
        wait : float
            Seconds until it is worth trying again, if no call ends before.
        """
        if self.n_under_way >= max(1, int(self.limit)):
            return None, _LONGEST_WAIT
        ready = max(self._paused_until, self._next_start)
        if ready > now:
            return None, ready - now
        if self._pace is not None:
            gap = max(gap, 1 / self._pace)
        self._next_start = max(now, self._next_start) + gap
        self.n_under_way += 1
        self.highest = max(self.highest, self.n_under_way)
        if self._level_began is None:
            self._level_began = now
        return Turn(now, self._level), 0.0

    # After a call

    def end(self, turn, now, outcome, hint=0.0):
        """Learn from what became of a call.

        Parameters
        ----------
        turn : Turn
            From `try_begin`.
        now : float
            In seconds.
        outcome : str
            "answered"; a kind of `CallFailure`; or "" for a call that was not made.
        hint : float, default=0.0
            Seconds that the server asks to wait.
        """
        was_full = self.n_under_way >= int(self.limit)
        self.n_under_way -= 1
        if outcome == "answered":
            self._strikes = 0
            self._answered.append(now)
            self._grow(turn, now, was_full)
        elif outcome in _FEWER:
            if outcome == "rate_limit":
                self.n_refused += 1
            self._shrink(turn, now, outcome)
            if outcome == "rate_limit":
                wait = hint or self.draw_wait(self._strikes)
                self._paused_until = max(self._paused_until, now + wait)

    def draw_wait(self, attempt):
        """Draw the seconds to wait before an attempt is repeated."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempt - 1))
        return self._random.uniform(0.0, longest)

    def _shrink(self, turn, now, outcome):
        """Allow fewer calls, once for all that were under way at the same time."""
        if self._cut_at is not None and turn.began < self._cut_at:
            return
        if outcome == "rate_limit":
            self._strikes += 1
            self._slow_down(now)
        self._rises = False
        # a server that says when it has enough can be asked for one more at a time
        self._searches = self.is_local and outcome != "rate_limit"
        self._cut_at = now
        self._speed_before = None
        self._set_limit(self.limit * _FEWER[outcome])

    def _slow_down(self, now):
        """Set the pace to a little less than what was borne since the last limit."""
        since = self._cut_at
        times = [t for t in self._answered if since is None or t > since]
        borne = None
        if len(times) >= _FEWEST_TIMED:
            began = times[0] if since is None else since
            borne = len(times) / max(now - began, 1e-3)
        paces = [pace for pace in (borne, self._pace) if pace is not None]
        if paces:
            self._pace = _SLOWER * min(paces)

    def _grow(self, turn, now, was_full):
        self._n_answered += turn.level == self._level
        if not self._proven:
            self._proven = True
            self._set_limit(max(self.limit, self._first))
        elif self._searches:
            self._try_twice_as_many(now)
        elif was_full:
            step = _RISE if self._rises else 1.0 / (_ROUNDS * self.limit)
            self._set_limit(self.limit + step)
        if self._pace is not None:
            self._pace *= _FASTER
            if self._pace > 2 * self._most_that_can_begin(turn, now):
                self._pace = None

    def _most_that_can_begin(self, turn, now):
        """Return the calls per second that begin if none waits for the pace."""
        return self.most / max(now - turn.began, 1e-3)

    def _try_twice_as_many(self, now):
        """Judge what this many calls give, when enough of them were answered."""
        n_calls = int(self.limit)
        if not self._rises:
            # it did not help, or a call was lost: not again for a while
            self._rises = self._n_answered >= _TRIED_AGAIN
            return
        if self._n_answered < _JUDGED_BY * n_calls:
            return
        speed = self._n_answered / max(now - self._level_began, 1e-9)
        before, self._speed_before = self._speed_before, None
        if before is not None and speed < _HELPS * before:
            self._rises = False
            self._set_limit(n_calls / 2)
        elif n_calls < self.most:
            self._speed_before = speed
            self._set_limit(2 * n_calls)
        else:
            self._rises = False

    def _set_limit(self, limit):
        limit = min(float(self.most), max(1.0, limit))
        if int(limit) != int(self.limit):
            self._level += 1
            self._n_answered = 0
            self._level_began = None
        if limit < self.limit:
            self.lowest = min(self.lowest, int(limit))
        self.limit = limit
