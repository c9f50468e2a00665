"""Networks that make images, and what moving their inner dimensions does to a classifier."""
