"""The zoo's networks: each file has ``build(channels, size, n_classes) -> torch.nn.Module``.

All take images in [0, 1]. The last linear layer, called ``head`` where no published weights name it otherwise
(cnn_a, cifar_resnet, tiny_resnet), is the classifier; its input is the penultimate features.
"""
