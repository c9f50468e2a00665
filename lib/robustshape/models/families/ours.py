"""The networks of `robustshape.models.architectures`, each written out in a file of its name there."""

from robustshape.models.families.table import FAMILIES, Family

FAMILIES.update(
    {
        name: Family(name=name, family=name, title=title, clan=clan, paper=paper)
        for name, title, clan, paper in (
            ("mlp", "MLP", "mlp", "Rumelhart et al. 1986, doi 10.1038/323533a0"),
            ("lenet", "LeNet", "conv, plain", "LeCun et al. 1998, doi 10.1109/5.726791"),
            ("resnet", "small ResNet", "conv, residual", "He et al. 2016, arXiv 1512.03385"),
            ("convnext", "small ConvNeXt", "modern conv", "Liu et al. 2022, arXiv 2201.03545"),
            ("vit", "small ViT", "tokens", "Dosovitskiy et al. 2021, arXiv 2010.11929"),
            ("cnn_a", "CNN-A", "conv, plain", "Dathathri et al. 2020, arXiv 2010.11645"),
            ("cifar_resnet", "CIFAR ResNet", "conv, residual", "He et al. 2016, arXiv 1512.03385"),
            ("tiny_resnet", "ResNet at 64 px", "conv, residual", "He et al. 2016, arXiv 1512.03385"),
        )
    }
)
