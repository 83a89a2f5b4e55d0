/** Keys that are more than the character they write. */
const named: Readonly<Record<string, string>> = {
  "\x1b[A": "up",
  "\x1bOA": "up",
  "\x1b[B": "down",
  "\x1bOB": "down",
  "\x1b[C": "right",
  "\x1bOC": "right",
  "\x1b[D": "left",
  "\x1bOD": "left",
  "\x1b[5~": "page-up",
  "\x1b[6~": "page-down",
  "\x1b[H": "home",
  "\x1b[F": "end",
  "\r": "enter",
  "\n": "enter",
  "\x7f": "backspace",
  "\b": "backspace",
  "\x03": "interrupt",
  "\x1a": "suspend",
  "\x1b": "escape",
};

/** The keys of what a terminal sent at once: names of special ones, else the character. Sequences that are not known are left out. */
export function readKeys(text: string): readonly string[] {
  const pieces = text.match(/\x1b\[[0-9;?]*[ -/]*[@-~]|\x1bO[@-~]|[\s\S]/gu) ?? [];
  return pieces.flatMap((piece) => {
    const name = named[piece];
    if (name !== undefined) return [name];
    return piece.length > 2 || piece < " " ? [] : [piece];
  });
}
