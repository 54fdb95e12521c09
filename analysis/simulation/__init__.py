"""The machinery behind `analysis.simulate`: worlds, batched kernels, the general path and the fan-out."""
