"""The zoo's networks: each file has ``build(channels, size, n_classes) -> torch.nn.Module``.

All take images in [0, 1] and end in one linear layer called ``head``, whose input is the penultimate features.
"""
