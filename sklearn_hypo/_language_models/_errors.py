"""What an exception of an SDK means: try again, go on without, or stop.

The SDKs raise three families of exceptions between them, and more than one kind of
each for the same fact; they are told apart by what they carry, not by their classes.
"""

import json
import re
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from ._error_bodies import (
    describe_body,
    find_codes,
    find_details,
    find_error_object,
    find_parameter,
    find_share,
    is_no_such_path,
    is_too_long,
    read_body,
    was_flagged,
)

# The call is repeated, after a while.
TRANSIENT = ("rate_limit", "server", "connection", "timeout", "malformed")

# No call with this key and model can succeed: the run stops.
FATAL = ("quota", "authentication", "forbidden", "model", "address")

_QUOTA_CODES = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
}
# What codes stand for where no status comes with them.
_STATUSES = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 402,
    "invalid_prompt": 400,
    "invalid_request_error": 400,
}
_BLOCK_CODES = {"content_filter", "content_policy_violation"}

# Go's way to write a duration, as OpenAI and its likes do: hours to milliseconds.
_RESET = re.compile(
    r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
)
_UNITS = (3600, 60, 1, 0.001)

_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")


class MalformedReplyError(Exception):
    """A reply that is not what the protocol says, although the server said 200."""


class ErrorReplyError(Exception):
    """An error in the body of a reply whose status is 200, as the error says."""

    def __init__(self, body):
        super().__init__(describe_body(body))
        self.status_code = _find_status_in(body)
        self.body = body


# Also JSON that is not UTF-8, or nested without end.
_UNREADABLE = (
    MalformedReplyError,
    json.JSONDecodeError,
    UnicodeDecodeError,
    RecursionError,
)

# No connection was made, so nothing was sent.
_NOT_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")


class CallFailure(NamedTuple):
    """What went wrong.

    Attributes
    ----------
    kind : str
        One of `TRANSIENT` and `FATAL`; "blocked", for a prompt that a filter
        refused; "too_long", for one that the model has no room for; or "request", for
        one that the server refused for another reason. "forbidden" may be the key,
        or something in the way that dislikes a text.
    detail : str
        What the provider said, one line.
    hint : float
        Seconds that the provider asks to wait; 0 if it does not say.
    billed : bool
        Whether the call may cost something all the same.
    parameter : str
        Which of `PARAMETERS` the server refuses, such as "response_format" or
        "system"; "" if it names none. The kind is then "request", whatever the
        status.
    share : float or None
        Of a prompt that is too long, which share of it fits; None if that is not
        known.
    """

    kind: str
    detail: str
    hint: float = 0.0
    billed: bool = False
    parameter: str = ""
    share: float | None = None


def raise_error_in(body):
    """Raise the error that a reply of OpenAI's protocol holds, if it holds one.

    Gateways report what became of a call after they have sent the status. An answer
    that came all the same is used.
    """
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else {}
    choice = choice if isinstance(choice, dict) else {}
    if choice.get("finish_reason") == "error" or body.get("status") == "failed":
        error = choice.get("error") or body.get("error") or "the answer broke off"
    elif any(body.get(name) for name in ("choices", "output", "answers", "data")):
        return
    else:
        error = body.get("error")
    if error:
        raise ErrorReplyError({"error": error})


def classify_error(error, now, secrets=()):
    """Return the CallFailure that an exception of an SDK means.

    It is None for an exception that has nothing to do with a call. `now` is the time,
    with its zone, for hints that name a date; `secrets` are taken out of what the
    provider said.
    """
    failure = _classify(error, now)
    if failure is None:
        return None
    detail = failure.detail
    for secret in secrets:
        detail = detail.replace(secret, "***")
    # cut last, lest a part of a secret stays
    return failure._replace(detail=" ".join(detail.split())[:300])


def _classify(error, now):
    if isinstance(error, _UNREADABLE):
        return CallFailure("malformed", f"unreadable reply: {error}", billed=True)
    status = _find_status(error)
    if status is None or 200 <= status < 300:
        return _classify_by_name(error)
    body = read_body(error)
    kind, parameter, share = _find_kind(status, error, body), "", None
    if kind == "request" or status in (500, 501):
        # repeating it is of no use, even if the server says 500
        if is_too_long(body):
            kind, share = "too_long", find_share(body)
        else:
            parameter = find_parameter(error, body)
            kind = "request" if parameter else kind
    detail = f"HTTP {status}: {_find_message(error, body)}"
    hint = max(_read_header_hint(error, now), _read_body_hint(body))
    return CallFailure(kind, detail, hint, parameter=parameter, share=share)


def _find_status(error):
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _find_status_in(body):
    """Return the status that an error in a body stands for."""
    for code in find_codes(body):
        if code.isdecimal() and 400 <= int(code) < 600:
            return int(code)
    codes = find_codes(body)
    return next((_STATUSES[code] for code in codes if code in _STATUSES), 502)


def _classify_by_name(error):
    name = type(error).__name__
    module = type(error).__module__.partition(".")[0]
    detail = f"{name}: {_describe_connection(error)}"
    was_sent = not any(name in _NOT_SENT for name in (name, _name_cause(error)))
    if "Timeout" in name:
        return CallFailure("timeout", detail, billed=was_sent)
    if "Connection" in name or module in ("httpx2", "httpx"):
        return CallFailure("connection", detail, billed=was_sent)
    if module in ("openai", "google", "pydantic", "pydantic_core"):
        return CallFailure("malformed", detail, billed=True)
    return None


def _describe_connection(error):
    """Return what an error of the connection says, its cause, and the address."""
    said = [str(error).rstrip(". "), str(error.__cause__ or "")]
    if "Timeout" in type(error).__name__ or said[1] in said[0]:
        said.pop()
    address = _find_address(error)
    return ": ".join(filter(None, said)) + (f" at {address}" if address else "")


def _find_address(error):
    """Return where a request went, without user name, password and query."""
    try:
        url = urlsplit(str(error.request.url))
    except (AttributeError, RuntimeError, ValueError):  # httpx: "has not been set"
        return ""
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


def _says_key_is_bad(error, body):
    return _find_message(error, body).startswith("API key not valid")


def _name_cause(error):
    return type(error.__cause__).__name__


def _find_kind(status, error, body):
    # Messages are not searched: they may repeat a text that was sent.
    codes = {str(getattr(error, "code", "")), *find_codes(body)}
    if codes & _BLOCK_CODES or was_flagged(body):
        return "blocked"
    if 300 <= status < 400:
        return "address"
    if status == 401 or "API_KEY_INVALID" in codes or _says_key_is_bad(error, body):
        return "authentication"
    if status == 403:
        return "forbidden"
    if status == 402 or codes & _QUOTA_CODES or (status == 429 and _is_daily(body)):
        return "quota"
    if status == 429:
        return "rate_limit"
    if status == 404:
        return "address" if is_no_such_path(body) else "model"
    if status == 413:
        return "too_long"
    if status in (408, 409, 425) or status >= 500:
        return "server"
    return "request"


def _is_daily(body):
    """Whether a quota of a day is spent, and not one of a minute."""
    violations = [detail.get("violations") for detail in find_details(body)]
    return "PerDay" in json.dumps(violations, default=str)


def _find_message(error, body):
    place = _read_redirect(error)
    if place:
        return f"it has moved to {place}, where nothing was sent"
    message = describe_body(body) or str(getattr(error, "message", None) or error)
    parameter = getattr(error, "param", None) or find_error_object(body).get("param")
    return f"{message} (parameter {parameter!r})" if parameter else message


def _read_redirect(error):
    """Return where a server says that it has moved to, without parameters."""
    response = getattr(error, "response", None)
    if not 300 <= (getattr(response, "status_code", None) or 0) < 400:
        return ""
    return urlsplit(response.headers.get("location", ""))._replace(query="").geturl()


def _read_header_hint(error, now):
    """Read retry-after-ms, retry-after as seconds or as a date, else what is reset."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    headers = headers if headers is not None else getattr(error, "headers", None)
    if not hasattr(headers, "get"):
        return 0.0
    milliseconds = _read_number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _read_number(value)
    if seconds is not None:
        return seconds
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError):
        return _read_reset(headers)


def _read_reset(headers):
    """Read when a limit that is used up is reset, such as "1s", "6m0s" or "20ms"."""
    waits = [0.0]
    for limit in ("requests", "tokens"):
        value = str(headers.get(f"x-ratelimit-reset-{limit}") or "").strip()
        left = _read_number(headers.get(f"x-ratelimit-remaining-{limit}"))
        parts = _RESET.fullmatch(value)
        if left == 0 and parts:
            waits.append(
                sum(
                    float(number) * seconds
                    for number, seconds in zip(parts.groups(), _UNITS, strict=True)
                    if number is not None
                )
            )
    return max(waits)


def _read_number(value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < float("inf") else None


def _read_body_hint(body):
    """Read google.rpc.RetryInfo."""
    for detail in find_details(body):
        if str(detail.get("@type")).endswith("RetryInfo"):
            duration = _DURATION.fullmatch(str(detail.get("retryDelay")))
            return float(duration.group(1)) if duration else 0.0
    return 0.0
