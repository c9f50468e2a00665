"""Terms of a training loss that are computed from what a network's layers answer to the batch."""

from robustshape.indicators.selectivity import selectivity_loss
from robustshape.relu_maps import check_found


def batch_selectivity(pooled, labels, network):
    """Return the mean class selectivity of a batch, to be multiplied by -alpha and added to the loss.

    Parameters
    ----------
    pooled : list of (n, units) tensors
        As `robustshape.relu_maps.pooled_relu_maps` found them in the forward pass.
    labels : (n,) int tensor
    network : torch.nn.Module
        Named in the error where it has no rectified convolution.

    Returns
    -------
    scalar tensor
        0 for a batch of a single class, such as a last batch of one image: there is nothing to compare.
    """
    check_found(pooled, network)
    if (labels == labels[0]).all():
        return pooled[0].new_zeros(())
    return selectivity_loss(pooled, labels)
