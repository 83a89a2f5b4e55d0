import { datasetLimits } from "@syla/contracts/dataset-config";

/** Where a JSON text is nested deeper than it may be, counted from 0; -1: nowhere. What is deeper could be read, and not be written again. */
export function findTooDeep(text: string): number {
  let [depth, inString] = [0, false];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 92) at += 1;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 123 || code === 91) {
      depth += 1;
      if (depth > datasetLimits.depth) return at;
    } else if (code === 125 || code === 93) depth -= 1;
  }
  return -1;
}
