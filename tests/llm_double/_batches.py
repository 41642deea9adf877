"""Files and batch jobs of both vendors."""

__all__ = ["Batches"]


class Batches:
    """Keeps files and jobs."""

    def __init__(self, service):
        self.service = service
