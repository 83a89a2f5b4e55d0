"""Files that import each other, directly or around corners: how much of them is there when another one looks depends on who came first."""


def find_circles(graph):
    """The number of the circle of each file that is in one. `graph` lists what each file imports. Source: Tarjan's algorithm (1972)."""
    index, low, circles = {}, {}, {}
    stack, on_stack = [], set()
    for start in graph:
        if start in index:
            continue
        waiting = [(start, None)]
        while waiting:
            path, following = waiting.pop()
            if following is None:
                if path in index:
                    continue
                index[path] = low[path] = len(index)
                stack.append(path)
                on_stack.add(path)
                following = iter(graph[path])
            for other in following:
                if other not in graph:
                    continue
                if other not in index:
                    waiting.extend([(path, following), (other, None)])
                    break
                if other in on_stack:
                    low[path] = min(low[path], index[other])
            else:
                _close(path, index, low, graph, stack, on_stack, circles)
                if waiting:
                    parent = waiting[-1][0]
                    low[parent] = min(low[parent], low[path])
    return circles


def _close(path, index, low, graph, stack, on_stack, circles):
    if low[path] != index[path]:
        return
    members = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        members.append(member)
        if member == path:
            break
    if len(members) > 1 or path in graph[path]:
        circles.update(dict.fromkeys(members, index[path]))
