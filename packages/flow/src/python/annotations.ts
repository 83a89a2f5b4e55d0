import type { FlowType } from "../types.ts";
import { pyString } from "./strings.ts";

/** A type as it is written in Python, and what must be imported for it. */
export interface Annotation {
  text: string;
  imports: readonly (readonly [module: string, name: string])[];
}

const anything: Annotation = { text: "Any", imports: [["typing", "Any"]] };
const longest = 60;

function plain(text: string): Annotation {
  return { text, imports: [] };
}

function around(open: string, parts: readonly Annotation[], between: string, close: string): Annotation {
  return { text: open + parts.map(({ text }) => text).join(between) + close, imports: parts.flatMap(({ imports }) => imports) };
}

function literal(value: string | number | boolean): string {
  if (typeof value === "string") return pyString(value);
  return typeof value === "boolean" ? (value ? "True" : "False") : String(value);
}

function annotate(type: FlowType): Annotation {
  switch (type.kind) {
    case "none":
      return plain("None");
    case "text":
      return plain("str");
    case "integer":
      return plain("int");
    case "number":
      return plain("float");
    case "boolean":
      return plain("bool");
    case "literal":
      return Number.isInteger(type.value) || typeof type.value !== "number"
        ? { text: `Literal[${literal(type.value)}]`, imports: [["typing", "Literal"]] }
        : plain("float");
    case "list":
      return around("list[", [annotate(type.item)], "", "]");
    case "map":
      return around("dict[", [annotate(type.key), annotate(type.value)], ", ", "]");
    case "record":
    case "context":
      return around("dict[str, ", [anything], "", "]");
    case "model":
      return { text: "MelleaSession", imports: [["mellea.stdlib.session", "MelleaSession"]] };
    case "union":
      return annotateUnion(type.members);
    case "opaque":
      return type.name === "SamplingStrategy" ? { text: type.name, imports: [["mellea.core", type.name]] } : anything;
    case "any":
      return anything;
  }
}

function annotateUnion(members: readonly FlowType[]): Annotation {
  const whole = members.filter(
    (member) => member.kind === "literal" && (typeof member.value !== "number" || Number.isInteger(member.value)),
  );
  const literals = whole.flatMap((member) => (member.kind === "literal" ? [literal(member.value)] : []));
  const choice: Annotation[] = literals.length === 0 ? [] : [{ text: `Literal[${literals.join(", ")}]`, imports: [["typing", "Literal"]] }];
  const parts = [...choice, ...members.filter((member) => !whole.includes(member)).map(annotate)];
  const once = [...new Map(parts.map((part) => [part.text, part])).values()];
  return once.some(({ text }) => text === "Any") ? anything : around("", once, " | ", "");
}

/** The type for a signature. What Python has no name for, or what would fill the line, is `Any`. */
export function annotationOf(type: FlowType): Annotation {
  const annotation = annotate(type);
  return annotation.text.length > longest ? anything : annotation;
}

/** The type whatever its length: where a model reads it. */
export function fullAnnotationOf(type: FlowType): Annotation {
  return annotate(type);
}
