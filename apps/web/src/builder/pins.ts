import { useState } from "react";

/** Results to be taken for those of nodes: JSON by the names of their outputs, by the nodes' places. */
export type Pins = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const keyOf = (id: string) => `syla.builder.pins.${id}`;

function read(id: string): Pins {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(keyOf(id)) ?? "{}");
    return typeof stored === "object" && stored !== null && !Array.isArray(stored) ? (stored as Pins) : {};
  } catch {
    return {};
  }
}

/** The pinned results of a composition. They are one person's, for trying things: the browser keeps them, the composition does not. */
export function usePins(id: string): readonly [Pins, (path: string, output: Readonly<Record<string, unknown>> | null) => void] {
  const [pins, setPins] = useState(() => read(id));
  const set = (path: string, output: Readonly<Record<string, unknown>> | null) => {
    const { [path]: _, ...rest } = pins;
    const next = output === null ? rest : { ...rest, [path]: output };
    setPins(next);
    try {
      localStorage.setItem(keyOf(id), JSON.stringify(next));
    } catch {
      // Storage may be blocked or full; the pin then lasts as long as the page.
    }
  };
  return [pins, set];
}
