"""An agent that answers questions about a small shop: it looks things up and calculates, a step at a time, until it knows."""

import ast
import asyncio
import csv
import logging
import operator
import sys
from pathlib import Path

from mellea import ChatContext, MelleaLogger, start_session
from mellea.backends.tools import tool
from mellea.stdlib.frameworks.react import react

MOST_STEPS = 8
STOCK = {row["article"]: row for row in csv.DictReader(Path("stock.csv").open())}
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.USub: operator.neg}


# A tool is a function: its docstring tells the model what it is for, and its types what to pass. A tool answers with a
# text also when something is wrong, so that the model can try otherwise.
@tool
def list_articles() -> str:
    """List the names of all articles that the shop sells."""
    return say("list_articles", ", ".join(STOCK))


@tool
def look_up(article: str) -> str:
    """Look up the price of an article in euros, and how many are in stock.

    Args:
        article: the name of the article, as list_articles gives it
    """
    row = STOCK.get(article.strip().lower())
    answer = f"{article} costs {row['price']} euros; {row['in_stock']} are in stock" if row else f"there is no article {article!r}"
    return say(f"look_up({article!r})", answer)


@tool
def calculate(expression: str) -> str:
    """Calculate with numbers.

    Args:
        expression: numbers with + - * / and parentheses, for example 3 * (2 + 4.5)
    """
    try:
        answer = f"{evaluate(ast.parse(expression, mode='eval').body):g}"
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError) as error:
        answer = f"that cannot be calculated: {error}"
    return say(f"calculate({expression!r})", answer)


def evaluate(node: ast.expr) -> float:
    """Arithmetic and nothing else: what a model writes is not to be trusted with `eval`."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](evaluate(left), evaluate(right))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](evaluate(operand))
    raise ValueError("only numbers with + - * / and parentheses")


def say(call: str, answer: str) -> str:
    print(f"{call} -> {answer}", flush=True)
    return answer


async def main(question: str) -> int:
    MelleaLogger.get_logger().setLevel(logging.ERROR)
    print(f"question: {question}")
    with start_session() as session:
        try:
            answer, _ = await react(
                goal=question,
                context=ChatContext(),
                backend=session.backend,
                tools=[list_articles, look_up, calculate],
                loop_budget=MOST_STEPS,
            )
        except RuntimeError as error:
            print(f"no answer: {error}", file=sys.stderr)
            return 1
    print(f"answer: {answer}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(" ".join(sys.argv[1:]) or "What do three notebooks and a pen cost?")))
