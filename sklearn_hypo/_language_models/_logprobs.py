"""P(yes) from the log-probabilities that servers give with a chat answer.

Read are the `logprobs` of Chat Completions, as OpenAI, vLLM, SGLang, llama.cpp and
LiteLLM write them: tokens, each with the most probable ones in its place.
"""

from ..exceptions import LanguageModelError
from ._errors import MalformedReplyError
from ._loose_json import strip_wrapping
from ._values import ANSWERED, CUT, UNPARSABLE
from ._yes_no import compute_yes_probability, is_blank, read_word

# So many tokens are asked for, if the model has no limit of its own. Models that do as
# they are told need one; some begin with a line break, or with an empty thought.
WORD_TOKENS = 8

# Alternatives that are asked for, and those that every server gives which gives any.
MOST_ALTERNATIVES = 20
FEW_ALTERNATIVES = 5

_THINKING = ("reasoning_content", "reasoning")
_BEGINS_THINKING = ("<think", "<|channel")


def read_word_reply(reply, body, model, *, proven=False):
    """Turn the Reply of `read_chat` into one whose content is P(yes), if there is one.

    `body` is the JSON that it was read from. A server without log-probabilities, and a
    model that thinks where an answer should be, are LanguageModelErrors: no further
    call can bring what is asked for. Unless the model is `proven` to answer as it
    should: then this is one reply that went wrong.
    """
    if reply.outcome not in (ANSWERED, CUT, UNPARSABLE):
        return reply
    message = body["choices"][0]["message"]
    is_silent = reply.outcome == CUT and not message.get("content")
    tokens = _list_tokens(body)
    if is_silent or reply.only_reasoned or _thinks(message, tokens or []):
        place = _find_last_word(message, tokens or [])
        if place is None and model.max_output_tokens is None and not proven:
            raise _thinking_error(model)
        if place is None:
            return reply._replace(outcome=CUT, content=None)
    elif tokens is None and (proven or reply.outcome == UNPARSABLE):
        detail = reply.detail or "no log-probabilities"
        return reply._replace(outcome=UNPARSABLE, content=None, detail=detail)
    elif tokens is None:
        raise no_logprobs_error(model, "its replies hold none")
    else:
        place = next((place for place in tokens if not is_blank(place[0])), None)
    probability = None if place is None else compute_yes_probability(place[1])
    if probability is None:
        words = "".join(token for token, _ in tokens or [])[:80]
        detail = f"neither yes nor no is likely where the answer begins: {words!r}"
        return reply._replace(outcome=UNPARSABLE, content=None, detail=detail)
    return reply._replace(
        outcome=ANSWERED, content=probability, detail="", only_reasoned=False
    )


def _list_tokens(body):
    """Return (token, [(alternative, log-probability), ...]) of each token, or None."""
    given = body["choices"][0].get("logprobs")
    content = given.get("content") if isinstance(given, dict) else None
    if not content:
        return None
    try:
        return [
            (
                place["token"],
                [
                    (one["token"], float(one["logprob"]))
                    for one in place.get("top_logprobs") or [place]
                ],
            )
            for place in content
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedReplyError(f"log-probabilities: {content}") from error


def _thinks(message, tokens):
    written = "".join(token for token, _ in tokens).lstrip()
    apart = any(message.get(name) for name in _THINKING)
    return apart or written.startswith(_BEGINS_THINKING)


def _find_last_word(message, tokens):
    """Return the yes or no at the end of an answer that follows thoughts, or None."""
    answer = strip_wrapping(message.get("content") or "")
    if not answer or answer.startswith(_BEGINS_THINKING):
        return None
    said = [place for place in tokens if read_word(place[0]) is not None]
    return said[-1] if said else None


def is_about_logprobs(error, prompt):
    """Whether a server refuses a request because of its log-probabilities."""
    said = f"{getattr(error, 'param', None)} {error}"
    is_refusal = getattr(error, "status_code", None) in (400, 404, 422, 501)
    return is_refusal and "logprobs" in said and "logprobs" not in prompt.user


def no_logprobs_error(model, why):
    """Return the LanguageModelError for a server that gives no log-probabilities."""
    return LanguageModelError(
        f"layout='logprobs': {str(model)!r} gives no log-probabilities ({why}). Use "
        "layout='stacked' or 'single', which read its answer in words; or "
        "layout='decisions' where the server has that endpoint.",
        reason="request",
    )


def _thinking_error(model):
    return LanguageModelError(
        f"layout='logprobs': {str(model)!r} thinks before it answers, so that its "
        "first word is not the answer. Switch that off (reasoning_effort='none', or "
        "what its server calls it, such as extra_body={'chat_template_kwargs': "
        "{'enable_thinking': False}}), use layout='stacked', or set "
        "max_output_tokens= to give it room, at the price of all it thinks.",
        reason="unusable",
    )
