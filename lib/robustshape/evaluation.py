"""`evaluate`: a network and images in, one documented xarray.Dataset out; both may live in this process."""


def evaluate(
    model,
    data,
    *,
    preprocess=None,
    head: str | None = None,
    compare=None,
    trust_card: bool = False,
    **parameters,
):
    """Measure a network: its clean feature space, its accuracy clean, corrupted and attacked, class by class.

    What is finished is kept in the cache under what defines it, so the same call a second time only reads.

    Parameters
    ----------
    model : str, torch.nn.Module or Classifier
        A name (``robustshape list models``), or a module: it is fed pixels (n, c, h, w) float32 in [0, 1], in eval mode, and
        returns logits, a tuple that begins with them, or a dictionary or object that has them as ``logits``. A copy is
        measured; the module itself is left as it is.
    data : str, pair of arrays, xarray.Dataset, torch Dataset or DataLoader
        A name (``robustshape list datasets``), or test images of this process: see `robustshape.datasets.live_data.register`.
    preprocess : Preprocessing or callable, optional
        From uint8 images (n, h, w, c) to what a module takes. Without a `Preprocessing` it cannot be attacked.
    head : str, optional
        Name of a module's classifying layer, whose input is the features; by default the one that is found.
    compare : str, torch.nn.Module or Classifier, optional
        A second network, on the same images; a module of the same `preprocess`.
    trust_card : bool
        Whether the function that a card (``file:``) names may run: code of whoever wrote the card.
    **parameters
        Others of the notebook ``your_model``, where each is explained: ``predict_only``, ``n_samples``, ``severities``,
        ``attacks``, ``seed`` ...

    Returns
    -------
    xarray.Dataset
        Of one network; with `compare` along ``model``. Every variable has a ``long_name`` and, where it has one, ``units``.
        ``indicator_accuracy`` is that on the images that show the feature space, ``accuracy`` that on the others, which are
        then corrupted and attacked.

    Raises
    ------
    InputError
        If a network, the data or a parameter does not fit, in words.
    """
    from robustshape.models.trust import trusting
    from robustshape.studies.your_model import STUDY

    with trusting(trust_card):
        given = described(model, data, preprocess=preprocess, head=head, compare=compare, **parameters)
        rows = STUDY.measure(**STUDY.given(given))
    return rows if compare is not None else rows.isel(model=0)


def described(model, data, *, preprocess=None, head=None, compare=None, **parameters) -> dict:
    """Return all parameters of the notebook ``your_model`` for this network and these data; takes what `evaluate` takes."""
    from robustshape.datasets import live_data
    from robustshape.errors import InputError
    from robustshape.models import live_models
    from robustshape.notebooks import parameters_of, read_parameters

    if isinstance(model, str) and (preprocess is not None or head is not None):
        raise InputError("preprocess and head are those of a module; a network by its name has its own")
    names = [
        model if isinstance(model, str) else live_models.register(model, preprocess=preprocess, head=head)
    ]
    if compare is not None:
        names.append(
            compare if isinstance(compare, str) else live_models.register(compare, preprocess=preprocess)
        )
    if len(names) > 1 and names[0] == names[1]:
        raise InputError(f"{names[0]} is compared with another network, but both are the same")
    dataset = data if isinstance(data, str) else live_data.register(data)
    for name in ("models", "dataset"):
        if name in parameters:
            raise InputError(
                f"{name} is no parameter here: the network and the data are the first two arguments"
            )
    known = {name: one.default for name, one in parameters_of("your_model").items()}
    given = read_parameters("your_model", None, {"models": names, "dataset": dataset, **parameters})
    return known | given


def is_live(given: dict) -> bool:
    """Return whether a network or the data of these parameters live in this process alone."""
    return any(str(name).startswith("live:") for name in (*given["models"], given["dataset"]))
