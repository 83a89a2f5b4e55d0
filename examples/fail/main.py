"""Fails in a function that a function called: the traceback on stderr says where, and the exit code is 1."""

ORDERS = [{"item": "pen", "price": 2.5, "count": 4}, {"item": "book", "price": 12.0}]


def cost(order):
    return order["price"] * order["count"]


def total(orders):
    return sum(cost(order) for order in orders)


print(f"adding up {len(ORDERS)} orders", flush=True)
print(f"total: {total(ORDERS):.2f}")
