"""Files and batch jobs of both vendors."""

import json
import random
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from . import _gemini, _openai
from ._faults import ERRORS
from ._mind import share
from ._wire import BadRequest, Route

__all__ = ["Batches"]

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_FIELD = re.compile(rb'name="([^"]*)"(?:; filename="([^"]*)")?')
_WAITING = ("validating", "in_progress")
# of OpenAI: at the end of a job
_STATES = {
    "completed": "SUCCEEDED",
    "failed": "FAILED",
    "expired": "EXPIRED",
    "cancelled": "CANCELLED",
}
_RUNNING_STATES = {"validating": "PENDING", "in_progress": "RUNNING"}


class _MissingError(Exception):
    """There is no such file or job."""


@dataclass
class Job:
    """A batch of either vendor; `status` is what OpenAI calls it."""

    id: str
    vendor: str
    route: Route
    requests: list
    given: dict = field(default_factory=dict)
    status: str = "validating"
    polls: int = 0
    results: list = field(default_factory=list)  # (request, status, body), in order
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: list = field(default_factory=list)

    @property
    def is_done(self):
        return self.status not in _WAITING


class Batches:
    """Keeps files and jobs.

    Parameters
    ----------
    service : Service
        Answers the requests of a job when it ends.
    """

    def __init__(self, service):
        self.service = service
        self.files = {}
        self.jobs = {}

    def handle(self, call, route, request):
        """Return status and body for a route of files or batches."""
        vendor = "openai" if route.vendor is _openai else "gemini"
        found = getattr(self, f"_{vendor}_{route.name}")
        try:
            return found(call, route, request)
        except _MissingError:
            bad = BadRequest(f"No such object: {route.params.get('id')}")
            return 404, route.vendor.rejection(404, bad)

    # -- what both have

    def _job(self, vendor, id_):
        job = self.jobs.get(id_)
        if job is None or job.vendor != vendor:
            raise _MissingError
        return job

    def _newest_first(self, vendor):
        return [job for job in self.jobs.values() if job.vendor == vendor][::-1]

    def _page_size(self, asked):
        return min(int(asked), self.service.settings.jobs_per_page or int(asked))

    def _add(self, job):
        self.jobs[job.id] = job
        if not job.is_done and self.service.settings.batch_polls == 0:
            self._finish(job)
        return job

    def _poll(self, job):
        """Go on with a job when somebody asks for it."""
        if job.is_done:
            return
        if job.polls >= self.service.settings.batch_polls:
            self._finish(job)
        else:
            job.status = "in_progress"
        job.polls += 1

    def _finish(self, job):
        outcome = self.service.settings.batch_outcome
        done = job.requests
        if outcome == "failed":
            job.errors = [{"code": "internal_error", "message": "The batch failed."}]
            done = []
        elif outcome == "expired":
            done = done[: len(done) // 2]
        job.results = [(given, *self._run(job, given)) for given in done]
        job.status = outcome
        if job.vendor == "openai":
            self._write_files(job)

    def _run(self, job, given):
        """Answer one request of a job; return status and body."""
        service, vendor = self.service, job.route.vendor
        service.stats.batch_requests += 1
        try:
            ask = vendor.read(job.route, given["body"])
        except (BadRequest, ValueError, KeyError, TypeError, AttributeError) as bad:
            return 400, vendor.rejection(400, BadRequest(str(bad)))
        service.count_asked(ask)
        fault = service.faults.draw_permanent(job.route.kind, ask.content)
        if service.is_unknown(ask.model):
            fault = "unknown_model"
        rate = service.settings.batch_error_rate
        if fault is None and share(service.seed, "batch", *ask.content) < rate:
            fault = "server_500"
        if fault in ERRORS or (fault == "blocked_prompt" and vendor is _openai):
            return vendor.error(fault, ask.model)[:2]
        finished, receipt = service.complete(job.route, ask, fault)
        service.settle(receipt, in_batch=True)
        return 200, vendor.write(job.route, ask, finished)

    # -- OpenAI: files

    def _store(self, data, filename, purpose):
        id_ = f"file-{len(self.files)}"
        about = {
            "id": id_,
            "object": "file",
            "bytes": len(data),
            "created_at": 0,
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
        }
        self.files[id_] = (about, data)
        return about

    def _openai_file_create(self, call, route, request):
        parts = _read_multipart(request)
        if "file" not in parts:
            raise BadRequest("file is required", "file")
        filename, data = parts["file"]
        purpose = parts.get("purpose", (None, b"batch"))[1].decode()
        return 200, self._store(data, filename, purpose)

    def _openai_file_list(self, call, route, request):
        purpose = _read_query(request).get("purpose")
        files = [
            about
            for about, data in self.files.values()
            if data is not None and purpose in (None, about["purpose"])
        ]
        return 200, {"object": "list", "data": files, "has_more": False}

    def _openai_file(self, call, route, request):
        return 200, self._file(route)[0]

    def _openai_file_content(self, call, route, request):
        return 200, self._file(route)[1]

    def _openai_file_delete(self, call, route, request):
        about, _ = self._file(route)
        self.files[about["id"]] = (about, None)  # ids are not used again
        return 200, {"id": about["id"], "object": "file", "deleted": True}

    def _file(self, route):
        about, data = self.files.get(route.params["id"], (None, None))
        if data is None:
            raise _MissingError
        return about, data

    # -- OpenAI: batches

    def _openai_batch_create(self, call, route, request):
        call.body = body = json.loads(request.body)
        data = self.files.get(body.get("input_file_id"), (None, None))[1]
        if data is None:
            raise BadRequest("no such input_file_id", "input_file_id")
        endpoint = _openai.match("POST", body.get("endpoint", ""))
        if endpoint is None or endpoint.kind not in ("generate", "embed"):
            raise BadRequest("the endpoint has no batches", "endpoint")
        job = Job(f"batch_{len(self.jobs)}", "openai", endpoint, [], given=body)
        try:
            job.requests = [json.loads(line) for line in data.decode().splitlines()]
            job.errors = _line_errors(job.requests, body["endpoint"])
        except ValueError:
            job.errors = [{"code": "invalid_json_line", "message": "not JSON"}]
        if job.errors:
            job.status = "failed"
        return 200, _openai_job(self._add(job))

    def _openai_batch(self, call, route, request):
        job = self._job("openai", route.params["id"])
        self._poll(job)
        return 200, _openai_job(job)

    def _openai_batch_cancel(self, call, route, request):
        job = self._job("openai", route.params["id"])
        if job.is_done:
            raise BadRequest(f"Cannot cancel a batch with status '{job.status}'.")
        job.status = "cancelled"
        return 200, _openai_job(job)

    def _openai_batch_list(self, call, route, request):
        query = _read_query(request)
        jobs = self._newest_first("openai")
        start = 0
        if "after" in query:
            start = [job.id for job in jobs].index(query["after"]) + 1
        page = jobs[start : start + self._page_size(query.get("limit", 20))]
        more = bool(page) and page[-1] is not jobs[-1]
        data = [_openai_job(job) for job in page]
        return 200, {"object": "list", "data": data, "has_more": more}

    def _write_files(self, job):
        """Write what came of the requests into files, in any order."""
        lines = {True: [], False: []}
        for number, (given, status, body) in enumerate(job.results):
            line = {
                "id": f"batch_req_{number}",
                "custom_id": given["custom_id"],
                "response": {"status_code": status, "request_id": "r", "body": body},
                "error": None,
            }
            lines[status == 200].append(line)
        if job.status == "expired":
            for given in job.requests[len(job.results) :]:
                error = {"code": "batch_expired", "message": "not done in time"}
                line = {"id": "batch_req_x", "custom_id": given["custom_id"]}
                lines[False].append({**line, "response": None, "error": error})
        job.output_file_id = self._write_lines(job, lines[True], "output")
        job.error_file_id = self._write_lines(job, lines[False], "error")

    def _write_lines(self, job, lines, kind):
        if not lines:
            return None
        random.Random(f"{self.service.seed} {job.id} {kind}").shuffle(lines)
        written = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        about = self._store(written.encode(), f"{job.id}_{kind}.jsonl", "batch_output")
        return about["id"]

    # -- Gemini

    def _gemini_batch_create(self, call, route, request):
        call.body = body = json.loads(request.body)
        batch = body["batch"]
        model = route.params["model"]
        if self.service.is_unknown(model):
            status, error, _ = _gemini.error("unknown_model", model)
            return status, error
        listed = batch["inputConfig"]["requests"]["requests"]
        requests = [
            {"body": entry["request"], "metadata": entry.get("metadata")}
            for entry in listed
        ]
        endpoint = Route(_gemini, "generate", "", "generate", {"model": model})
        job = Job(f"b{len(self.jobs)}", "gemini", endpoint, requests, given=batch)
        return 200, _gemini_job(self._add(job))

    def _gemini_batch(self, call, route, request):
        job = self._job("gemini", route.params["id"])
        self._poll(job)
        return 200, _gemini_job(job)

    def _gemini_batch_cancel(self, call, route, request):
        job = self._job("gemini", route.params["id"])
        if not job.is_done:
            job.status = "cancelled"
        return 200, {}

    def _gemini_batch_delete(self, call, route, request):
        del self.jobs[self._job("gemini", route.params["id"]).id]
        return 200, {}

    def _gemini_batch_list(self, call, route, request):
        query = _read_query(request)
        jobs = self._newest_first("gemini")
        start = int(query.get("pageToken", 0))
        end = start + self._page_size(query.get("pageSize", 50))
        listed = {"operations": [_gemini_job(job) for job in jobs[start:end]]}
        return 200, listed | ({"nextPageToken": str(end)} if end < len(jobs) else {})


def _read_query(request):
    return dict(parse_qsl(request.path.partition("?")[2]))


def _read_multipart(request):
    """Return name -> (filename, data) of the parts of a form."""
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is None:
        raise BadRequest("a multipart form is needed")
    parts = {}
    for part in request.body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        name = _FIELD.search(head)
        if name:
            filename = name[2].decode() if name[2] else None
            parts[name[1].decode()] = (filename, data.removesuffix(b"\r\n"))
    return parts


def _line_errors(requests, endpoint):
    """Return what is wrong with the lines of an input file."""
    errors, seen = [], set()
    for number, given in enumerate(requests):
        problem = None
        if not isinstance(given, dict) or not given.get("custom_id"):
            problem = "missing_required_parameter"
        elif given["custom_id"] in seen:
            problem = "duplicate_custom_id"
        elif given.get("method") != "POST" or not isinstance(given.get("body"), dict):
            problem = "invalid_request"
        elif given.get("url") != endpoint:
            problem = "mismatched_endpoint"
        else:
            seen.add(given["custom_id"])
        if problem:
            errors.append({"code": problem, "line": number + 1, "message": problem})
    return errors if requests else [{"code": "empty_file", "message": "empty_file"}]


def _openai_job(job):
    n_good = sum(status == 200 for _, status, _ in job.results)
    counts = {"total": len(job.requests), "completed": n_good}
    counts["failed"] = len(job.results) - n_good
    body = {
        "id": job.id,
        "object": "batch",
        "endpoint": job.given.get("endpoint"),
        "errors": {"object": "list", "data": job.errors} if job.errors else None,
        "input_file_id": job.given.get("input_file_id"),
        "completion_window": job.given.get("completion_window", "24h"),
        "status": job.status,
        "output_file_id": job.output_file_id,
        "error_file_id": job.error_file_id,
        "created_at": 0,
        "request_counts": counts,
        "metadata": job.given.get("metadata"),
    }
    if job.is_done:
        body[f"{job.status}_at"] = 1
    return body


def _gemini_job(job):
    state = {**_STATES, **_RUNNING_STATES}[job.status]
    n_good = sum(status == 200 for _, status, _ in job.results)
    about = {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main."
        "GenerateContentBatch",
        "name": f"batches/{job.id}",
        "model": f"models/{job.route.params['model']}",
        "displayName": job.given.get("displayName"),
        "state": f"BATCH_STATE_{state}",
        "createTime": "2026-01-01T00:00:00Z",
        "batchStats": {
            "requestCount": str(len(job.requests)),
            "successfulRequestCount": str(n_good),
            "failedRequestCount": str(len(job.results) - n_good),
        },
    }
    body = {"name": f"batches/{job.id}", "metadata": about}
    if not job.is_done:
        return body
    body["done"] = True
    if job.status == "failed":
        body["error"] = {"code": 13, "message": job.errors[0]["message"]}
        return body
    responses = [_inlined(*result) for result in job.results]
    if responses:
        about["output"] = {"inlinedResponses": {"inlinedResponses": responses}}
    return body


def _inlined(given, status, body):
    if status == 200:
        outcome = {"response": body}
    else:
        error = body["error"]
        outcome = {"error": {"code": error["code"], "message": error["message"]}}
    if given["metadata"] is not None:
        outcome["metadata"] = given["metadata"]
    return outcome
