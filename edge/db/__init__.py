"""The only SQL of the edge: one module a table family, plain functions over one connection."""
