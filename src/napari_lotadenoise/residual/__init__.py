"""What a denoiser has removed: strength, whiteness, structure, and artefacts of the result; no truth is needed."""

from napari_lotadenoise.residual.report import ResidualReport, examine, leak_map

__all__ = ["ResidualReport", "examine", "leak_map"]
