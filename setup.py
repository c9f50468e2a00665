"""What pyproject.toml cannot say: a wheel carries the project's notebooks and data, see robustshape.paths."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = (
    "notebooks/*.ipynb",
    "notebooks/presets/*.yaml",
    "notebooks/pretrained/*",
    "data/claims.toml",
    "data/prediction.json",
    "data/models/*",
    "data/reported/*",
    "data/results/*/*",
)


def carried() -> list[str]:
    """Return the files that a wheel carries, as paths in the project."""
    found = [path for pattern in CARRIED for path in Path().glob(pattern) if path.is_file()]
    return sorted(path.as_posix() for path in found)


class BuildWithProject(build_py):
    """Puts them into the package's folder ``project``; an editable install finds them where they are."""

    def run(self):
        super().run()
        for name in () if self.editable_mode else carried():
            target = Path(self.build_lib, "robustshape", "project", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, target)

    def get_source_files(self):
        return [*super().get_source_files(), *carried()]


setup(cmdclass={"build_py": BuildWithProject})
