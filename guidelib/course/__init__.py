"""What notebooks, book and classroom need: where the checkout is, and notebooks that run without a front end."""
