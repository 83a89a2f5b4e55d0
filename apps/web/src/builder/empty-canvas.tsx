import { Flex } from "@chakra-ui/react";
import { Workflow } from "lucide-react";
import { EmptyState } from "../ui/empty-state.tsx";

/** What to do with an empty canvas. The pointer goes through it: what is dropped there, or double-clicked, is so on the canvas. */
export function EmptyCanvas({ isReadOnly }: { readonly isReadOnly: boolean }) {
  return (
    <Flex position="absolute" inset="0" zIndex="1" align="center" justify="center" pointerEvents="none">
      <EmptyState icon={Workflow} title={isReadOnly ? "There are no nodes" : "Place the first node"}>
        {isReadOnly
          ? "Nothing is drawn here yet."
          : "Drag one here from the palette, double-click the canvas, or press Tab on it. Wires lead from a port on the right of a node to one on the left of another."}
      </EmptyState>
    </Flex>
  );
}
