import { useLayoutEffect, useRef, useState } from "react";

// oxlint-disable-next-line typescript/no-explicit-any -- of whatever they are called with
type Handlers = Readonly<Record<string, (...args: any[]) => unknown>>;

/**
 * Functions that stay the same ones, and do what those of the last rendering do. React Flow tells each of its nodes when it is given another
 * one, so new ones in each frame of a drag are felt.
 */
export function useSteady<Given extends Handlers>(given: Given): Given {
  const latest = useRef<Handlers>(given);
  useLayoutEffect(() => {
    latest.current = given;
  });
  const [steady] = useState(
    () => Object.fromEntries(Object.keys(given).map((name) => [name, (...args: unknown[]) => latest.current[name]?.(...args)])) as Given,
  );
  return steady;
}
