"""What figures, tables and pages call an indicator, a target or an attack: one name each, wherever it is shown."""

INDICATORS = {  # one that is not here goes by its registered name
    "approximate_skewness": "Gamma' of k*",
    "davies_bouldin": "Davies-Bouldin index",
    "intrinsic_dimension": "intrinsic dimension (TwoNN)",
    "kmeans_ari": "k-means ARI",
    "kmeans_purity": "k-means purity",
    "log_mean_rank": "log mean normalised k*",
    "mean_normalised_rank": "mean normalised k*",
    "multicut_ari": "multicut ARI",
    "multicut_clusters": "multicut clusters",
    "neural_collapse": "neural collapse NC1",
    "p_kmeans": "k-means purity / accuracy",
    "p_multicut": "multicut purity / accuracy",
    "p_purity": "p_purity (their product)",
    "true_skewness": "Gamma of k*",
    "within_between_ratio": "within / between distance",
}
TARGETS = {
    "R": "R", "effective": "effective robustness", "corrupted": "corrupted accuracy", "attacked": "under attack",
}  # fmt: skip
ATTACKS = {
    "pgd": "PGD", "fgsm": "FGSM", "apgd": "APGD", "autoattack": "AutoAttack", "linf": "L-infinity", "l2": "L2",
}  # fmt: skip


def of(name: str) -> str:
    """Return what an indicator or a target is called.

    >>> of("davies_bouldin"), of("silhouette"), of("effective")
    ('Davies-Bouldin index', 'silhouette', 'effective robustness')
    """
    return (INDICATORS | TARGETS).get(name, name.replace("_", " "))


def of_attack(name: str) -> str:
    """Return an attack of a ladder in words.

    >>> of_attack("pgd linf 8/255")
    'PGD, L-infinity 8/255'
    """
    first, *rest = (ATTACKS.get(part, part) for part in name.split())
    return ", ".join([first, " ".join(rest)] if rest else [first])
