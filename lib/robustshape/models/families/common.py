"""What the constructors of small networks share."""


def from_timm(name: str, channels: int, n_classes: int, **arguments):
    """Return timm's untrained network `name`."""
    import timm

    return timm.create_model(name, pretrained=False, in_chans=channels, num_classes=n_classes, **arguments)


def byobnet(channels: int, n_classes: int, **shape):
    """Return timm's network "bring your own blocks" of this shape, without the pooling after its stem."""
    from timm.models.byobnet import ByobNet, ByoModelCfg

    return ByobNet(ByoModelCfg(stem_pool=None, **shape), num_classes=n_classes, in_chans=channels)


def unstrided(network):
    """Return the network whose first strided convolution steps by one: made for 224 pixels, it is given 32."""
    from torch import nn

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2):
            layer.stride = (1, 1)
            return network
    raise ValueError(f"a {type(network).__name__} has no convolution of stride 2")


def linear_head(network):
    """Return the network whose classifier, a 1 x 1 convolution of pooled maps, is a linear layer instead."""
    from torch import nn

    name, layer = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d)][-1]
    linear = nn.Sequential(nn.Flatten(), nn.Linear(layer.in_channels, layer.out_channels))
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, linear)
    return network
