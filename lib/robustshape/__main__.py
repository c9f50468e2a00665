"""``python -m robustshape`` is the ``robustshape`` command."""

import sys

from robustshape.cli import main

sys.exit(main())
