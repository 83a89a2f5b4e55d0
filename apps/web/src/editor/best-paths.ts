/** The paths that have the letters of a query in their order, the best first: whole parts of names, then beginnings of words, then the shortest. */
export function bestPaths(paths: readonly string[], query: string, most: number): readonly string[] {
  const wanted = query.toLowerCase().replaceAll(/\s/g, "");
  if (wanted === "") return paths.slice(0, most);
  const found = paths.flatMap((path) => {
    const score = scoreOf(path, wanted);
    return score === null ? [] : [{ path, score }];
  });
  return found
    .toSorted((one, other) => other.score - one.score || one.path.length - other.path.length)
    .slice(0, most)
    .map(({ path }) => path);
}

function scoreOf(path: string, wanted: string): number | null {
  const text = path.toLowerCase();
  const name = text.slice(text.lastIndexOf("/") + 1);
  if (name.startsWith(wanted)) return 1000;
  if (name.includes(wanted)) return 900;
  if (text.includes(wanted)) return 800;
  let [score, at] = [0, -1];
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    if (next === at + 1) score += 3;
    else if (next === 0 || /[/._\-\s]/.test(text[next - 1] ?? "")) score += 2;
    at = next;
  }
  return score;
}
