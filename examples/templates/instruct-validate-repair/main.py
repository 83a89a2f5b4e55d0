"""Has an announcement written, checks it, and has it repaired until it is as required, or until three attempts are over."""

import logging
import re
import sys
from pathlib import Path

from mellea import MelleaLogger, req, simple_validate, start_session
from mellea.stdlib.sampling import RepairTemplateStrategy

FACTS = Path("facts.txt").read_text().strip()
MOST_WORDS = 60
ATTEMPTS = 3


def is_short(text: str) -> tuple[bool, str]:
    words = len(text.split())
    # What is said here goes back to the model, which can do better with "71 words" than with "wrong".
    return words <= MOST_WORDS, f"It has {words} words; at most {MOST_WORDS} are allowed."


def names_the_date(text: str) -> tuple[bool, str]:
    return "14 March" in text, "It has to name the date: 14 March."


def has_no_placeholder(text: str) -> tuple[bool, str]:
    found = re.findall(r"\[[^\]]*\]", text)
    return not found, f"It has placeholders: {', '.join(found)}. Leave out what is not known."


# Each is said to the model, and checked by a function: no model judges its own work. A requirement without a
# `validation_fn` is judged by the model, for what no function can tell.
REQUIREMENTS = [
    req(f"at most {MOST_WORDS} words", validation_fn=simple_validate(is_short)),
    req("names the date, 14 March", validation_fn=simple_validate(names_the_date)),
    req("has no placeholders in square brackets", validation_fn=simple_validate(has_no_placeholder)),
]


def main(audience: str) -> int:
    MelleaLogger.get_logger().setLevel(logging.ERROR)
    with start_session() as session:
        result = session.instruct(
            "Write an announcement of the event for {{audience}}.",
            grounding_context={"facts": FACTS},
            user_variables={"audience": audience},
            requirements=REQUIREMENTS,
            strategy=RepairTemplateStrategy(loop_budget=ATTEMPTS),
            return_sampling_results=True,
        )
    for number, checks in enumerate(result.sample_validations, 1):
        failed = [check.reason for _, check in checks if not check]
        print(f"attempt {number}: {'as required' if not failed else ' '.join(failed)}")
    text = str(result.result)
    print(f"\n{text}")
    Path("/output/announcement.txt").write_text(text + "\n")
    if result.success:
        return 0
    print(f"\nAfter {ATTEMPTS} attempts it is still not as required.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:]) or "the people of the town"))
