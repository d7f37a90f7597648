"""Every benchmark can at least be imported, so that a change of the package does not break it unnoticed."""

import subprocess
import sys

from tests.helpers import ROOT

IMPORT_ALL = """
import importlib, sys
from pathlib import Path
for path in sorted(Path("benchmarks").glob("*.py")):
    importlib.import_module(path.stem)
    print(path.stem)
"""


def test_benchmarks_are_importable():
    environment = {
        "PYTHONPATH": f"{ROOT / 'benchmarks'}",
        "PATH": "",
        "HOME": str(ROOT),
        "QT_QPA_PLATFORM": "offscreen",
    }
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250
    )
    assert run.returncode == 0, run.stderr
    assert set(run.stdout.split()) == {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
