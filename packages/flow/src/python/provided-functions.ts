import type { PythonFile } from "./file.ts";

/** A node waits twice as long before each attempt, but not longer than this. The hooks know it too. */
const longestWaitSeconds = 600;

/** Functions that files define for themselves, once, when a node needs them. */
const provided = {
  approve: {
    imports: [
      ["sys", ""],
      ["typing", "Any"],
    ],
    source: `def approve(message: str, value: Any) -> bool:
    """Show a value on the terminal and ask whether to go on with it."""
    print(message, value, sep="\\n", file=sys.stderr)
    print("Approve? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}`,
  },
  attempt: {
    imports: [
      ["collections.abc", "Callable"],
      ["sys", ""],
      ["time", ""],
      ["typing", "Any"],
    ],
    source: `def attempt(
    call: Callable[[], Any],
    *,
    times: int = 1,
    wait: float = 0,
    fallback: Callable[[], Any] | None = None,
) -> Any:
    """Call until it works, waiting twice as long each time; then fall back, or fail."""
    for number in range(1, times + 1):
        try:
            return call()
        except Exception as error:
            print(f"Attempt {number} of {times} failed: {error!r}", file=sys.stderr)
            if number == times:
                if fallback is None:
                    raise
                return fallback()
        time.sleep(min(wait * 2 ** (number - 1), ${longestWaitSeconds}))`,
  },
  attempt_async: {
    imports: [
      ["asyncio", ""],
      ["collections.abc", "Awaitable"],
      ["collections.abc", "Callable"],
      ["sys", ""],
      ["typing", "Any"],
    ],
    source: `async def attempt_async(
    call: Callable[[], Awaitable[Any]],
    *,
    times: int = 1,
    wait: float = 0,
    fallback: Callable[[], Any] | None = None,
) -> Any:
    """Call until it works, waiting twice as long each time; then fall back, or fail."""
    for number in range(1, times + 1):
        try:
            return await call()
        except Exception as error:
            print(f"Attempt {number} of {times} failed: {error!r}", file=sys.stderr)
            if number == times:
                if fallback is None:
                    raise
                return fallback()
        await asyncio.sleep(min(wait * 2 ** (number - 1), ${longestWaitSeconds}))`,
  },
  gather: {
    imports: [
      ["asyncio", ""],
      ["collections.abc", "Awaitable"],
      ["typing", "Any"],
    ],
    source: `async def gather(*calls: Awaitable[Any]) -> list[Any]:
    """Await all of them. When one fails the others end first: it may be tried again."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results`,
  },
  map_concurrently: {
    imports: [
      ["asyncio", ""],
      ["collections.abc", "Awaitable"],
      ["collections.abc", "Callable"],
      ["typing", "Any"],
    ],
    source: `async def map_concurrently(
    function: Callable[[Any], Awaitable[Any]], items: list[Any], *, limit: int
) -> list[Any]:
    """Call a function with every item, with so many at a time; results in order."""
    semaphore = asyncio.Semaphore(limit)

    async def call(item: Any) -> Any:
        async with semaphore:
            return await function(item)

    return await asyncio.gather(*(call(item) for item in items))`,
  },
  /** The same where a graph within may be tried again. */
  map_settled: {
    imports: [
      ["asyncio", ""],
      ["collections.abc", "Awaitable"],
      ["collections.abc", "Callable"],
      ["typing", "Any"],
    ],
    source: `async def map_concurrently(
    function: Callable[[Any], Awaitable[Any]], items: list[Any], *, limit: int
) -> list[Any]:
    """Call a function with every item, with so many at a time; results in order."""
    semaphore = asyncio.Semaphore(limit)

    async def call(item: Any) -> Any:
        async with semaphore:
            return await function(item)

    return await gather(*(call(item) for item in items))`,
  },
  run_json: {
    imports: [
      ["json", ""],
      ["subprocess", ""],
      ["typing", "Any"],
    ],
    source: `def run_json(command: list[str], inputs: dict[str, Any]) -> Any:
    """Run a program that reads JSON from its input and writes JSON to its output."""
    completed = subprocess.run(
        command,
        input=json.dumps(inputs, ensure_ascii=False),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return json.loads(completed.stdout)`,
  },
  fetch: {
    imports: [
      ["json", ""],
      ["urllib.error", ""],
      ["urllib.parse", ""],
      ["urllib.request", ""],
      ["typing", "Any"],
    ],
    source: `class AllowedHosts(urllib.request.HTTPRedirectHandler):
    """Follows redirects to allowed hosts only."""

    def __init__(self, allowed: list[str]) -> None:
        self.allowed = allowed

    def check(self, url: str) -> None:
        """Raise an error unless the URL leads to an allowed host."""
        parts = urllib.parse.urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme not in {"http", "https"} or not any(
            host.endswith(name[1:]) if name.startswith("*.") else host == name
            for name in self.allowed
        ):
            raise PermissionError(f"this host is not allowed: {host}")

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        self.check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(
    method: str,
    url: str,
    *,
    query: dict[str, Any] | None,
    body: Any,
    headers: dict[str, str],
    allowed_hosts: list[str],
    timeout: float,
) -> tuple[str, int]:
    """Send a request; return the text and the status of the answer."""
    if query:
        separator = "&" if urllib.parse.urlsplit(url).query else "?"
        url += separator + urllib.parse.urlencode(query, doseq=True)
    guard = AllowedHosts(allowed_hosts)
    guard.check(url)
    data = None
    if body is not None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        if not isinstance(body, str):
            headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    opener = urllib.request.build_opener(guard)
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.read().decode(errors="replace"), answer.status
    except urllib.error.HTTPError as error:
        return error.read().decode(errors="replace"), error.code`,
  },
} as const;

/** Puts a function of these into the file, unless it is there. */
export function useProvided(file: PythonFile, name: keyof typeof provided): void {
  if (file.provided.has(name)) return;
  file.provided.add(name);
  const { imports, source } = provided[name];
  for (const [module, imported] of imports) file.use(module, imported);
  file.sections.push({ lines: source.split("\n"), marks: [] });
}
