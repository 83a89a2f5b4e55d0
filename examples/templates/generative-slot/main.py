"""Reads reviews, and says of each how its writer feels and what is wrong with the product."""

import json
import logging
import sys
from pathlib import Path
from typing import Literal

from mellea import MelleaLogger, generative, start_session
from pydantic import BaseModel


class Complaint(BaseModel):
    part: str
    problem: str


# A generative slot is a function without a body: its name, its types and its docstring are the prompt, and the model
# has to answer with a value of the result's type. Change the docstring, and the answers change.
@generative
def classify_sentiment(review: str) -> Literal["positive", "negative", "mixed"]:
    """Say how the writer of a review of a product feels about it."""


@generative
def find_complaints(review: str) -> list[Complaint]:
    """List what the writer of a review complains about. The list is empty when nothing is wrong."""


def main(path: str) -> None:
    MelleaLogger.get_logger().setLevel(logging.WARNING)
    reviews = [line for line in Path(path).read_text().splitlines() if line.strip()]
    results = []
    # The run's model answers to every name, so none is named here.
    with start_session() as session:
        for review in reviews:
            sentiment = classify_sentiment(session, review=review)
            # Ordinary Python decides what is asked next: nobody complains in a review that praises.
            complaints = [] if sentiment == "positive" else find_complaints(session, review=review)
            found = "1 complaint" if len(complaints) == 1 else f"{len(complaints)} complaints"
            print(f"{sentiment:9} {found:13} {review[:60]}", flush=True)
            results.append({"review": review, "sentiment": sentiment, "complaints": [one.model_dump() for one in complaints]})
    Path("/output/reviews.json").write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "reviews.txt")
