"""The API for other offices' systems: push a list, read what became of it. Source: docs/guide/exchange.md."""
