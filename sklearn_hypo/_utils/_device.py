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
    """
    if device != "auto":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
