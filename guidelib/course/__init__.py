"""What notebooks, book and classroom need: where the checkout is, and notebooks run without a front end."""
