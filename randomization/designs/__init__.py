"""One module a method. `METHODS` is the table that `from_dict` reads; adding a method is adding a line."""

METHODS: dict[str, str] = {
    "simple": "simple",
    "complete": "complete",
    "blocked": "blocked",
    "permuted_blocks": "permuted_blocks",
    "big_stick": "big_stick",
}
