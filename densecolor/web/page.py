"""The page itself: what people see, and which function each button calls."""

import contextlib
import html

import gradio

from densecolor.errors import DensecolorError
from densecolor.web.job import colorize_uploads
from densecolor.web.uploads import SUFFIXES

TITLE = "densecolor"
_ABOUT = (
    "# Colours for grayscale pictures\n\nDrop pictures, press Colorize, and drag the line to compare. Lightness, size "
    "and depth are kept; colours are predicted, so they are likely rather than true."
)
_FONTS = ("system-ui", "sans-serif")  # those of the machine: nothing is loaded from elsewhere
_MONO = ("ui-monospace", "monospace")


def theme():
    """Gradio's theme with fonts of the machine."""
    return gradio.themes.Default(font=_FONTS, font_mono=_MONO)


def build_page(models, folder, limits):
    """Build the page.

    Args:
        models: dict of name to Keras model, the first of which is chosen at first.
        folder: `pathlib.Path`, for jobs.
        limits: `Limits`.

    Returns:
        `gradio.Blocks`.
    """
    names = list(models)
    with gradio.Blocks(title=TITLE, analytics_enabled=False) as page:
        gradio.Markdown(_ABOUT)
        with gradio.Row():
            with gradio.Column(scale=1, min_width=300):
                files = gradio.File(
                    label=f"Pictures, up to {limits.megabytes} MB and {limits.megapixels} megapixels each",
                    elem_id="pictures",
                    file_count="multiple",
                    file_types=list(SUFFIXES),
                    height=180,
                )
                model = gradio.Dropdown(names, value=names[0], label="Model", elem_id="model", visible=len(names) > 1)
                saturation = gradio.Slider(0, 2, value=1, step=0.05, label="Saturation", elem_id="saturation")
                go = gradio.Button("Colorize", variant="primary")
            with gradio.Column(scale=2, min_width=300):
                slider = gradio.ImageSlider(
                    label="Before and after",
                    elem_id="slider",
                    type="filepath",
                    interactive=False,
                    buttons=["fullscreen"],
                    max_height=640,
                )
                gallery = gradio.Gallery(
                    label="All results", elem_id="gallery", visible=False, columns=4, height=200, allow_preview=False
                )
                download = gradio.DownloadButton("Download", elem_id="download", visible=False)
                messages = gradio.Textbox(label="Notes", elem_id="messages", visible=False, lines=2)
        shown = gradio.State([])

        def colorize(paths, model, saturation, progress=gradio.Progress()):
            def step(done, total):
                progress(done / total, desc=f"{done} of {total}")

            with errors_on_the_page():
                done = colorize_uploads(paths, folder, limits, models[model], step, saturation=saturation)
            first = done.shown[0]
            several = len(done.shown) > 1
            return {
                slider: (first.before, first.after),
                gallery: gradio.update(value=[(each.after, each.label) for each in done.shown], visible=several),
                download: gradio.update(
                    value=done.download, visible=True, label="Download all (zip)" if several else "Download"
                ),
                messages: gradio.update(value="\n".join(done.messages), visible=bool(done.messages)),
                shown: done.shown,
            }

        def choose(shown, event: gradio.SelectData):
            each = shown[event.index]
            return each.before, each.after

        go.click(
            colorize,
            [files, model, saturation],
            [slider, gallery, download, messages, shown],
            concurrency_limit=1,  # more would share processor and memory; they wait
            concurrency_id="colorize",
            api_visibility="private",
        )
        gallery.select(choose, [shown], [slider], api_visibility="private")
    return page


@contextlib.contextmanager
def errors_on_the_page():
    """Show errors that people can mend as messages; Gradio takes their text for HTML."""
    try:
        yield
    except DensecolorError as error:
        text = html.escape(str(error))
        raise gradio.Error(text, duration=None, title="Not colorized", print_exception=False) from error
