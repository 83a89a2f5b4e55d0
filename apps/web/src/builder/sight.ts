/** Pixels between the points that nodes snap to. */
export const gridSize = 16;

/** How the graph is brought into sight. */
export const fitting = { minZoom: 0.2, maxZoom: 1, padding: 0.1 } as const;

/** Nodes are measured before they are shown, and what is hidden cannot have the focus. */
const mostFrames = 30;

/** Puts the focus on a node of the canvas, as soon as it is drawn. */
export function focusNode(id: string): void {
  const attempt = (left: number) =>
    requestAnimationFrame(() => {
      const node = document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
      node?.focus({ preventScroll: true });
      if (left > 0 && (node === null || document.activeElement !== node)) attempt(left - 1);
    });
  attempt(mostFrames);
}

/** Between a node and the edge of the canvas, pixels. */
const margin = 16;

/** How far the graph has to be moved for a node to be in sight, pixels; null when it is so far that it is not drawn. */
export function wayIntoSight(id: string): { readonly x: number; readonly y: number } | null {
  const node = document.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.getBoundingClientRect();
  const canvas = document.querySelector(".flow-canvas")?.getBoundingClientRect();
  if (node === undefined || canvas === undefined) return null;
  const way = (from: number, to: number, first: number, last: number): number =>
    from < first + margin ? first + margin - from : to > last - margin ? last - margin - to : 0;
  return { x: way(node.left, node.right, canvas.left, canvas.right), y: way(node.top, node.bottom, canvas.top, canvas.bottom) };
}
