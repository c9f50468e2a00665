"""Tiny ImageNet in its three forms: the same samples in each, grey pictures in colour, damage named."""

import io
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from robustshape import datasets
from robustshape.datasets import imagenet_classes, tiny_imagenet
from robustshape.errors import DownloadError, MissingFileError, StoreError

WNIDS = ["n07753592", "n01443537", "n02124075"]  # banana, goldfish, Egyptian cat: not in their order


@pytest.fixture(autouse=True)
def place(data_folder):
    """An empty data folder and an empty cache."""
    return data_folder


def jpeg(seed, mode="RGB", side=64):
    shape = (side, side, 3) if mode == "RGB" else (side, side)
    blocks = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(blocks).save(file, "JPEG")
    return file.getvalue()


def official():
    """The files of a Tiny ImageNet of three classes, by their official names; val_4 is grey."""
    files = {"wnids.txt": "\n".join(WNIDS).encode()}
    rows = [(f"val_{i}.JPEG", WNIDS[i % 3]) for i in range(12)]
    lines = [f"{name}\t{wnid}\t0\t32\t44\t62" for name, wnid in reversed(rows)]
    files["val/val_annotations.txt"] = ("\n".join(lines) + "\n").encode()
    files |= {f"val/images/{n}": jpeg(i, "L" if i == 4 else "RGB") for i, (n, _) in enumerate(rows)}
    for k, wnid in enumerate(WNIDS):
        files |= {f"train/{wnid}/images/{wnid}_{i}.JPEG": jpeg(100 * k + i) for i in range(11)}
        files[f"train/{wnid}/{wnid}_boxes.txt"] = b"0\t0\t62\t63\n"
    return files


def write(folder, form, files=None):
    files, folder = files or official(), folder
    folder.mkdir(parents=True, exist_ok=True)
    if form == "folder":
        for name, content in files.items():
            path = folder / "tiny-imagenet-200" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    elif form == "zip":
        with zipfile.ZipFile(folder / "tiny-imagenet-200.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(f"tiny-imagenet-200/{name}", content)
    else:
        lines = ["file,wnid,x0"]
        with tarfile.open(folder / "tiny_imagenet_val.tar", "w") as archive:
            for i in range(12):
                name = f"tiny_imagenet_val/val_{i}.JPEG"
                member = tarfile.TarInfo(name)
                content = files[f"val/images/val_{i}.JPEG"]
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
                lines.append(f"{name},{WNIDS[i % 3]},0")
        (folder / "tiny_imagenet_val_labels.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
@pytest.mark.parametrize("where", ["data", "data/datasets", "cache/datasets"])
def test_the_validation_part_is_the_same_in_every_form_and_place(tmp_path, where, form):
    write(tmp_path / where, form)
    with pytest.warns(UserWarning, match=r"not the known copy of tiny_imagenet \(test\)"):
        data = datasets.load("tiny_imagenet")
    assert data.image.shape == (12, 64, 64, 3) and data.image.dtype == np.uint8
    for i in range(12):  # val_10 after val_9
        seen = Image.open(io.BytesIO(jpeg(i, "L" if i == 4 else "RGB"))).convert("RGB")
        assert np.array_equal(data.image[i], seen)
        assert data.sample.values[i] == f"tiny_imagenet/test/val_{i}"
    assert data.label.values.tolist() == [2, 0, 1] * 4  # by the sorted WordNet ids
    assert data.attrs["imagenet_index"] == [1, 285, 954] and data.attrs["n_classes"] == 3
    assert data.attrs["class_names"] == ["goldfish, Carassius auratus", "Egyptian cat", "banana"]
    assert data.attrs["checksum_matches"] is False


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_the_training_part_is_sorted_by_class_and_number(place, form):
    write(place, form)
    with pytest.warns(UserWarning, match="not the known copy"):
        data = datasets.load("tiny_imagenet", split="train")
    assert data.label.values.tolist() == [0] * 11 + [1] * 11 + [2] * 11
    assert data.sample.values[10:12].tolist() == [
        "tiny_imagenet/train/n01443537_10",
        "tiny_imagenet/train/n02124075_0",
    ]
    assert np.array_equal(data.image[10], Image.open(io.BytesIO(jpeg(110))))


def test_the_known_files_are_official_in_every_form_and_one_other_byte_is_not(monkeypatch, tmp_path):
    """Digests of made-up files stand in for the official ones."""
    with pytest.MonkeyPatch.context() as patch:
        seen = []
        patch.setattr(tiny_imagenet, "VALIDATION", type("Any", (), {"__eq__": lambda _, x: seen.append(x)})())
        write(tmp_path / "data", "folder")
        with pytest.warns(UserWarning):
            datasets.load("tiny_imagenet")
    monkeypatch.setattr(tiny_imagenet, "VALIDATION", seen[0])
    write(tmp_path / "tar", "tar")
    for folder in ("data", "tar"):
        monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / folder))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert datasets.load("tiny_imagenet").attrs["checksum_matches"] is True
    write(tmp_path / "tar", "tar", official() | {"val/images/val_3.JPEG": jpeg(3) + b"\0"})
    with pytest.warns(UserWarning, match="not the known copy"):
        datasets.load("tiny_imagenet")


def test_the_official_archive_is_known_by_its_checksum(monkeypatch, place):
    import hashlib

    write(place, "zip")
    sha256 = hashlib.sha256((place / "tiny-imagenet-200.zip").read_bytes()).hexdigest()
    monkeypatch.setattr(tiny_imagenet, "SHA256", sha256)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for split in ("train", "test"):
            assert datasets.load("tiny_imagenet", split=split).attrs["checksum_matches"] is True


def test_the_tar_has_no_training_part(place):
    write(place, "tar")
    with pytest.raises(MissingFileError, match=r"248,100,043 bytes.*ROBUSTSHAPE_DATA"):
        datasets.load("tiny_imagenet", split="train")


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"val/images/val_3.JPEG": b"not a picture"}, r"val_3\.JPEG cannot be read as an image"),
        ({"val/images/val_3.JPEG": jpeg(3)[:-200]}, r"val_3\.JPEG cannot be read as an image"),
        ({"val/images/val_3.JPEG": jpeg(3, side=32)}, r"val_3\.JPEG has 32 x 32 px, not 64 x 64"),
    ],
    ids=["no picture", "cut short", "small"],
)
def test_a_damaged_picture_is_named(place, form, change, why):
    write(place, form, official() | change)
    with pytest.raises(StoreError, match=why) as error:
        datasets.load("tiny_imagenet")
    assert str(place) in str(error.value)


@pytest.mark.parametrize(
    ("form", "name", "content", "why"),
    [
        ("zip", "tiny-imagenet-200.zip", b"PK\x03\x04 cut short", "zip"),
        ("tar", "tiny_imagenet_val.tar", b"cut short", "truncated header"),
        ("tar", "tiny_imagenet_val_labels.csv", b"name,class\nx,y\n", "'file'"),
        ("tar", "tiny_imagenet_val_labels.csv", b"file,wnid\nval_0.JPEG,n01443537\n", "val_0.JPEG"),
        ("tar", "tiny_imagenet_val_labels.csv", b"file,wnid\n", "it holds no image"),
        ("folder", "tiny-imagenet-200/val/val_annotations.txt", b"val_0.JPEG\n", "unpack"),
        ("folder", "tiny-imagenet-200/val/val_annotations.txt", b"val_99.JPEG\tn01443537\n", "val_99"),
    ],
)
def test_a_damaged_copy_is_named(place, form, name, content, why):
    write(place, form)
    (place / name).write_bytes(content)
    with pytest.raises(StoreError, match=rf"is not Tiny ImageNet or is damaged \(.*{why}"):
        datasets.load("tiny_imagenet")


def test_a_class_that_is_not_imagenets_is_named(place):
    write(place, "folder")
    annotations = place / "tiny-imagenet-200" / "val" / "val_annotations.txt"
    annotations.write_text(annotations.read_text().replace(WNIDS[0], "n00000000"))
    with pytest.raises(StoreError, match="'n00000000' is not one of the 1,000 WordNet ids"):
        datasets.load("tiny_imagenet")


def test_without_a_server_the_address_and_what_to_do_are_named(monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "0")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(tiny_imagenet, "URL", "http://127.0.0.1:1/tiny-imagenet-200.zip")
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:1/tiny.*put tiny-imagenet-200 into"):
        datasets.load("tiny_imagenet")


def test_the_thousand_classes_are_in_the_order_of_their_ids():
    order = list(imagenet_classes.positions())
    assert order == sorted(order) and len(order) == 1000
    assert imagenet_classes.facts(["n15075141"])["imagenet_index"] == [999]


def test_a_missing_list_of_the_classes_is_said(monkeypatch):
    monkeypatch.setattr(imagenet_classes.packaged, "locate", lambda *_: None)
    with pytest.raises(StoreError, match="pip install --force-reinstall timm"):
        imagenet_classes.positions.__wrapped__()
