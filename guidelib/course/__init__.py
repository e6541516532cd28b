"""What notebooks, book and classroom need: the lesson, the checkout, and notebooks without a front end."""

from .lesson import Lesson
from .runs import Runs

__all__ = ["Lesson", "Runs"]
