"""Where to compute: one rule for every step that has a parameter `device`."""


def resolve_device(device):
    """Return the device to compute on.

    Parameters
    ----------
    device : str
        "auto", or a name that torch knows.

    Returns
    -------
    device : str
        For "auto": "cuda" if there is one, else "mps", else "cpu". Any other name as
        it is.

    Raises
    ------
    ValueError
        If torch does not know the device or cannot use it here.
    """
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used here ({error}). Use 'auto' or 'cpu'."
        ) from error
    return device
