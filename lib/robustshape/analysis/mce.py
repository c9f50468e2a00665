"""Mean corruption error (mCE): errors under corruption in units of another network's, AlexNet's by convention.

Hendrycks and Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations", ICLR
2019, section 4. A corruption that is hard for the baseline counts less, so that no corruption rules the mean.
AlexNet's numbers belong to the 50,000 images of the published ImageNet-C: on other images, or on corruptions
generated here, take a baseline that was measured on the same ones.
"""

ALEXNET = {  # mean error over the five severities of ImageNet-C
    "gaussian_noise": 0.886428,
    "shot_noise": 0.894468,
    "impulse_noise": 0.922640,
    "defocus_blur": 0.819880,
    "glass_blur": 0.826268,
    "motion_blur": 0.785948,
    "zoom_blur": 0.798360,
    "snow": 0.866816,
    "frost": 0.826572,
    "fog": 0.819324,
    "brightness": 0.564592,
    "contrast": 0.853204,
    "elastic_transform": 0.646056,
    "pixelate": 0.717840,
    "jpeg_compression": 0.606500,
}
ALEXNET_CLEAN = 0.43478  # its error on the clean images (torchvision's AlexNet, accuracy 56.522 %)
SEVERITIES = (1, 2, 3, 4, 5)


def mean_corruption_error(accuracy, baseline="alexnet"):
    """Return the mCE of each network: 1 is the baseline's, less is better.

    ``mean over the 15 standard corruptions c of sum over severities s of err(c, s) / sum over s of base(c, s)``.
    Tables in the literature show it in percent.

    Parameters
    ----------
    accuracy : xarray.DataArray (..., corruption, severity) or xarray.Dataset
        In [0, 1], with coordinates ``corruption`` and ``severity``; or a study's rows, whose
        ``corrupted_accuracy`` is taken. Corruptions that are not among the 15 are left out.
    baseline : "alexnet", or (corruption, severity) as `accuracy`
        AlexNet as published; or one network measured on the same images, such as ``rows.sel(model=name)``.

    Returns
    -------
    float, or (...) float array
        NaN where one of the 15 corruptions or five severities was not measured: a mean over fewer is another
        number. NaN too where the baseline never errs under a corruption.

    Raises
    ------
    InputError
        If accuracies are not as above.

    Examples
    --------
    >>> import numpy as np, xarray
    >>> grid = {"corruption": list(ALEXNET), "severity": [1, 2, 3, 4, 5]}
    >>> half, fifth = (xarray.DataArray(np.full((15, 5), share), grid) for share in (0.5, 0.8))
    >>> mean_corruption_error(fifth, baseline=half).round(3)
    np.float64(0.4)
    >>> mean_corruption_error(half.isel(severity=[0, 1]))
    np.float64(nan)
    """
    if isinstance(baseline, str):
        base = _alexnet(baseline)
    else:
        base = 1 - _baseline(baseline)
    return _mean_ratio(1 - _accuracies(accuracy), base)


def relative_mean_corruption_error(accuracy, baseline="alexnet", *, clean=None, baseline_clean=None):
    """Return the relative mCE of each network: what corruption adds to the error, in units of the baseline's.

    ``mean over c of (err(c) - err(clean)) / (base(c) - base(clean))``, errors meaned over severities: a network that
    errs often on clean images too is not blamed for that.

    Parameters
    ----------
    accuracy, baseline
        See `mean_corruption_error`.
    clean : (...) float, optional
        Accuracy on the clean images; of rows, ``accuracy`` if not given.
    baseline_clean : float, optional
        The baseline's; known of AlexNet, and of rows ``accuracy`` if not given.

    Returns
    -------
    float, or (...) float array
        NaN as in `mean_corruption_error`, and where a corruption does not lower the baseline's accuracy.

    Raises
    ------
    InputError
        If accuracies are not as above, or a clean one is needed and not given.
    """
    if isinstance(baseline, str):
        added = _alexnet(baseline) - (ALEXNET_CLEAN if baseline_clean is None else 1 - baseline_clean)
    else:
        added = _clean(baseline, baseline_clean, "baseline_clean") - _baseline(baseline)
    return _mean_ratio(_clean(accuracy, clean, "clean") - _accuracies(accuracy), added)


def _mean_ratio(errors, base):
    """Return the mean over corruptions of errors over base; NaN wherever one is missing or base is not above 0."""
    ratios = errors / base.where(base > 0)
    return ratios.mean("corruption", skipna=False).values[()]


def _alexnet(name: str):
    import xarray

    from robustshape.registry import unknown_name

    if name != "alexnet":
        raise unknown_name("baseline", name, ["alexnet"], "robustshape.analysis.mce")
    return xarray.DataArray(list(ALEXNET.values()), {"corruption": list(ALEXNET)})


def _baseline(baseline):
    """Return the mean accuracy (corruption) of the one network that is the baseline."""
    from robustshape.errors import InputError

    found = _accuracies(baseline)
    if found.ndim != 1:
        raise InputError(
            f"the baseline of an mCE is one network, (corruption, severity), but was given {found.dims[:-1]} too; "
            "choose one, such as rows.sel(model=name)"
        )
    return found.reset_coords(drop=True)


def _accuracies(accuracy):
    """Return the mean accuracy over severities (..., corruption) of the 15 corruptions, NaN where incomplete."""
    import numpy as np
    import xarray

    from robustshape.corruptions import STANDARD
    from robustshape.errors import InputError

    if isinstance(accuracy, xarray.Dataset):
        if "corrupted_accuracy" not in accuracy:  # no row was measured under corruption
            blank = xarray.DataArray(np.full(len(STANDARD), np.nan), {"corruption": list(STANDARD)})
            return xarray.full_like(accuracy["accuracy"], np.nan, float) * blank
        accuracy = accuracy["corrupted_accuracy"]
    if not isinstance(accuracy, xarray.DataArray) or not {"corruption", "severity"} <= set(accuracy.indexes):
        raise InputError(
            "an mCE needs accuracies as an xarray.DataArray (..., corruption, severity) with the names and numbers "
            f"of both as coordinates, but was given {getattr(accuracy, 'dims', type(accuracy).__name__)}"
        )
    if ((accuracy < 0) | (accuracy > 1)).any():
        raise InputError(f"accuracies are shares from 0 to 1, but up to {float(accuracy.max())} were given")
    grid = accuracy.reindex(corruption=list(STANDARD), severity=list(SEVERITIES))
    others = [dim for dim in grid.dims if dim not in ("corruption", "severity")]
    return grid.mean("severity", skipna=False).transpose(*others, "corruption")


def _clean(accuracy, given, name: str):
    """Return the accuracy on clean images, its networks in the order of those of `accuracy`."""
    import numpy as np
    import xarray

    from robustshape.errors import InputError

    if given is None:
        if not isinstance(accuracy, xarray.Dataset):
            raise InputError(f"a relative mCE needs the accuracy on clean images: give {name}, or rows")
        return accuracy["accuracy"]
    networks = _accuracies(accuracy).isel(corruption=0, drop=True)
    if isinstance(given, xarray.DataArray) and given.ndim:
        return given.reindex_like(networks)  # by name, whatever its order
    given = np.asarray(given, float)
    if given.shape not in ((), networks.shape):
        raise InputError(f"{name} is one accuracy for each network, {networks.shape}, but has {given.shape}")
    return xarray.DataArray(given, dims=networks.dims[: given.ndim])
