import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { CompositionProblem } from "@syla/contracts/compositions";
import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { walkNodes } from "@syla/flow/walk";
import { CircleAlert, CircleCheck, TriangleAlert } from "lucide-react";
import { useMemo } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { useDocumentProblems } from "./queries.ts";
import type { ReadDocument } from "./read-document.ts";

/** So many problems and values are listed; of more their number is told. */
const mostListed = 50;

/** What a file would become, and what is wrong with it, before anything is made of it. */
export function DocumentReview({ read }: { readonly read: ReadDocument }) {
  const { graph, leftOut, names } = read;
  const checked = useDocumentProblems(graph);
  const problems = checked.data ?? read.problems;
  const places = useMemo(() => placesOf(graph), [graph]);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const nameOf = (path: readonly string[], node: string | undefined) =>
    node === undefined ? "" : (places.get([...path, node].join("/")) ?? node);
  return (
    <Flex
      as="section"
      aria-label="The file"
      direction="column"
      gap="2"
      fontSize="xs"
      borderWidth="1px"
      borderColor="border"
      rounded="md"
      p="3"
    >
      {graph === undefined ? (
        <Text role="alert" color="fg.error">
          This is not the graph of a composition: nothing can be made of it.
        </Text>
      ) : (
        <Text>
          <b>{read.name === "" ? "A composition without a name" : read.name}</b>, {formatPlural(places.size, "node")},{" "}
          {formatPlural(graph.edges.length, "wire")}
          {checked.isPending ? ", being looked at" : ""}
        </Text>
      )}
      {checked.isError ? <ErrorPanel error={checked.error} onRetry={() => void checked.refetch()} /> : null}
      {problems.length === 0 ? (
        checked.isPending ? null : (
          <Flex align="center" gap="1.5" color="fg.success">
            <CircleCheck size={14} aria-hidden /> No problems
          </Flex>
        )
      ) : (
        <>
          {graph === undefined ? null : (
            <Text color="fg.muted">
              {errors === 0 ? "It can be run as it is." : `It can be made, and run when ${errors === 1 ? "this is" : "these are"} mended.`}
            </Text>
          )}
          <Box as="ul" listStyleType="none" aria-label="Problems" maxH="40" overflowY="auto" tabIndex={0}>
            {problems.slice(0, mostListed).map((problem, index) => (
              <ProblemRow
                key={index}
                problem={problem}
                title={nameOf(problem.path, problem.node)}
                called={names.get(problem.reference?.id ?? "")}
              />
            ))}
          </Box>
          {problems.length > mostListed ? (
            <Text color="fg.muted">and {formatPlural(problems.length - mostListed, "more problem")}</Text>
          ) : null}
        </>
      )}
      {leftOut.length === 0 ? null : (
        <Box>
          <Text color="fg.muted">Left out when it was exported, to be given anew:</Text>
          <Box as="ul" pl="4" listStyleType="disc" aria-label="Left out" maxH="24" overflowY="auto">
            {leftOut.slice(0, mostListed).map(({ path, node, field, reason }) => (
              <chakra.li key={`${path.join("/")}/${node} ${field}`} overflowWrap="anywhere">
                {node === "" ? "" : `${nameOf(path, node)}: `}
                {field.replace(/^config\./, "")}
                {reason === "" ? "" : `, ${reason}`}
              </chakra.li>
            ))}
          </Box>
        </Box>
      )}
    </Flex>
  );
}

/** What nodes are called, by their places. */
function placesOf(graph: FlowBody | undefined): Map<string, string> {
  if (graph === undefined) return new Map();
  return new Map([...walkNodes(graph)].map(({ path, node }) => [[...path, node.id].join("/"), titleOf(node)]));
}

function titleOf(node: FlowNode): string {
  if (node.label !== "") return node.label;
  return "name" in node.config && typeof node.config.name === "string" ? node.config.name : node.id;
}

interface ProblemRowProps {
  readonly problem: CompositionProblem;
  readonly title: string;
  /** What the document calls what the problem is about. */
  readonly called: string | undefined;
}

function ProblemRow({ problem: { severity, message }, title, called }: ProblemRowProps) {
  const Icon = severity === "error" ? CircleAlert : TriangleAlert;
  return (
    <Flex as="li" gap="1.5" py="0.5">
      <Box
        role="img"
        aria-label={severity === "error" ? "Error" : "Warning"}
        color={severity === "error" ? "fg.error" : "fg.warning"}
        flexShrink="0"
        mt="0.5"
      >
        <Icon size={14} aria-hidden />
      </Box>
      <Text as="span" overflowWrap="anywhere">
        {title === "" ? null : <b>{title}: </b>}
        {message}
        {called === undefined ? null : ` It is called “${called}”.`}
      </Text>
    </Flex>
  );
}
