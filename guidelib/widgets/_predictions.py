"""What a learner expects before running a cell: kept, and shown beside what came out."""

from ._explorer import interactive


class Prediction:
    """A question before its answer: options to choose from, or a line to fill in on paper.

    >>> Prediction("Will it learn?", ["yes", "no"]).said
    ''
    """

    def __init__(self, question, options):
        self.question = question
        self.options = options
        self.widget = None

    @property
    def answer(self):
        """The option chosen, or None."""
        return self.widget.value if self.widget else None

    @property
    def said(self):
        """The learner's answer as a sentence in Markdown, "" without one."""
        return "" if self.answer is None else f"You predicted: *{self.answer}*."

    def _ipython_display_(self):
        from IPython.display import Markdown, display

        display(self.live() if interactive() else Markdown(self.paper()))

    def live(self):
        """The question and its options as one ipywidget."""
        import ipywidgets as ipw

        if self.widget is None:
            self.widget = ipw.RadioButtons(options=self.options, value=None,
                                           layout=ipw.Layout(width="max-content"))
        return ipw.VBox([ipw.HTML(f"<b>Predict.</b> {self.question}"), self.widget])

    def paper(self):
        """The question in Markdown, with a line to fill in."""
        options = "\n".join(f"- {option}" for option in self.options)
        return f"**Predict.** {self.question}\n\n{options}\n\nMy prediction: \\_\\_\\_\\_\\_\\_\\_\\_"
