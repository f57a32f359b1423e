"""The page itself: what people see, and which function each button calls."""

import contextlib
import html

import gradio

from densecolor.errors import DensecolorError
from densecolor.image_io.nifti import PLANES
from densecolor.inference.control import check_control
from densecolor.web.hinting import add_hint
from densecolor.web.hinting import draw_hints
from densecolor.web.hinting import hint_lines
from densecolor.web.hinting import open_canvas
from densecolor.web.job import colorize_uploads

TITLE = "densecolor"
_ABOUT = (
    "# Colours for grayscale pictures\n\nDrop pictures, press Colorize, and drag the line to compare. Lightness, size "
    "and depth are kept; colours are predicted, so they are likely rather than true."
)
_MEDICAL = (
    "DICOM, NIfTI and TIFF stacks go out as they came in, slice by slice. Colours are predicted, not measured: not for "
    "diagnosis."
)
_HINTING = "Choose a colour and click on the picture where it belongs; what belongs together takes it up."
_FONTS = ("system-ui", "sans-serif")  # those of the machine: nothing is loaded from elsewhere
_MONO = ("ui-monospace", "monospace")
_MOST_SAMPLES = 8
_PRIVATE = {"api_visibility": "private"}
_QUICK = {**_PRIVATE, "queue": True, "show_progress": "hidden"}


def theme():
    """Gradio's theme with fonts of the machine."""
    return gradio.themes.Default(font=_FONTS, font_mono=_MONO)


class Page:
    """The page's parts and what they do.

    Args:
        models: dict of name to Keras model, the first of which is chosen at first.
        folder: `pathlib.Path`, for jobs.
        limits: `Limits`.
    """

    def __init__(self, models, folder, limits):
        self._models = models
        self._folder = folder
        self._limits = limits

    def build(self):
        """Build it.

        Returns:
            `gradio.Blocks`.
        """
        with gradio.Blocks(title=TITLE, analytics_enabled=False) as page:
            gradio.Markdown(_ABOUT)
            with gradio.Row():
                with gradio.Column(scale=1, min_width=300):
                    self._build_inputs()
                with gradio.Column(scale=2, min_width=300):
                    self._build_outputs()
            self._connect()
        return page

    def _build_inputs(self):
        names, limits = list(self._models), self._limits
        self._files = gradio.File(
            label=f"Up to {limits.megabytes} MB and {limits.megapixels} megapixels each",
            elem_id="pictures",
            file_count="multiple",
            height=180,
        )
        several = len(names) > 1
        self._model = gradio.Dropdown(names, value=names[0], label="Model", elem_id="model", visible=several)
        self._saturation = gradio.Slider(0, 2, value=1, step=0.05, label="Saturation", elem_id="saturation")
        offered = _offered(self._models[names[0]])
        self._temperature = gradio.Number(
            label="Temperature, up to 1; lower is surer (0: the model's own)",
            elem_id="temperature",
            value=0,
            step=0.05,
            visible=offered["temperature"],
        )
        self._samples = gradio.Slider(
            1, _MOST_SAMPLES, 1, step=1, label="Colourings of each", elem_id="samples", visible=offered["samples"]
        )
        with gradio.Accordion("Colour hints", open=False, visible=False) as self._hinting:
            gradio.Markdown(_HINTING)
            self._color = gradio.ColorPicker(label="Colour", elem_id="color", value="#b04030")
            self._canvas = gradio.Image(
                label="Click here", elem_id="canvas", type="filepath", interactive=False, buttons=[]
            )
            self._hints = gradio.Textbox(label="Hints: x,y,#rrggbb", elem_id="hints", lines=2, max_lines=6)
            self._clear = gradio.Button("No hints", size="sm")
        with gradio.Accordion("Medical files", open=False):
            gradio.Markdown(_MEDICAL)
            with gradio.Row():
                self._first = gradio.Number(
                    label="Window: centre (DICOM) or lowest", elem_id="first", value=0, min_width=120
                )
                self._second = gradio.Number(
                    label="Width (DICOM) or highest; both 0: the file's own", elem_id="second", value=0, min_width=120
                )
            self._plane = gradio.Radio(list(PLANES), value="axial", label="Plane of NIfTI slices", elem_id="plane")
            self._identity = gradio.Checkbox(True, label="Keep patient and study in DICOM", elem_id="identity")
        self._go = gradio.Button("Colorize", variant="primary")

    def _build_outputs(self):
        self._slider = gradio.ImageSlider(
            label="Before and after",
            elem_id="slider",
            type="filepath",
            interactive=False,
            buttons=["fullscreen"],
            max_height=640,
        )
        self._gallery = gradio.Gallery(
            label="All results", elem_id="gallery", visible=False, columns=4, height=200, allow_preview=False
        )
        self._download = gradio.DownloadButton("Download", elem_id="download", visible=False)
        self._messages = gradio.Textbox(label="Notes", elem_id="messages", visible=False, lines=2)
        self._mask = gradio.Image(
            label="Where the model sees the foreground", elem_id="mask", visible=False, interactive=False, buttons=[]
        )
        self._shown = gradio.State([])
        self._drawn = gradio.State(None)

    def _connect(self):
        inputs = [self._files, self._model, self._saturation, self._temperature, self._samples, self._hints]
        inputs += [self._first, self._second, self._plane, self._identity]
        outputs = [self._slider, self._mask, self._gallery, self._download, self._messages, self._shown]
        self._go.click(
            self.colorize,
            inputs,
            outputs,
            concurrency_limit=1,  # more would share processor and memory; they wait
            concurrency_id="colorize",
            **_PRIVATE,
        )
        self._gallery.select(self.choose, [self._shown], [self._slider, self._mask], **_QUICK)
        self._model.change(self.offer, [self._model], [self._temperature, self._samples], **_QUICK)
        canvas = [self._drawn, self._hinting, self._canvas, self._hints]
        self._files.change(self.open_hinting, [self._files], canvas, **_QUICK)
        self._canvas.select(self.add_hint, [self._hints, self._drawn, self._color], [self._hints], **_QUICK)
        self._hints.change(self.draw, [self._hints, self._drawn], [self._canvas], **_QUICK)
        self._clear.click(lambda: "", None, [self._hints], **_QUICK)

    def colorize(
        self,
        paths,
        model,
        saturation,
        temperature,
        samples,
        hints,
        first,
        second,
        plane,
        identity,
        progress=gradio.Progress(),
    ):
        """Colorize what was dropped, and show it."""
        with errors_on_the_page():
            done = colorize_uploads(
                paths,
                self._folder,
                self._limits,
                self._models[model],
                saturation=saturation,
                temperature=temperature or None,  # a browser shows an empty number as 0
                samples=int(samples) if samples > 1 else None,
                hints=hint_lines(hints),
                window=(first, second) if first or second else None,
                plane=plane,
                identity=identity,
                progress=lambda done, total: progress(done / total, desc=f"{done} of {total}"),
            )
        several = len(done.shown) > 1
        pictures = [(each.after, each.label) for each in done.shown]
        label = "Download all (zip)" if several else "Download"
        return (
            *_show(done.shown[0]),
            gradio.update(value=pictures, visible=several),
            gradio.update(value=done.download, visible=True, label=label),
            gradio.update(value="\n".join(done.messages), visible=bool(done.messages)),
            done.shown,
        )

    def choose(self, shown, event: gradio.SelectData):
        """Bring one of several results to the slider."""
        return _show(shown[event.index])

    def offer(self, model):
        """Show what can be chosen for a model, at its first values."""
        offered = _offered(self._models[model])
        return (
            gradio.update(visible=offered["temperature"], value=0),
            gradio.update(visible=offered["samples"], value=1),
        )

    def open_hinting(self, paths):
        """Let people click on the picture, if there is one."""
        with errors_on_the_page():
            canvas = open_canvas(paths, self._folder, self._limits)
        return canvas, gradio.update(visible=canvas is not None), canvas and canvas["path"], ""

    def add_hint(self, hints, canvas, color, event: gradio.SelectData):
        """Add the colour at the place of a click."""
        with errors_on_the_page():
            return add_hint(hints, canvas, event.index, color)

    def draw(self, hints, canvas):
        """Show the hints on the picture."""
        return draw_hints(hints, canvas, self._folder) if canvas else None


@contextlib.contextmanager
def errors_on_the_page():
    """Show errors that people can mend as messages; Gradio takes their text for HTML."""
    try:
        yield
    except DensecolorError as error:
        text = html.escape(str(error))
        raise gradio.Error(text, duration=None, title="Not colorized", print_exception=False) from error


def _show(shown):
    return (shown.before, shown.after), gradio.update(value=shown.mask, visible=shown.mask is not None)


def _offered(model):
    """Which of temperature and samples a model has."""
    offered = {}
    for name, values in {"temperature": {"temperature": 0.5}, "samples": {"sample": 0}}.items():
        try:
            check_control(model, **values)
            offered[name] = True
        except DensecolorError:
            offered[name] = False
    return offered
