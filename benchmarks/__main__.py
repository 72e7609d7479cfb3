"""``python -m benchmarks``: measure, and print one line of JSON per figure."""

import sys

from benchmarks.measure import main

sys.exit(main())
