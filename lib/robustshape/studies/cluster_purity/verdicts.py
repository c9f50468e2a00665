"""Estimates for the claims of the purity study, and nothing else."""

from robustshape.analysis.networks import networks
from robustshape.analysis.purity_and_kstar import of_purity
from robustshape.studies.cluster_purity.compared import P_PURITY, indicators


def estimates(rows) -> dict:
    """Return the primary quantity of each claim with its interval over families, or why there is none."""
    known = indicators(rows)
    factors = {"p_kmeans": known["kmeans_ratio"], "p_multicut": known["multicut_ratio"]}
    return of_purity(rows, networks(rows, {"p_purity": known[P_PURITY], **factors}))
