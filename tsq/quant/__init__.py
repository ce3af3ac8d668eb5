"""Pure numerics over numpy and polars: the ledger's step functions and the charge rules. Knows no engine."""
