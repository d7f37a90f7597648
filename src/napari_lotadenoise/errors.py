"""Typed errors: each carries one sentence that says what was wrong and what to do."""

from __future__ import annotations


class LotaDenoiseError(Exception):
    """Base of every error that this package raises on purpose."""


class ParameterError(LotaDenoiseError, ValueError):
    """A hyper-parameter or an option is unknown, of the wrong type or out of its bounds."""


class MethodError(LotaDenoiseError, ValueError):
    """The method asked for does not exist, or cannot work on this kind of image."""


class ImageError(LotaDenoiseError, ValueError):
    """The image cannot be denoised as it is (NaN, constant, complex, empty, too small ...)."""


class NotFiniteError(ImageError):
    """The image holds NaN or inf, which can be filled."""


class AxesError(LotaDenoiseError, ValueError):
    """The axes do not fit the image."""


class DeviceError(LotaDenoiseError, RuntimeError):
    """The device asked for is not available."""


class TrainingError(LotaDenoiseError, RuntimeError):
    """Training went wrong, for example because the loss became NaN."""


class WeightsError(LotaDenoiseError, RuntimeError):
    """Weights that come with the package are missing or damaged."""


class FileError(LotaDenoiseError, ValueError):
    """A file cannot be read, or must not be written."""
