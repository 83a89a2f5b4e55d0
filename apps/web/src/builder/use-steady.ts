import { useLayoutEffect, useRef, useState } from "react";

type Handlers = Readonly<Record<string, (...args: never[]) => unknown>>;

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
    () => Object.fromEntries(Object.keys(given).map((name) => [name, (...args: never[]) => latest.current[name]?.(...args)])) as Given,
  );
  return steady;
}
