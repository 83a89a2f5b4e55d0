import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { CompositionProblem } from "@syla/contracts/compositions";
import { applyFix } from "@syla/flow/fixes";
import type { FlowProblem } from "@syla/flow/problems";
import { CircleAlert, CircleCheck, TriangleAlert, Wrench } from "lucide-react";
import { useState } from "react";
import { EmptyState } from "../ui/empty-state.tsx";
import { formatCount } from "../ui/format.ts";
import { useBuilder, useBuilderStore } from "./builder-store.ts";
import { bodyAt } from "./edits/bodies.ts";
import { titleOf } from "./kinds.ts";
import type { ModuleUpdate } from "./module-update-dialog.tsx";

/** The fixes that can be made here; a module is updated after a look at what changes. */
const known = new Set(["remove_node", "remove_edge", "set_label", "set_id", "set_type", "set_config", "detach_module", "update_module"]);
const fixWords: Readonly<Record<string, string>> = {
  remove_node: "Remove the node",
  remove_edge: "Remove the wire",
  set_label: "Clean the label",
  set_id: "Give it another id",
  set_type: "Take this type",
  set_config: "Update the node",
  detach_module: "Detach it",
  update_module: "Update the module",
};

/** More are shown when somebody wants to see them. */
const mostShown = 100;

/** What is wrong, and where; a click leads there. */
export function ProblemsPanel({
  problems,
  onGo,
  onUpdate,
}: {
  readonly problems: readonly CompositionProblem[];
  readonly onGo: (problem: CompositionProblem) => void;
  readonly onUpdate: (update: ModuleUpdate) => void;
}) {
  const store = useBuilderStore();
  const graph = useBuilder((state) => state.graph);
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const [showsAll, setShowsAll] = useState(false);
  if (problems.length === 0)
    return (
      <EmptyState icon={CircleCheck} title="No problems">
        The graph can be run as it is.
      </EmptyState>
    );
  return (
    <Box as="ul" listStyleType="none" aria-label="Problems">
      {(showsAll ? problems : problems.slice(0, mostShown)).map((problem, index) => {
        const node = bodyAt(graph, problem.path)?.nodes.find(({ id }) => id === problem.node);
        const Icon = problem.severity === "error" ? CircleAlert : TriangleAlert;
        const fix = problem.fix !== undefined && known.has(problem.fix.action) ? problem.fix : undefined;
        return (
          <Flex as="li" key={index} gap="2" p="2" borderBottomWidth="1px" borderColor="border.muted" align="flex-start">
            <Box
              role="img"
              aria-label={problem.severity === "error" ? "Error" : "Warning"}
              color={problem.severity === "error" ? "fg.error" : "fg.warning"}
              mt="0.5"
            >
              <Icon size={14} aria-hidden />
            </Box>
            <Box flex="1" minW="0">
              <Button
                variant="plain"
                size="xs"
                h="auto"
                p="0"
                whiteSpace="normal"
                textAlign="left"
                justifyContent="flex-start"
                onClick={() => onGo(problem)}
              >
                <Text as="span" overflowWrap="anywhere">
                  {node === undefined ? null : <b>{titleOf(node)}: </b>}
                  {problem.message}
                </Text>
              </Button>
              {fix === undefined || isReadOnly ? null : (
                <Box mt="1">
                  <Button
                    size="2xs"
                    variant="outline"
                    onClick={() => {
                      if (fix.action === "update_module") onUpdate({ path: problem.path, ...fix });
                      else store.commit(applyFix(store.get().graph, problem as FlowProblem));
                    }}
                  >
                    <Wrench aria-hidden /> {fixWords[fix.action]}
                  </Button>
                </Box>
              )}
            </Box>
          </Flex>
        );
      })}
      {showsAll || problems.length <= mostShown ? null : (
        <Box as="li" p="2">
          <Button size="xs" variant="outline" onClick={() => setShowsAll(true)}>
            Show all {formatCount(problems.length)}
          </Button>
        </Box>
      )}
    </Box>
  );
}
