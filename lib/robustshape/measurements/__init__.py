"""What is measured of a network on images and kept: features, predictions on corrupted images, attacks.

One way: a `Network` and images give arrays, each a `robustshape.store.kept.Kept` entry of the cache; nothing here
knows of studies.
"""
