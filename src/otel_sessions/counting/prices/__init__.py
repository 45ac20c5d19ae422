"""What a model call costs: the `Pricer` protocol and the pricers behind it."""
