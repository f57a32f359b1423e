"""Names of what stands beside the models in every comparison."""

GRAYSCALE = "grayscale"
MEAN_COLOUR = "mean colour"
TRUTH = "truth"  # stands in the rows as a system that has only what needs no comparison
RESERVED = frozenset({GRAYSCALE, MEAN_COLOUR, TRUTH})
