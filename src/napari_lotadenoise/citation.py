"""How to say in a paper what was done: two sentences, and what to cite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lotadenoise.recipe import Recipe

#: Key of this software.
SOFTWARE = "napari-lotadenoise"
#: Settings that are not worth a word at these values.
_USUAL: Mapping[str, Any] = {"stride": 1, "ensemble": False, "volume": False, "blend": 1.0}


def methods_text(recipe: Recipe) -> str:
    """Describe a run in two sentences for the methods section of a paper, with citation keys in brackets.

    Parameters
    ----------
    recipe : Recipe
    """
    title = recipe.citation.get("title", recipe.method)
    version = recipe.versions.get(SOFTWARE, "unknown")
    learnt = (
        "with pre-trained weights that come with it" if recipe.pretrained else "with nothing but the images themselves"
    )
    first = (
        f"Images were denoised with {title} [{recipe.method}] as implemented in {SOFTWARE} {version} [{SOFTWARE}], {learnt} "
        f"({', '.join(_settings(recipe))})."
    )
    noise = "The noise was not measured" if recipe.sigma is None else (
        f"The noise, measured on the image, had a deviation of {recipe.sigma:.3g} in intensities of the image"
    )  # fmt: skip
    verdict = recipe.verdict.split(". ")[0].rstrip(".")
    stabilised = ", and its variance was stabilised" if recipe.stabilise == "on" else ""
    removed = f"; of what was removed: {verdict[:1].lower()}{verdict[1:]}" if verdict else ""
    return f"{first} {noise}{stabilised}{removed}."


def bibtex(recipe: Recipe) -> str:
    """Return the entries of BibTeX for the keys of `methods_text`: the source of the method, and this software."""
    source = str(recipe.citation.get("source", recipe.method))
    year = re.findall(r"(?:19|20)\d\d", source)
    method = {
        "title": recipe.citation.get("title", recipe.method), "note": source, "url": recipe.citation.get("url", ""),
        "year": year[-1] if year else "",
    }  # fmt: skip
    software = {
        "title": f"{SOFTWARE}: denoise the image in front of you, with nothing but that image",
        "author": f"{{{SOFTWARE} maintainers}}", "version": recipe.versions.get(SOFTWARE, ""),
    }  # fmt: skip
    return f"{_entry(recipe.method, method)}\n{_entry(SOFTWARE, software)}"


def _settings(recipe: Recipe) -> list[str]:
    """Return what somebody needs to repeat the run, in words."""
    told: dict[str, Any] = {**recipe.training, "volume": recipe.volume, "blend": recipe.blend}
    steps = [f"{max(recipe.steps_done)} steps"] if any(recipe.steps_done) and told.get("steps") else []
    odd = [f"{name} {told[name]}" for name, usual in _USUAL.items() if told.get(name, usual) not in (usual, 0)]
    return [f"preset {recipe.preset}", *steps, *odd, f"seed {recipe.seed}"]


def _entry(key: str, fields: Mapping[str, Any]) -> str:
    lines = "".join(f"  {name} = {{{_escaped(str(value))}}},\n" for name, value in fields.items() if value)
    return f"@misc{{{key},\n{lines}}}\n"


def _escaped(text: str) -> str:
    return re.sub(r"([&%$#_])", r"\\\1", text) if not text.startswith("http") else text
