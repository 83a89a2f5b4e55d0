// Bidirectional marks and invisible letters let a text show as something else than it is; halves of a letter cannot be stored.
const hidden =
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Whether a label has characters that nobody sees, or that turn it around. */
export function isHostile(text: string): boolean {
  return text.search(hidden) >= 0;
}

/** The label without them: on one line. */
export function cleanText(text: string): string {
  return text.replace(/[\r\n\t\u2028\u2029]+/g, " ").replace(hidden, "");
}
