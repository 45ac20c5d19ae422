"""The cost of a model call: the `Pricer` protocol and the pricers that implement it."""
