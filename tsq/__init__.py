"""tsq: a SQL-first portfolio engine for Indian equities."""

__version__ = "0.1.0"
