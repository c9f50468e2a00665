"""The command that says what a preset will take."""

from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from robustshape.cli.app import command

Count = Annotated[int, Parameter(validator=Number(gte=1))]


@command(
    "plan laptop",
    "plan imagenet --dataset imagenet --images 50000 --networks 100",
    "plan imagenet --dataset imagenet --images 1281167 --networks 100 --workers 64 --device cuda",
)
def plan(
    preset: str,
    /,
    *,
    study: str | None = None,
    workers: Count | None = None,
    device: Literal["cpu", "cuda"] = "cpu",
    images: Count | None = None,
    networks: Count | None = None,
    dataset: str = "",
) -> None:
    """Say how long a preset will take, how much disk and memory, and what costs most; nothing is measured but speed.

    Rates are those of this machine, from a few seconds of the work itself, or the pace of a run here where there
    was one. Networks are built without weights: neither data nor weights need be there.

    Parameters
    ----------
    preset
        See: robustshape list presets. Each of its studies is planned as if it were alone.
    study
        Of this study only.
    workers
        Side by side, one thread or GPU each; default the cores here, or one GPU.
    device
        Where networks run; a GPU that is not here is assumed.
    images
        So many in place of the preset's.
    networks
        So many in place of the preset's, of the same mix.
    dataset
        This one in place of the preset's.
    """
    from robustshape.resources.report import report

    given = {"study": study, "workers": workers, "device": device, "dataset": dataset}
    print(report(preset, **given, images=images or 0, networks=networks or 0))
