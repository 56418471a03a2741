"""Pages of the first floor, one module per page or family of pages."""
