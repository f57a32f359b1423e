"""What every command shares: errors in one line, exit statuses, progress bars, `--version`, `--debug`, `--json`."""

import contextlib
import functools
import os
import sys
from typing import Annotated

import rich.console
import rich.progress
import typer

import densecolor
from densecolor.errors import DensecolorError

FAILED = 1
INTERRUPTED = 130

error_console = rich.console.Console(stderr=True)
console = rich.console.Console()


def _print_version(wanted):
    if wanted:
        print(f"densecolor {densecolor.__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave."),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def reports_errors(command):
    """Turn errors that the user can mend into one line on stderr and exit status 1; `--debug` lets them through.

    Ctrl-C ends with status 130. Anything else is a defect of ours and keeps its traceback.
    """

    @functools.wraps(command)
    def guarded(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            error_console.print("Interrupted. Nothing half-written is left under a final name.", style="yellow")
            raise typer.Exit(INTERRUPTED) from None
        except (DensecolorError, OSError) as error:
            if kwargs.get("debug"):
                raise
            error_console.print("error: ", style="bold red", end="")
            error_console.print(str(error), markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(FAILED) from None

    return guarded


def say(line):
    """Tell the user something beside the result: on stderr, without breaking a progress bar."""
    error_console.print(line, markup=False, highlight=False, soft_wrap=True)


def import_keras_quietly():
    """Import Keras and its backend without TensorFlow's notes about processors and missing GPUs.

    TensorFlow prints them before any of its settings can stop it, so stderr is closed to it for the time.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import keras  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def new_app(**options):
    """A typer application with the settings that all our commands share."""
    return typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False, **options)


def run(command):
    """Run one command function as a console script."""
    app = new_app()
    app.command()(command)
    app()


@contextlib.contextmanager
def progress_bar(description, unit="images"):
    """A progress bar with rate and ETA on stderr; silent where stderr is not a terminal.

    Yields:
        A function `(done, total)` that library functions take as their `progress` argument. Its attribute `note` is a
        function that shows a short text at the bar's end, for their `note` argument.
    """
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        _RateColumn(unit),
        rich.progress.TimeRemainingColumn(),
        rich.progress.TextColumn("{task.fields[note]}", markup=False),
    )
    with rich.progress.Progress(*columns, console=error_console, disable=not sys.stderr.isatty()) as bar:
        yield _Progress(bar, bar.add_task(description, total=None, note=""))


class _Progress:
    def __init__(self, bar, task):
        self._bar = bar
        self._task = task

    def __call__(self, done, total):
        self._bar.update(self._task, completed=done, total=total)

    def note(self, text):
        self._bar.update(self._task, note=text)


class _RateColumn(rich.progress.ProgressColumn):
    def __init__(self, unit):
        super().__init__()
        self._unit = unit

    def render(self, task):
        rate = task.finished_speed or task.speed
        return rich.progress.Text("" if rate is None else f"{rate:,.1f} {self._unit}/s")
