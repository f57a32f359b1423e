"""Examples in docstrings as griffe knows them; an extension of it (mkdocs.yml)."""

import griffe


class Examples(griffe.Extension):
    """Calls the sections "Example" of our docstrings by the one name that griffe has for them."""

    def on_instance(self, *, obj, **kwargs):
        """Change the docstring of an object that has been found."""
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("Example:\n", "Examples:\n")
