"""The judge against the peers: other libraries, and second solutions, handed in as submissions of every lesson.

A judge that rejects PyTorch has a wrong idea of what is right. Each solution is judged with ten seeds that no test uses.

    python benchmarks/peers.py
"""

from pathlib import Path

from groundup.course.holes.library import Submission
from groundup.course.judging.judge import Judge
from groundup.course.lessons.lesson import find_all

SOLUTIONS = Path(__file__).parents[1] / "tests" / "solutions"
SEEDS = range(9000, 9010)


def main():
    """A row for each lesson and solution: how many seeds passed, and how many cases they were."""
    print(f"{'lesson':8}{'solution':12}{'seeds passed':>14}{'cases':>8}")
    with Judge() as judge:
        for lesson in find_all():
            for path in sorted((SOLUTIONS / lesson.section_id).iterdir()):
                if path.name.startswith("_"):
                    continue
                files = {b: (path if path.is_file() else path / Path(b).name).read_bytes() for b in lesson.builds}
                submission = Submission(files, any_imports=path.stem.startswith("adapter"))
                verdicts = [judge.check(lesson, submission, seed) for seed in SEEDS]
                cases = sum(c.cases for verdict in verdicts for c in verdict.checkpoints)
                print(
                    f"{lesson.section_id:8}{path.stem:12}{sum(v.passed for v in verdicts):>8} of {len(verdicts)}{cases:>8}"
                )


if __name__ == "__main__":
    main()
