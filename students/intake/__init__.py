"""From a read sheet to staged rows: places found, numbers sealed and indexed, keys fixed."""
