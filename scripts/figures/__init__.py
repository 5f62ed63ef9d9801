"""Figures of runs: `standard`, the charts that every run gets, and `media`, figures for a paper, a talk or a page."""
