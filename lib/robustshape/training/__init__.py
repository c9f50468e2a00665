"""Training of any torch module: recipes, augmentation of batches, and one plain loop."""
