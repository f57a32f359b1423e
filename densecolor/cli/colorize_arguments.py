"""The options of `densecolor-colorize`, in the groups of its help."""

from pathlib import Path
from typing import Annotated

import typer

_COLOURS = "Colours"
_FORM = "What is written"
_MEDICAL = "Medical files and TIFF stacks"
_RUN = "The run"

ImagesArgument = Annotated[
    list[str], typer.Argument(metavar="IMAGE...", help="Pictures, folders of them, or globs.", show_default=False)
]
OutputOption = Annotated[
    Path, typer.Option("--output", "-o", help="A folder; for one picture also a file name, such as out.png.")
]
ModelOption = Annotated[
    Path | None,
    typer.Option("--model", "-m", help="A run directory or a .keras file. [default: the one that densecolor brings]"),
]

WorkingSizeOption = Annotated[
    int | None,
    typer.Option(
        min=8,
        help="Colour is predicted at this size squared pixels. [default: the model's own]",
        rich_help_panel=_COLOURS,
    ),
]
UpsamplingOption = Annotated[
    str,
    typer.Option(
        help="guided: colour follows the edges of the full-size picture. bilinear: plainly enlarged.",
        rich_help_panel=_COLOURS,
    ),
]
NativeOption = Annotated[
    bool,
    typer.Option(
        "--native", help="Predict at each picture's full size, in tiles without seams. Slow.", rich_help_panel=_COLOURS
    ),
]
SaturationOption = Annotated[
    float, typer.Option(help="0 is gray, 1 as predicted, 1.5 half as much again.", rich_help_panel=_COLOURS)
]
TemperatureOption = Annotated[
    float | None,
    typer.Option(
        help="In (0, 1], for models of distributions: 1 takes the mean, low the likeliest colour. "
        "[default: the model's own]",
        rich_help_panel=_COLOURS,
    ),
]
SamplesOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Several colourings of each picture, by models that have them: a-1.png, ...",
        rich_help_panel=_COLOURS,
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the first sample.", rich_help_panel=_COLOURS)]
HintsOption = Annotated[
    Path | None,
    typer.Option(
        help="A transparent PNG of the picture's size; what is drawn on it says which colour goes where.",
        rich_help_panel=_COLOURS,
    ),
]
HintOption = Annotated[
    list[str],
    typer.Option(
        "--hint",
        metavar="X,Y,#RRGGBB",
        help="The colour of one pixel, and of what belongs to it. May be repeated.",
        show_default=False,
        rich_help_panel=_COLOURS,
    ),
]

SideBySideOption = Annotated[
    bool, typer.Option("--side-by-side", help="Gray and colour in one picture.", rich_help_panel=_FORM)
]
CompareOption = Annotated[
    list[str],
    typer.Option(
        "--compare",
        metavar="MODEL",
        help="Another model; all in one labelled grid. May be repeated.",
        show_default=False,
        rich_help_panel=_FORM,
    ),
]
SidecarOption = Annotated[
    bool,
    typer.Option(
        "--sidecar", help="Write a.png.json too: model, settings, hashes, cost of the gamut.", rich_help_panel=_FORM
    ),
]
SkipColorOption = Annotated[
    bool,
    typer.Option("--skip-color", help="Keep pictures that are in colour already as they are.", rich_help_panel=_FORM),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace outputs that exist.", rich_help_panel=_FORM)
]

WindowOption = Annotated[
    tuple[float, float] | None,
    typer.Option(
        help="DICOM: centre and width; NIfTI, TIFF: lowest and highest value. [default: the file's own]",
        rich_help_panel=_MEDICAL,
        show_default=False,
    ),
]
PlaneOption = Annotated[
    str, typer.Option(help="NIfTI: slices that are axial, coronal or sagittal.", rich_help_panel=_MEDICAL)
]
IdentityOption = Annotated[
    bool,
    typer.Option(
        "--no-identity",
        help="DICOM: copy nothing of patient and study, refuse burned-in text.",
        rich_help_panel=_MEDICAL,
    ),
]
SteadyOption = Annotated[
    bool,
    typer.Option(
        "--steady/--no-steady",
        help="Of films: colours stay from frame to frame, or every frame by itself.",
        rich_help_panel="Films",
    ),
]
SkipDamagedOption = Annotated[
    bool,
    typer.Option("--skip-damaged", help="Of films: leave out frames that cannot be decoded.", rich_help_panel="Films"),
]

ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="Go on with an interrupted run: leave alone what it has done.", rich_help_panel=_RUN),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(min=1, help="Pictures in work at a time. [default: twice as many as cores]", rich_help_panel=_RUN),
]
RuntimeOption = Annotated[
    str,
    typer.Option(
        help="What runs the model: keras, openvino or onnx, or auto, the fastest that is installed and worth it. "
        'Needs pip install "densecolor[fast]".',
        rich_help_panel=_RUN,
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        help="auto lets OpenVINO compute in bfloat16 where that is faster; float32 never.", rich_help_panel=_RUN
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-checkpoint",
        help="Load a model that densecolor does not know, with Keras. Only for files of people you trust.",
        rich_help_panel=_RUN,
    ),
]
