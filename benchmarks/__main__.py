"""Measures what benchmarks/README.md claims, and prints it as Markdown: ``make bench``."""

from __future__ import annotations

from benchmarks import growth, unchanged

unchanged.measure()
growth.measure()
