"""Published tables, and what a project says of itself, to self-contained HTML pages."""
