import { distance } from "fastest-levenshtein";

/** Shorter words are too easily like another. */
export const leastLength = 4;
/** From here on two mistakes are forgiven, and the first two letters are taken to be right. */
export const lengthOfTwoMistakes = 6;
const mostWords = 8;

/** The words that somebody may have meant who typed this one, or began to, the nearest first. The first letter is taken to be right. */
export function findAlike(typed: string, known: Iterable<string>): string[] {
  const most = typed.length < lengthOfTwoMistakes ? 1 : 2;
  const near: { word: string; mistakes: number }[] = [];
  for (const word of known) {
    const mistakes = countMistakes(typed, word, most);
    if (mistakes <= most) near.push({ word, mistakes });
  }
  near.sort((a, b) => a.mistakes - b.mistakes || a.word.length - b.word.length);
  return near.slice(0, mostWords).map(({ word }) => word);
}

/** Two letters in each other's place are one mistake. `most`: how many matter. */
function countMistakes(typed: string, word: string, most: number): number {
  if (word.length < typed.length - most) return Infinity;
  let least = Infinity;
  for (const more of [-1, 0, 1]) {
    if (more > 0 && word.length <= typed.length) break;
    const beginning = word.slice(0, typed.length + more);
    least = Math.min(least, isSwap(typed, beginning) ? 1 : distance(typed, beginning));
    if (least === 0) break;
  }
  return least;
}

function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return at + 1 < a.length && a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}
