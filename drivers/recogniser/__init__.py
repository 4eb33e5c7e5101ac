"""Plate recognisers: a picture in, candidates out."""
