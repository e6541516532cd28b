"""Quizzes: each tutorial ends with three questions, and each answer opens to what is right or wrong in it."""

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from guidelib.course.exercises import solved, student, tagged

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
READ = {path.stem: nbformat.read(path, 4) for path in NOTEBOOKS}
QUESTION = re.compile(r"^\*\*(\d)\.\*\* (?=\S)", re.MULTILINE)
OPENS = '<details class="answer">'
ANSWER = re.compile(rf"^{OPENS}<summary>(?P<answer>.+)</summary>\n\n(?P<feedback>.+(\n.+)*)\n\n</details>$",
                    re.MULTILINE)
RIGHT, WRONG = "Right: ", "No: "


def quiz(nb):
    """The source of a notebook's quiz."""
    (cell,) = [cell for cell in nb.cells if "quiz" in cell.metadata.get("tags", [])]
    return cell.source


def questions(source):
    """[[(answer, feedback), ...], ...], a list for each question of a quiz."""
    _, *parts = QUESTION.split(source)  # number, text, number, text, ...
    return [[found.group("answer", "feedback") for found in ANSWER.finditer(text)] for text in parts[1::2]]


def places(asked):
    """Where right answers stand among those of a question, the first at 0."""
    return [i for i, (_, feedback) in enumerate(asked) if feedback.startswith(RIGHT)]


@pytest.mark.parametrize("notebook", READ)
class TestQuiz:
    def test_is_one_cell_of_text_before_the_recap(self, notebook):
        cells = READ[notebook].cells
        (at,) = [i for i, cell in enumerate(cells) if "quiz" in cell.metadata.get("tags", [])]
        assert (cells[at].cell_type, cells[at].id) == ("markdown", "quiz")
        assert re.search(r"^## Recap$", cells[at + 1].source, re.MULTILINE)
        first, empty, second, *_ = cells[at].source.splitlines()
        assert (first, empty) == ("## Check yourself", "")
        assert "pen the answer that you would give" in second

    def test_has_three_numbered_questions_of_three_or_four_answers(self, notebook):
        source = quiz(READ[notebook])
        assert QUESTION.findall(source) == ["1", "2", "3"]
        assert {len(asked) for asked in questions(source)} <= {3, 4}

    def test_has_one_right_answer_a_question(self, notebook):
        assert [len(places(asked)) for asked in questions(quiz(READ[notebook]))] == [1, 1, 1]

    def test_says_of_each_answer_why(self, notebook):
        for asked in questions(quiz(READ[notebook])):
            assert len({answer for answer, _ in asked}) == len(asked)
            for _, feedback in asked:
                assert feedback.startswith((RIGHT, WRONG)), feedback
                assert len(feedback) >= 40, feedback

    def test_holds_no_answer_that_the_pattern_misses(self, notebook):
        """Tags are balanced. After each summary stands a blank line, or Markdown inside would stay raw."""
        source = quiz(READ[notebook])
        answers = sum(map(len, questions(source)))
        for tag in (OPENS, "<details", "</details>", "<summary>", "</summary>"):
            assert source.count(tag) == answers, tag

    def test_rests_on_no_measured_number(self, notebook):
        assert not re.search(r"\d\s*(%|per cent|points)", quiz(READ[notebook]))

    def test_renders_as_headings_paragraphs_and_details(self, notebook):
        """As on GitHub: a summary is HTML, so that no Markdown may be in it, and feedback is a paragraph."""
        from markdown_it import MarkdownIt  # of the book

        source = quiz(READ[notebook])
        blocks = [token for token in MarkdownIt("commonmark").parse(source) if token.level == 0]
        kinds = Counter(token.type for token in blocks)
        answers = sum(map(len, questions(source)))
        assert {kind.partition("_")[0] for kind in kinds} == {"heading", "paragraph", "html"}
        assert kinds["heading_open"] == 1
        assert kinds["paragraph_open"] == 1 + 3 + answers
        for answer, _ in sum(questions(source), []):
            assert not re.search(r"[*_`$<>]|&(?!lt;|gt;|amp;)", answer), answer

    def test_goes_to_students_and_into_the_solved_copy_as_it_is(self, notebook):
        nb = READ[notebook]
        assert quiz(student(nb)) == quiz(solved(nb)) == quiz(nb)
        assert tagged(nb, "solution").keys() == tagged(solved(nb), "solution").keys()


def test_a_right_answer_is_not_to_be_found_by_its_place_or_its_length():
    place, length, most = Counter(), Counter(), len(READ) * 3 / 2
    for nb in READ.values():
        for asked in questions(quiz(nb)):
            (right,) = places(asked)
            lengths = [len(answer) for answer, _ in asked]
            place[right] += 1
            length["longest"] += lengths[right] == max(lengths)
            length["shortest"] += lengths[right] == min(lengths)
    assert len(place) == 4
    assert max(place.values()) < most
    assert max(length.values()) < most


@pytest.mark.parametrize("broken", [
    '<details class="answer"><summary>a</summary>\nRight: it is.\n\n</details>',  # Markdown would stay raw
    '<details class="answer"><summary>a</summary>\n\nRight: it is.\n</details>',
    '<details><summary>a</summary>\n\nRight: it is.\n\n</details>',
])
def test_the_pattern_sees_an_answer_only_if_it_renders(broken):
    fine = '<details class="answer"><summary>a</summary>\n\nRight: it is.\n\n</details>'
    assert questions(f"**1.** Why?\n\n{fine}") == [[("a", "Right: it is.")]]
    assert questions(f"**1.** Why?\n\n{broken}") == [[]]
