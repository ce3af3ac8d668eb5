"""Published tables to self-contained HTML pages."""
