"""`python -m pronghorn` is the command `pronghorn`."""

import sys

from pronghorn.cli.main import main

sys.exit(main())
