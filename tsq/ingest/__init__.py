"""Exchange files in, raw lake out: formats, validation, quarantine and the demo market."""
