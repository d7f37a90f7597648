"""Is the noise report right? Verdict and truth side by side, sigma on white noise, and the gain against the true one.

    python benchmarks/noise.py --write docs/noise.md

The truth of a data set is what its description says; of captures with a reference the variance is fitted to the true residual.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import captures
import numpy as np
from cases import DATA
from skimage import io
from tifffile import imread

from napari_lotadenoise import estimate_noise
from napari_lotadenoise.cli.tables import markdown, refresh
from napari_lotadenoise.noise import ESTIMATORS, NoiseCorrelation, VarianceFit, fit_planes, photon_transfer
from napari_lotadenoise.noise.correlation import LAGS

#: Images of a data set that are judged.
SOME = 3
#: Relative error of sigma that is asked for.
NEAR = 0.2


@dataclass(frozen=True)
class Known:
    """What is known of a data set: files, axes, and the truth as far as it is told (None: nothing is said)."""

    name: str
    files: str
    correlated: bool | None
    signal_dependent: bool | None = None
    saturated: bool | None = None
    axes: str = "YX"


SETS = (
    Known("FMD confocal", "FMD/raw/Confocal_MICE_*.png", False, True),
    Known("FMD two-photon B", "FMD/raw/TwoPhoton_BPAE_B_*.png", False, True),
    Known("FMD two-photon G", "FMD/raw/TwoPhoton_BPAE_G_*.png", False, True),
    Known("FMD two-photon R", "FMD/raw/TwoPhoton_BPAE_R_*.png", False, True),
    Known("FMD wide-field", "FMD/raw/WideField*.png", True),
    Known("FMD confocal, field 1", "Confocal_FMD_FOV1/noisy/*.tif", None, True),
    Known("Live cells (Noise2Fast)", "LiveCells_N2F/noisy/*", False),
    Known("W2S", "W2S_8bit/avg1/*", False, None, True),
    Known("Bacteria", "Bacteria_16bit/noisy*", False),
    Known("Convallaria", "Convallaria_PN2V/*", True),
    Known("Calcium movie (SRDTrans)", "SRDTrans_calcium/noisy/*", False),
    Known("M51", "Astronomy/*", False),
    Known("Beads", "Stacks_3D/Bead*", False, axes="ZYX"),
    Known("Membrane time-lapse", "Stacks_3D/membrane*", False, axes="TYX"),
    Known("Chest X-ray (resized)", "XRay/NIH*.png", True),
    Known("Chest X-ray TBX11K", "XRay/TBX*.png", True, axes="YXS"),
    Known("X-ray, JPEG", "XRay/*.jpg", True, axes="YXS"),
    Known("Dental panorama", "Dental_panoramic/*", True),
    Known("PolyU (JPEG)", "PolyU/*real*", True, axes="YXS"),
    Known("CC", "CC/*real*", True, axes="YXS"),
)
CLEAN = ("Set12/*.png", "BSD68/*.png")
SIGMAS = (10, 15, 25, 50)


def main() -> None:
    """Print the tables, or write them between the marks of a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    parts = {
        "verdicts": verdicts(options.data),
        "levels": levels(options.data),
        "sigmas": sigmas(options.data),
        "gains": gains(options.data),
    }
    if options.write is None:
        print(*parts.values(), sep="\n")
        return
    text = options.write.read_text(encoding="utf-8")
    for name, table in parts.items():
        text = refresh(text, name, table)
    options.write.write_text(text, encoding="utf-8")


def verdicts(data: Path) -> str:
    """Return the verdict against truth for each data set."""
    rows = []
    for known in SETS:
        files = sorted(data.glob(known.files))[:SOME]
        reports = [estimate_noise(_read(path), known.axes) for path in files]
        for path, report in zip(files, reports, strict=True):
            found = (report.correlated, report.signal_dependent, report.saturated > 1e-3)
            truth = (known.correlated, known.signal_dependent, known.saturated)
            right = all(t is None or t == f for t, f in zip(truth, found, strict=True))
            words = (("correlated", "independent"), ("signal-dependent", "constant"), ("saturated", "not saturated"))
            said = ", ".join(pair[0 if t else 1] for t, pair in zip(truth, words, strict=True) if t is not None)
            rows.append((known.name, path.name[:28], said or "-", report.verdict, "yes" if right else "**no**"))
    share = sum(row[-1] == "yes" for row in rows)
    return markdown(("data", "file", "truth", "verdict", "right"), rows) + f"\n{share} of {len(rows)} are right.\n"


def levels(data: Path) -> str:
    """Return sigma and degree against the true residual, after a fit of gain and offset, for every capture with a reference."""
    rows = []
    for name in captures.SETS:
        ratios, degrees = [], []
        for capture in captures.captures(data, name):
            report = estimate_noise(capture.noisy)
            residual = capture.noisy - captures.fitted(capture.truth, capture.noisy)
            ratios.append(report.sigma / residual.std())
            degrees.append(report.noise_correlation.degree is NoiseCorrelation(autocorrelation(residual)).degree)
        near = sum(abs(ratio - 1) <= NEAR for ratio in ratios)
        low, middle, high = (f"{value:.2f}" for value in np.quantile(ratios, (0, 0.5, 1)))
        rows.append((name, str(len(ratios)), f"{middle} ({low} to {high})", str(near), str(sum(degrees))))
    return markdown(
        ("set", "captures", "sigma / true: median (range)", f"within {NEAR:.0%}", "degree as of the true residual"),
        rows,
    )


def autocorrelation(residual: np.ndarray) -> np.ndarray:
    """Return the correlation of a residual at each lag along y and x, the mean over both diagonals."""
    flat = residual - residual.mean()
    values = np.empty((LAGS + 1, LAGS + 1))
    for dy in range(LAGS + 1):
        for dx in range(LAGS + 1):
            rows, columns = flat.shape[0] - dy, flat.shape[1] - dx
            down = (flat[:rows, :columns] * flat[dy:, dx:]).mean()
            up = (flat[dy:, :columns] * flat[:rows, dx:]).mean()
            values[dy, dx] = (down + up) / 2
    return values / values[0, 0]


def sigmas(data: Path) -> str:
    """Return the median and largest relative error of every estimator on white noise."""
    rows = []
    for sigma in SIGMAS:
        errors: dict[str, list[float]] = {name: [] for name in ("reported", *ESTIMATORS)}
        for path, truth in _clean(data):
            noise = np.random.default_rng(zlib.crc32(path.name.encode())).normal(0, sigma, truth.shape)
            report = estimate_noise((truth + noise).astype(np.float32))
            for name, value in {"reported": report.sigma, **report.estimates}.items():
                errors[name].append(value / sigma - 1)
        rows.append((str(sigma), *(f"{np.median(e):+.1%} ({max(e, key=abs):+.0%})" for e in errors.values())))
    return markdown(("true sigma", "reported", *ESTIMATORS), rows)


def gains(data: Path) -> str:
    """Return the blind gain against the one that the reference tells, by field."""
    fields: dict[str, list[tuple[float, float]]] = {}
    pairs = [(path, data / "FMD" / "gt" / path.name) for path in sorted((data / "FMD" / "raw").glob("[CT]*.png"))]
    confocal = data / "Confocal_FMD_FOV1"
    pairs += [(path, confocal / "gt" / path.name) for path in sorted((confocal / "noisy").glob("*.tif"))]
    for noisy, truth in pairs:
        image, clean = _read(noisy).astype(np.float32), _read(truth).astype(np.float32)
        field = noisy.stem.rsplit("_", 1)[0] if "FMD/" in str(noisy) else f"field 1, {noisy.stem}"
        fields.setdefault(field, []).append((fit_planes([image]).gain, _true_fit(image, clean).gain))
    rows = [
        (name, str(len(found)), *(f"{value:.2f}" for value in np.mean(found, axis=0)), f"{_ratio(found):.2f}")
        for name, found in fields.items()
    ]
    return markdown(("field", "captures", "blind gain", "true gain", "ratio"), rows)


def _true_fit(image: np.ndarray, clean: np.ndarray) -> VarianceFit:
    """Fit of the true residual: two frames whose half squared difference is the squared residual, binned by the truth."""
    residual = (image - clean) * np.sqrt(2)
    residual[image >= image.max()] = 0
    return photon_transfer(np.stack([clean + residual / 2, clean - residual / 2]))


def _ratio(found: list[tuple[float, float]]) -> float:
    blind, true = np.mean(found, axis=0)
    return float(blind / true)


def _clean(data: Path) -> Iterator[tuple[Path, np.ndarray]]:
    for pattern in CLEAN:
        for path in sorted(data.glob(pattern)):
            image = _read(path)
            yield path, (image if image.ndim == 2 else image[..., 0]).astype(np.float32)


def _read(path: Path) -> np.ndarray:
    return imread(path) if path.suffix in (".tif", ".tiff") else io.imread(path)


if __name__ == "__main__":
    main()
