"""How far an encode is, told to callbacks."""

import contextlib


@contextlib.contextmanager
def tell_of_batch(estimator, context):
    """Tell the callbacks of one batch. A wish to stop is not granted half-way."""
    task = context.subcontext(task_name="batch")
    task.call_on_fit_task_begin(estimator=estimator)
    yield
    task.call_on_fit_task_end(estimator=estimator)
