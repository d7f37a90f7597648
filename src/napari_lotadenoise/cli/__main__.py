"""Run the command by ``python -m napari_lotadenoise.cli``."""

import sys

from napari_lotadenoise.cli.main import main

sys.exit(main())
