"""Published tables to self-contained HTML pages."""

from tsq.report.cards import Problem
from tsq.report.site import Site, build_site, make_site

__all__ = ["Problem", "Site", "build_site", "make_site"]
