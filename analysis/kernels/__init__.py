"""Arrays in, arrays out: the numerical work beneath the estimators, without data frames, names or prose.

Every kernel raises when it is handed a value that is not finite, and none of them loops over participants or draws in
Python. `linear` solves least squares, `sandwich` and `clusters` give its covariances, `absorb` takes out fixed
effects, `permute` and `wild` redraw assignments and residuals.
"""
