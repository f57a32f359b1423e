"""`densecolor-colorize IMAGE... --output PATH`."""

import dataclasses
import json

import typer

from densecolor.cli.colorize_arguments import CompareOption
from densecolor.cli.colorize_arguments import HintOption
from densecolor.cli.colorize_arguments import HintsOption
from densecolor.cli.colorize_arguments import IdentityOption
from densecolor.cli.colorize_arguments import ImagesArgument
from densecolor.cli.colorize_arguments import ModelOption
from densecolor.cli.colorize_arguments import NativeOption
from densecolor.cli.colorize_arguments import OutputOption
from densecolor.cli.colorize_arguments import OverwriteOption
from densecolor.cli.colorize_arguments import PlaneOption
from densecolor.cli.colorize_arguments import PrecisionOption
from densecolor.cli.colorize_arguments import ResumeOption
from densecolor.cli.colorize_arguments import RuntimeOption
from densecolor.cli.colorize_arguments import SamplesOption
from densecolor.cli.colorize_arguments import SaturationOption
from densecolor.cli.colorize_arguments import SeedOption
from densecolor.cli.colorize_arguments import SideBySideOption
from densecolor.cli.colorize_arguments import SidecarOption
from densecolor.cli.colorize_arguments import SkipColorOption
from densecolor.cli.colorize_arguments import SkipDamagedOption
from densecolor.cli.colorize_arguments import SteadyOption
from densecolor.cli.colorize_arguments import TemperatureOption
from densecolor.cli.colorize_arguments import ThreadsOption
from densecolor.cli.colorize_arguments import TrustOption
from densecolor.cli.colorize_arguments import UpsamplingOption
from densecolor.cli.colorize_arguments import WindowOption
from densecolor.cli.colorize_arguments import WorkingSizeOption
from densecolor.cli.colorize_film import colorize_one_film
from densecolor.cli.common import FAILED
from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import import_keras_quietly
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say

NOTES_SHOWN = 3


@reports_errors
def colorize(
    images: ImagesArgument,
    output: OutputOption,
    model: ModelOption = None,
    working_size: WorkingSizeOption = None,
    upsampling: UpsamplingOption = "guided",
    native: NativeOption = False,
    saturation: SaturationOption = 1.0,
    temperature: TemperatureOption = None,
    samples: SamplesOption = None,
    seed: SeedOption = 0,
    hints: HintsOption = None,
    hint: HintOption = (),
    side_by_side: SideBySideOption = False,
    compare: CompareOption = (),
    sidecar: SidecarOption = False,
    skip_color: SkipColorOption = False,
    window: WindowOption = None,
    plane: PlaneOption = "axial",
    no_identity: IdentityOption = False,
    steady: SteadyOption = True,
    skip_damaged: SkipDamagedOption = False,
    overwrite: OverwriteOption = False,
    resume: ResumeOption = False,
    threads: ThreadsOption = None,
    runtime: RuntimeOption = "auto",
    precision: PrecisionOption = "auto",
    trust_checkpoint: TrustOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Colorize grayscale pictures, JPEG, PNG, TIFF, WebP, GIF and BMP, of any size; medical files; a film.

    DICOM files become DICOM, NIfTI volumes NIfTI and TIFF stacks TIFF stacks, slice by slice, and say that their
    colours are predicted and not for diagnosis.

    Lightness, depth and transparency are kept; the colours of a colour picture are ignored, or kept with --skip-color.
    In an output folder every picture keeps its name (GIF and BMP become PNG) and its place below the folder that was
    named. A picture that fails is named and stops no other; the exit status is then 1.

    A film becomes H.264 in .mp4, .mov or .mkv, with its sound as it is and colours that stay from frame to frame.

    Examples:

        densecolor-colorize photo.jpg --output photo-colour.jpg

        densecolor-colorize portrait.jpg --output portrait-colour.png --model runs/first

        densecolor-colorize scans "more/*.tif" --output colour --model runs/first/best.keras --resume

        densecolor-colorize film.mp4 --output film-colour.mp4

        densecolor-colorize garden.jpg --output garden-colour.png --hint 120,40,#5f8f3f --hint "300,80,#4060c0"

        densecolor-colorize brain.nii.gz --output brain-colour.nii.gz --model runs/brains --window 0 900

        densecolor-colorize portrait.jpg --output grid.png --model runs/first --compare runs/second --compare runs/third
    """
    import_keras_quietly()
    from densecolor.film import is_film
    from densecolor.inference import colorize_files

    hints = [*hint, *([hints] if hints else [])]
    shared = {
        "working_size": working_size,
        "upsampling": upsampling,
        "saturation": saturation,
        "temperature": temperature,
        "overwrite": overwrite,
        "resume": resume,
        "threads": threads,
        "trust": trust_checkpoint,
        "runtime": runtime,
        "precision": precision,
    }
    if any(map(is_film, images)):
        for_pictures = {
            "--native": native,
            "--samples": samples,
            "--hint": hints,
            "--side-by-side": side_by_side,
            "--compare": compare,
            "--sidecar": sidecar,
            "--skip-color": skip_color,
            "--window": window,
            "--plane": plane != "axial",
            "--no-identity": no_identity,
        }
        film_options = {"model": model, "steady": steady, "skip_damaged": skip_damaged, **shared}
        colorize_one_film(images, output, as_json, for_pictures, **film_options)
        return
    with progress_bar("Colorizing") as progress:
        results = colorize_files(
            images,
            output,
            model,
            native=native,
            samples=samples,
            seed=seed,
            hints=hints,
            side_by_side=side_by_side,
            compare=compare,
            sidecar=sidecar,
            skip_color=skip_color,
            window=window,
            plane=plane,
            identity=not no_identity,
            **shared,
            progress=progress,
            note=say,
        )
    if as_json:
        print(json.dumps([dataclasses.asdict(result) for result in results], indent=1, default=str))
    failed = [result for result in results if result.error]
    for result in failed:
        say(f"error: {result.error}")
    _tell_notes(results)
    skipped = sum(result.skipped for result in results)
    before = f", {skipped} of them before" if skipped else ""
    say(f"{len(results) - len(failed)} of {len(results)} pictures colorized into {output}{before}.")
    if failed:
        raise typer.Exit(FAILED)


def _tell_notes(results):
    """Each note once, with some of the pictures that it holds for: there may be thousands."""
    for note in dict.fromkeys(result.note for result in results if result.note):
        sources = [str(result.source) for result in results if result.note == note]
        more = f" and {len(sources) - NOTES_SHOWN:,} more" if len(sources) > NOTES_SHOWN else ""
        say(f"note: {', '.join(sources[:NOTES_SHOWN])}{more}: {note}.")


def main():
    """Console script `densecolor-colorize`."""
    run(colorize)
