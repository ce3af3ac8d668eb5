"""Published tables to self-contained HTML pages."""

from tsq.report.cards import Problem
from tsq.report.site import Site, make_site

__all__ = ["Problem", "Site", "make_site"]
