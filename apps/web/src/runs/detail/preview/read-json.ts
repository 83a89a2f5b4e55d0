/** A JSON document, or null where the text tells more: it is none, or has numbers that would be rounded. */
export function readJson(text: string): { readonly value: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRounded(text) ? null : { value };
  } catch {
    return null;
  }
}

/** Those in the text of a string may be taken for one: what is shown is right all the same. */
const numbers = /(?<=[[:,\s]|^)-?\d[\d.]*(?:e[+-]?\d+)?(?=[\],}\s]|$)/gi;

/** A number of so few characters, without an exponent, is not rounded; one of so many is not looked at closely. */
const [few, many] = [15, 40];

/** Whether a number has other digits once JavaScript has read it. */
function isRounded(text: string): boolean {
  for (const [number] of text.matchAll(numbers)) {
    if (number.length <= few && !/e/i.test(number)) continue;
    const read = String(Number(number));
    if (read !== number && (number.length > many || digitsOf(read) !== digitsOf(number))) return true;
  }
  return false;
}

/** Without sign, point, exponent and zeros around them. */
function digitsOf(number: string): string {
  return number
    .replace(/e.*/i, "")
    .replaceAll(/\D/g, "")
    .replaceAll(/^0+|0+$/g, "");
}
