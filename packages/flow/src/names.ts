const keywords = new Set(
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case type _".split(
    " ",
  ),
);
/** Built-in names that a reader takes for what they are; and what generated files call themselves. */
const builtins =
  "abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max memoryview min next object oct open ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip self cls".split(
    " ",
  );
const javaScriptWords = new Set(
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield undefined".split(
    " ",
  ),
);
const maximumLength = 30;

/** Whether a text can be a name in Python as it is. Letters of other scripts are refused: some look like others. */
export function isIdentifier(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && !keywords.has(text) && !/^__.*__$/.test(text);
}

/** Whether a text can be the name of a parameter in JavaScript. */
export function isJavaScriptName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && !javaScriptWords.has(text);
}

/** A readable name made of any text: lower case, letters and digits of ASCII. */
export function toSnakeCase(text: string, otherwise: string): string {
  const words = text
    .slice(0, 500)
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  let name = "";
  for (const word of words) {
    const longer = name === "" ? word.slice(0, maximumLength) : `${name}_${word}`;
    if (longer.length > maximumLength) break;
    name = longer;
  }
  if (name === "") return otherwise;
  return /^[0-9]/.test(name) ? `${otherwise}_${name}` : name;
}

const always = new Set([...keywords, ...builtins]);

/** Gives names, each once, and none that the scope around has. */
export class Names {
  private readonly around: Names | undefined;
  private readonly taken: Set<string>;
  private readonly counts = new Map<string, number>();

  constructor(around: Names | undefined, taken: readonly string[] = []) {
    this.around = around;
    this.taken = new Set(taken);
  }

  has(name: string): boolean {
    return this.taken.has(name) || (this.around?.has(name) ?? always.has(name));
  }

  /** The name, or the name with the first number that makes it new. */
  take(wanted: string): string {
    let name = wanted;
    for (let number = this.counts.get(wanted) ?? 2; this.has(name); number += 1) {
      name = `${wanted}_${number}`;
      this.counts.set(wanted, number + 1);
    }
    this.taken.add(name);
    return name;
  }
}
