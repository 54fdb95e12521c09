"""One module a method. `METHODS` is the table that `from_dict` reads; adding a method is adding a line."""

METHODS: dict[str, str] = {
    "adaptive": "adaptive",
    "biased_coin": "biased_coin",
    "big_stick": "big_stick",
    "block_urn": "block_urn",
    "blocked": "blocked",
    "clustered": "clustered",
    "complete": "complete",
    "factorial": "factorial",
    "lottery": "lottery",
    "matched_pairs": "matched_pairs",
    "maximal_procedure": "maximal_procedure",
    "minimization": "minimization",
    "permuted_blocks": "permuted_blocks",
    "rerandomized": "rerandomized",
    "simple": "simple",
    "stepped_wedge": "stepped_wedge",
    "two_stage": "two_stage",
    "urn": "urn",
}
