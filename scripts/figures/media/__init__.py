"""Figures for a paper, a talk or a page: any column against any other, of any number of runs."""
