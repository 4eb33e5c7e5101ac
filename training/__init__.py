"""Scripts that make the weights of the plate reader again. Needs the ``train`` environment; see README.md."""
