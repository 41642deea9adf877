"""The two endpoints that answer yes/no questions with probabilities, and finding one.

OpenAI's ``/decisions``, which SGLang and Fireworks serve as well, takes a list of
questions; System One's ``/systemone`` of `transformers serve` an object of them.
"""

import threading
from dataclasses import replace

from ..exceptions import LanguageModelError
from ._errors import MalformedReplyError

DECISION_PATHS = {"decisions": "/decisions", "systemone": "/systemone"}

# Questions in one request. Layouts know the first limit, not what a server will have.
_MOST_QUESTIONS = {"decisions": None, "systemone": 64}

# What a server says to a path that it does not know.
_UNKNOWN_PATH = (404, 405, 501)

# Which of them the server of a model has, as long as this process lasts.
_FOUND = {}


class DecisionEndpoint:
    """The endpoint of one connection.

    Parameters
    ----------
    model : OpenAIModel
        Whose `decisions_api` says which. For "auto" the first call finds out, while
        the others wait for it.
    """

    def __init__(self, model):
        self._model = model
        self._key = (model.server(), model.model)
        self._finding = threading.Lock()
        self._nothing_found = None

    def ask(self, post, questions):
        """Return the JSON of the replies; `post` takes a path and a body."""
        api = self._api()
        if api is None:
            with self._finding:
                api = self._api()
                if api is None and self._nothing_found is not None:
                    raise self._nothing_found
                if api is None:
                    return self._find(post, questions)
        try:
            return self._post(post, api, questions)
        except Exception as error:
            if not (is_unknown_path(error) and _FOUND.pop(self._key, None)):
                raise
        return self._find(post, questions)  # another program has taken its place

    def _api(self):
        if self._model.decisions_api != "auto":
            return self._model.decisions_api
        # the vendor has no other
        return _FOUND.get(self._key) if self._model.server() else "decisions"

    def _post(self, post, api, questions):
        return [
            post(
                DECISION_PATHS[api], build_decisions_body(api, self._model.model, part)
            )
            for part in divide_questions(questions, _MOST_QUESTIONS[api])
        ]

    def _find(self, post, questions):
        refusals = []
        for api in DECISION_PATHS:
            try:
                reply = self._post(post, api, questions)
            except Exception as error:
                if not is_unknown_path(error):
                    raise
                refusals.append(error)
            else:
                _FOUND[self._key] = api
                return reply
        if getattr(refusals[0], "code", None) == "model_not_found":
            raise refusals[0]
        self._nothing_found = LanguageModelError(
            f"layout='decisions': the server of {str(self._model)!r} has neither "
            f"{' nor '.join(DECISION_PATHS.values())} (it said: "
            f"{str(refusals[0])[:200]}). Use layout='stacked' or 'single', or "
            "layout='logprobs' for probabilities.",
            reason="request",
        )
        raise self._nothing_found from refusals[0]


def is_unknown_path(error):
    """Whether a server may not know the path that was asked for."""
    return getattr(error, "status_code", None) in _UNKNOWN_PATH


def divide_questions(questions, most):
    """Divide `DecisionQuestions` into parts of at most so many; None: no limit."""
    named = list(questions.questions.items())
    most = most or len(named)
    return [
        replace(questions, questions=dict(named[start : start + most]))
        for start in range(0, len(named), most)
    ]


def build_decisions_body(api, model, questions):
    """Build the body of a request with the questions of a `DecisionQuestions`."""
    asked = questions.questions.items()
    if api == "systemone":
        nouls = {n: {"type": "noul", "instructions": q} for n, q in asked}
        return {"model": model, "state": questions.text, "questions": nouls}
    return {
        "model": model,
        "input": questions.text,
        "questions": [
            {"type": "predicate", "name": name, "instructions": question}
            for name, question in asked
        ],
    }


def read_decision_answers(body):
    """Return the probabilities, by name, in a reply of either kind; None: declined."""
    try:
        given = body["answers"]
        if isinstance(given, dict):
            return {str(name): _read_answer(answer) for name, answer in given.items()}
        answers = {str(answer["name"]): _read_answer(answer) for answer in given}
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedReplyError(f"no answers: {body}") from error
    if len(answers) != len(given):
        raise MalformedReplyError(f"two answers of one name: {body}")
    return answers


def _read_answer(answer):
    if answer.get("type") == "refusal":
        return None
    return answer.get("probability", answer.get("noul"))
