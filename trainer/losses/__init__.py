"""What the networks are trained to make small. Each term is a function of tensors; the config weighs them."""
