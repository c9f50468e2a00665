"""What is kept of a data set is used only while its files are the same, whatever the data set."""

import os

import numpy as np
import pytest
from PIL import Image

from robustshape import datasets
from robustshape.datasets import DATASETS, file_state
from robustshape.datasets.selection import Selection
from robustshape.errors import MissingFileError


@pytest.fixture(autouse=True)
def data(data_folder):
    """An empty data folder and an empty cache."""
    return data_folder


def paint(folder, level, n=4):
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            Image.fromarray(np.full((8, 8, 3), level + i, np.uint8)).save(folder / name / f"{i}.bmp")


def test_a_folder_edited_between_two_calls_is_read_anew(data):
    paint(data / "pets", 0)
    (selection,) = Selection.parts("imagefolder:pets", (8,), seed=0)
    first, known = selection.load(), selection.identity()
    assert selection.load() is first  # kept while nothing changes
    paint(data / "pets", 100)  # the same names and sizes
    assert selection.load().image.values.min() == 100
    assert selection.identity()["checksum"] != known["checksum"]
    paint(data / "pets", 0)
    assert selection.identity() == known


@pytest.mark.parametrize("what", ["moved", "added", "removed", "ordered", "times kept"])
def test_every_change_of_a_folder_counts(data, what):
    folder = data / "pets"
    paint(folder, 0)
    before, about = datasets.state("imagefolder:pets"), (folder / "cat" / "0.bmp").stat()
    if what == "moved":
        os.rename(folder / "cat" / "0.bmp", folder / "dog" / "9.bmp")
    elif what == "added":
        (folder / "cat" / "9.bmp").write_bytes((folder / "cat" / "0.bmp").read_bytes())
    elif what == "removed":
        (folder / "cat" / "0.bmp").unlink()
    elif what == "ordered":
        (folder / "classes.txt").write_text("dog\ncat\n")
    else:  # another content of the same size and time, as cp -p leaves it
        (folder / "cat" / "0.bmp").write_bytes((folder / "cat" / "1.bmp").read_bytes())
        os.utime(folder / "cat" / "0.bmp", ns=(about.st_atime_ns, about.st_mtime_ns))
    after = datasets.state("imagefolder:pets")
    assert after != before and after == datasets.state("imagefolder:pets")


def test_the_same_name_found_in_another_place_is_another_state(data, tmp_path, monkeypatch):
    for place, level in ((data, 0), (tmp_path / "other", 50)):
        paint(place / "pets", level)
    (selection,) = Selection.parts("imagefolder:pets", (8,), seed=0)
    assert selection.load().image.values.min() == 0
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "other"))
    assert selection.load().image.values.min() == 50


def write_mnist(data, level):
    images = np.full((20, 28, 28), level, np.uint8)
    np.savez(data / "mnist.npz", x_test=images, y_test=np.arange(20) % 10)


def write_cifar(data, level):
    images = np.full((20, 32, 32, 3), level, np.uint8)
    np.savez(data / "cifar10_test.npz", images=images, labels=np.arange(20) % 10)


def write_tiny(data, level):
    images = data / "tiny-imagenet-200" / "val" / "images"
    images.mkdir(parents=True, exist_ok=True)
    names = [f"val_{i}.JPEG" for i in range(20)]
    for name in names:
        Image.fromarray(np.full((64, 64, 3), level, np.uint8)).save(images / name, "JPEG")
    lines = [f"{name}\tn0{1440764 + 2773 * (i % 2)}\t0" for i, name in enumerate(names)]
    (images.parent / "val_annotations.txt").write_text("\n".join(lines))


def write_imagenette(data, level):
    paint_wnids(data / "imagenette2" / "val", level)


def write_imagenet(data, level):
    paint_wnids(data / "imagenet" / "val", level)


def paint_wnids(folder, level):
    for name in ("n01440764", "n01443537"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(10):
            Image.fromarray(np.full((8, 8, 3), level, np.uint8)).save(folder / name / f"{i}.JPEG")


def write_nips(data, level):
    (data / "nips17" / "images").mkdir(parents=True, exist_ok=True)
    for i in range(20):
        Image.fromarray(np.full((8, 8, 3), level, np.uint8)).save(data / "nips17" / "images" / f"{i}.png")
    lines = ["ImageId,TrueLabel", *(f"{i},{i % 10 + 1}" for i in range(20))]
    (data / "nips17" / "images.csv").write_text("\n".join(lines))


WRITERS = {
    "cifar10": write_cifar, "imagenet": write_imagenet, "imagenette": write_imagenette, "mnist": write_mnist,
    "nips17": write_nips, "tiny_imagenet": write_tiny,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*is not the known copy")
@pytest.mark.parametrize("name", WRITERS)
def test_every_data_set_read_from_files_is_read_anew_when_they_change(data, name):
    (selection,) = Selection.parts(name, (20,), seed=0, reading="native")
    means = []
    for level in (40, 90):
        WRITERS[name](data, level)
        means.append(float(selection.load().image.values.max()))
    assert abs(means[0] - 40) < 3 and abs(means[1] - 90) < 3


def test_every_entry_has_a_state_and_those_of_packages_keep_theirs():
    for name in DATASETS:
        if ":" not in name:
            assert DATASETS[name].state("test") == DATASETS[name].state("test") != ""
    with pytest.raises(MissingFileError):
        datasets.state("imagefolder:nowhere")


def test_a_folder_of_many_files_is_looked_through_now_and_then(tmp_path, monkeypatch):
    clock, looks = [100.0], []
    monkeypatch.setattr(file_state, "MANY", 1)
    monkeypatch.setattr(file_state.time, "monotonic", lambda: clock[0])

    def look(files):
        looks.append(files)
        clock[0] += 0.5
        return files

    def state(files):
        return file_state.of_folder(tmp_path, lambda: look(files))

    first = state(["a", "b"])
    clock[0] += 9.9
    assert state(["a", "c"]) == first and len(looks) == 1
    clock[0] += 0.2
    assert state(["a", "c"]) != first and len(looks) == 2
    few = file_state.of_folder(tmp_path / "few", lambda: look(["a"]))
    assert file_state.of_folder(tmp_path / "few", lambda: look(["b"])) != few and len(looks) == 4


def test_pictures_are_found_by_id_in_any_folder_and_no_others_are_decoded(data, monkeypatch):
    from robustshape.datasets import pictures

    paint(data / "pets", 0)
    Image.fromarray(np.full((9, 5, 3), 77, np.uint8)).save(data / "pets" / "dog" / "odd.png")
    decoded, decode = [], pictures.decode
    monkeypatch.setattr(
        pictures, "decode", lambda file, *more: decoded.append(more[-1]) or decode(file, *more)
    )
    wanted = ["imagefolder/test/dog/odd.png", "imagefolder/test/none.png", "imagefolder/test/cat/2.bmp"]
    found = datasets.pictures_of("imagefolder:pets", wanted)
    assert list(found) == [wanted[0], wanted[2]] and len(decoded) == 2
    assert found[wanted[0]].shape == (9, 5, 3) and (found[wanted[2]] == 2).all()
    assert datasets.pictures_of("imagefolder:pets", wanted, reading="crop32")[wanted[0]].shape == (32, 32, 3)
    assert datasets.pictures_of("imagefolder:pets", ["another"]) == {}
    with pytest.raises(MissingFileError, match="mnist is not on this machine; downloaded when"):
        datasets.pictures_of("mnist", ["mnist/test/00000"])
