"""digits: 1,797 small digits that come with scikit-learn, for the smallest tests.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository (1998),
doi:10.24432/C50P49 (its test part). The 8 x 8 counts from 0 to 16 become grey levels from 0 to 255.
The split is ours: of each digit, the first 50 in the seeded order of the ids are test images, the rest train.
"""

from robustshape.datasets import file_state, packaged
from robustshape.datasets.samples import DATASETS, Entry
from robustshape.datasets.subsets import by_class

SEED = 0
TEST_PER_CLASS = 50
GET = "they come with scikit-learn: pip install --force-reinstall scikit-learn"


def read(split: str):
    """Return the images (n, 8, 8, 1) uint8, labels and ids of ``train`` (1,297) or ``test`` (500)."""
    import numpy as np

    counts, labels = packaged.read_table(locate(), side=8, instead=GET)
    images = np.round(counts * (255 / 16)).astype(np.uint8)
    members = by_class(labels, [f"digits/{i:05d}" for i in range(len(labels))], SEED).values()
    part = slice(TEST_PER_CLASS) if split == "test" else slice(TEST_PER_CLASS, None)
    chosen = np.sort(np.concatenate([positions[part] for positions in members]))
    return images[chosen], labels[chosen], [f"digits/{split}/{i:05d}" for i in chosen]


def locate() -> str | None:
    """Return the file inside the installed scikit-learn."""
    path = packaged.locate("sklearn", "datasets/data/digits.csv.gz")
    return path and str(path)


DATASETS.register(
    "digits",
    title="Optical recognition of handwritten digits (test part)",
    n_train=1297,
    n_test=500,
    size="8 x 8, grey",
    n_classes=10,
    class_names=[str(digit) for digit in range(10)],
    reading="repeat32",
    licence="CC BY 4.0 (UCI); shipped by scikit-learn under BSD-3-Clause",
    source="scikit-learn, sklearn.datasets.load_digits",
    citation="Alpaydin and Kaynak (1998), doi:10.24432/C50P49",
    urls=("https://archive.ics.uci.edu/dataset/80",),
    checksum={
        "train": "sha256:f82450ff4777063849215e047f5d7101ae46b12d94d3ccb93c806586197a3b57",
        "test": "sha256:0849de39de287e2a701077b0b75b4932bd9cc098898d4c51862a0f047a1ca5a9",
    },
    get=GET,
)(Entry(read, locate, lambda split: file_state.of_files(locate())))
