"""Whether what arrived can be drawn."""


def check_report(report, caller, *, needs, made_by="evaluate_hypotheses"):
    """Raise unless `report` has the fields that the drawing reads."""
    missing = [name for name in needs if not hasattr(report, name)]
    if missing:
        raise TypeError(
            f"{caller}: report= expects what {made_by} returns, but "
            f"{type(report).__name__} arrived, which has no {missing[0]!r}."
        )
