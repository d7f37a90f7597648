"""How far the scores without a truth are from the true ones, on simulated noise: the tables of docs/scores.md.

Needs no data and about a minute and a half on one core:

    PYTHONPATH=src python benchmarks/scores.py

*Gap*: estimated minus true PSNR in dB, mean over the images and seeds, and the largest without its sign. The images are the
middle of scikit-image's photograph of a cameraman and a synthetic slice of a confocal stack, 160 x 160 pixels.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage
from skimage import data
from skimage.restoration import denoise_tv_chambolle

from napari_lotadenoise import samples
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.metrics import heldout_error, masked_psnr, psnr, pure, sure, upsnr
from napari_lotadenoise.noise import estimate_noise
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.prediction.tiling import Tile
from napari_lotadenoise.residual import examine
from napari_lotadenoise.training.trainer import Trainer

SIDE, SIGMA, PEAK = 160, 20.0, 255.0
#: Grey levels a photo-electron, and read noise in grey levels.
GAIN, READ = 4.0, 4.0
#: Of the networks; a third of their fast presets.
STEPS = 300
Denoiser = Callable[[np.ndarray], np.ndarray]
DENOISERS: dict[str, Denoiser] = {
    "blur 0.7": lambda y: ndimage.gaussian_filter(y, 0.7),
    "blur 1.5": lambda y: ndimage.gaussian_filter(y, 1.5),
    "median 5 x 5": lambda y: ndimage.median_filter(y, 5),
    "total variation": lambda y: denoise_tv_chambolle(y, weight=25.0, eps=1e-5, max_num_iter=100),
}


class Gap(NamedTuple):
    """One estimate beside the truth, in dB; none where the estimated error was not positive."""

    found: float | None
    true: float


def main() -> None:
    options = _parse()
    torch.set_num_threads(1)
    start = time.perf_counter()
    _agreement(options.seeds)
    _residuals()
    if options.networks:
        _networks(options.networks)
    print(f"\n{time.perf_counter() - start:.0f} s")


def _agreement(seeds: int) -> None:
    print("| score | noise | denoiser | true PSNR | mean gap | largest gap |\n|---|---|---|---|---|---|")
    for score, (noise, judge) in SCORES.items():
        for name, denoiser in DENOISERS.items():
            gaps = [judge(truth, denoiser, seed) for truth in _truths() for seed in range(seeds)]
            print(f"| {score} | {noise} | {name} | {_columns(gaps)} |", flush=True)


def _columns(gaps: list[Gap]) -> str:
    off = [gap.found - gap.true for gap in gaps if gap.found is not None]
    lost = len(gaps) - len(off)
    worst = f"{max(map(abs, off)):.2f}" + (f" ({lost} without an answer)" if lost else "") if off else "no answer"
    mean = f"{np.mean(off):+.2f}" if off else ""
    return f"{np.mean([gap.true for gap in gaps]):.2f} | {mean} | {worst}"


def _masked(truth: np.ndarray, denoiser: Denoiser, seed: int, sigma: float | None = SIGMA) -> Gap:
    """Compare with the error of the denoiser with holes, which is what is estimated."""
    noisy, seen = _gaussian(truth, seed), []

    def filtered(y: np.ndarray) -> np.ndarray:
        found = denoiser(y)
        hidden = y != noisy
        seen.append((found - truth)[hidden] ** 2)
        return found

    error = heldout_error(filtered, noisy, sets=8)
    true = 10 * np.log10(PEAK**2 / np.mean(np.concatenate(seen)))
    return Gap(masked_psnr(error, sigma or estimate_noise(noisy).sigma, PEAK).psnr, true)


def _sure(truth: np.ndarray, denoiser: Denoiser, seed: int) -> Gap:
    noisy = _gaussian(truth, seed)
    return Gap(sure(denoiser, noisy, SIGMA, PEAK, seed=seed).psnr, psnr(denoiser(noisy), truth, PEAK))


def _pure(truth: np.ndarray, denoiser: Denoiser, seed: int) -> Gap:
    noisy = _photons(truth, seed)
    return Gap(pure(denoiser, noisy, GAIN, READ, PEAK, seed=seed).psnr, psnr(denoiser(noisy), truth, PEAK))


def _repeats(truth: np.ndarray, denoiser: Denoiser, seed: int) -> Gap:
    a, b, c = (_photons(truth, 100 * seed + k) for k in (1, 2, 3))
    found = denoiser(b)
    return Gap(upsnr(a, b, c, found, PEAK).psnr, psnr(found, truth, PEAK))


SCORES: dict[str, tuple[str, Callable[[np.ndarray, Denoiser, int], Gap]]] = {
    "masked, sigma known": ("Gaussian", _masked),
    "masked, sigma estimated": ("Gaussian", lambda truth, f, seed: _masked(truth, f, seed, None)),
    "SURE": ("Gaussian", _sure),
    "PURE": ("photons", _pure),
    "uPSNR": ("photons", _repeats),
}


def _residuals() -> None:
    print("\n| denoiser | ratio | whiteness | structure | sentence |\n|---|---|---|---|---|")
    truth = next(_truths())
    noisy = _gaussian(truth, 0)
    tried = {"truth": lambda _: truth, "half of the noise": lambda y: (y + truth) / 2, **DENOISERS}
    for name, denoiser in tried.items():
        report = examine(noisy, denoiser(noisy), sigma=SIGMA)
        print(
            f"| {name} | {report.ratio:.2f} | {report.whiteness.score:.2f} | {report.structure:.1%} | {report.sentence} |"
        )


def _networks(names: list[str]) -> None:
    """Return the SURE of a network that was trained on the image: with frozen weights, and of the whole training.

    With the sigma of this very draw of the noise, so that the gap is that of the network.
    """
    print("\n| network | true PSNR | SURE, frozen weights | SURE, trained anew | seconds |\n|---|---|---|---|---|")
    truth = next(_truths())
    noisy = _gaussian(truth, 0).astype(np.float32)
    sigma = float(np.std(noisy - truth))
    for name in names:
        start = time.perf_counter()
        frozen = _trained(name, noisy)
        true = psnr(frozen(noisy), truth, PEAK)
        whole = lambda y, n=name: _trained(n, y)(y)  # noqa: E731
        estimates = [sure(function, noisy, sigma, PEAK) for function in (frozen, whole)]
        print(
            f"| `{name}` | {true:.2f} | {' | '.join(map(str, estimates))} | {time.perf_counter() - start:.0f} |",
            flush=True,
        )


def _trained(name: str, image: np.ndarray) -> Denoiser:
    """Train for a third of the fast preset, and freeze the weights."""
    offset, unit = float(image.mean()), float(image.std())
    method, training = configure(METHODS[name], "fast", steps=STEPS)
    training_images = torch.from_numpy((image - offset) / unit)[None, None]
    trainer = Trainer(training_images, method, training, seed=0, unit=unit)
    while trainer.step_number < training.steps and not trainer.exhausted() and not trainer.stop_reason:
        trainer.step()
    trainer.restore_best()
    predictor = Predictor.of(trainer, Scale(np.zeros(1, np.float32), np.ones(1, np.float32)))

    def denoise(y: np.ndarray) -> np.ndarray:
        scaled = torch.from_numpy(((y - offset) / unit).astype(np.float32))[None, None]
        outputs = list(predictor.outputs(Tile.whole(scaled)))
        return torch.stack(outputs).mean(0)[0, 0].numpy() * unit + offset

    return denoise


def _truths() -> Iterator[np.ndarray]:
    yield data.camera()[100 : 100 + SIDE, 180 : 180 + SIDE].astype(np.float64)
    slice_ = samples.confocal((3, SIDE, SIDE))[1][1].astype(np.float64)
    yield 10 + 200 * (slice_ - slice_.min()) / np.ptp(slice_)


def _gaussian(truth: np.ndarray, seed: int) -> np.ndarray:
    return truth + np.random.default_rng(seed).normal(0, SIGMA, truth.shape)


def _photons(truth: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return GAIN * rng.poisson(truth / GAIN) + rng.normal(0, READ, truth.shape)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--networks", nargs="*", default=["lota-n2n", "noise2self"], help="none, to leave them out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
