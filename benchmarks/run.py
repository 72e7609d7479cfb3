#!/usr/bin/env python
"""Measure, and print one line of JSON per figure: ``python benchmarks/run.py --help``."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    runpy.run_module("benchmarks", run_name="__main__")
