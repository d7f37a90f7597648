"""Who may know whom, and what is not imported until it is needed: in fresh interpreters."""

import subprocess
import sys

GUI = ("napari", "magicgui", "qtpy", "superqt", "pyqtgraph", "PyQt6", "PySide6", "vispy")


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HIDE = f"""
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {GUI}:
            raise ModuleNotFoundError(f"No module named {{name!r}}")
sys.meta_path.insert(0, Hidden())
"""


def test_the_core_runs_where_neither_napari_nor_qt_is_installed():
    code = HIDE + (
        "import numpy as np\n"
        "from napari_lotadenoise import denoise, estimate_noise, METHODS\n"
        "from napari_lotadenoise.cli.main import main\n"
        "image = np.random.default_rng(0).random((32, 32))\n"
        "single = [name for name, kind in METHODS.items() if not kind.requires.repeats]\n"
        "for method in single: assert denoise(image, method, steps=2, threads=1).image.shape == (32, 32)\n"
        "estimate_noise(image)\n"
        "assert main(['methods']) == 0\n"
        f"print(sorted(set(m.split('.')[0] for m in sys.modules) & set({GUI})))"
    )
    assert python(code).splitlines()[-1] == "[]"


def test_importing_the_package_and_asking_for_methods_imports_no_torch():
    code = (
        "import sys, napari_lotadenoise as n\n"
        "assert 'numpy' not in sys.modules, 'the bare import should import nothing'\n"
        "import napari_lotadenoise.cli.main, napari_lotadenoise.samples\n"
        "assert len(n.METHODS) >= 4\n"
        "print('torch' in sys.modules)"
    )
    assert python(code) == "False"


def test_a_comparison_needs_no_matplotlib_and_its_figure_no_pyplot():
    code = (
        "import sys, napari_lotadenoise.cli.main, napari_lotadenoise.comparison, napari_lotadenoise.comparison.folder\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)\n"
        "import numpy as np\n"
        "from napari_lotadenoise.comparison import Comparison\n"
        "from napari_lotadenoise.comparison.figure import figure, save\n"
        "drawn = figure(Comparison(np.ones((32, 32)), 'YX', ()))\n"
        "import os, tempfile\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    save(drawn, os.path.join(folder, 'a.png'))\n"
        "    save(drawn, os.path.join(folder, 'a.pdf'))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    assert python(code) == "False"


def test_the_commands_work_where_neither_napari_nor_qt_is_installed(tmp_path):
    code = HIDE + (
        "import os, numpy as np, tifffile\n"
        "from napari_lotadenoise.cli.main import main\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "tifffile.imwrite('in.tif', np.random.default_rng(0).normal(100, 10, (48, 48)).astype(np.float32))\n"
        "print([main([*words.split(), '--quiet']) for words in ('run in.tif out.tif', 'batch in.tif --out b --method median',\n"
        "       'compare in.tif --methods gaussian,median --out compared')])"
    )
    assert python(code).splitlines()[-1] == "[0, 0, 0]"
    assert (tmp_path / "compared" / "figure.png").exists()
