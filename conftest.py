"""The names that every example in a docstring may use without importing them."""

import pytest
import torch


@pytest.fixture(autouse=True)
def names_of_the_examples(doctest_namespace):
    doctest_namespace |= {"torch": torch, "nn": torch.nn}
