import { chakra, Flex, Grid, Heading } from "@chakra-ui/react";
import { FlowOnError, type FlowNode } from "@syla/contracts/flow";
import { mayFail } from "@syla/flow/on-error";
import { outputsOf } from "@syla/flow/ports";
import { useState } from "react";
import { CheckBox } from "../ui/check-box.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { useBuilderStore } from "./builder-store.ts";
import { readValue, writeValue } from "./config-text.ts";
import { setOnError } from "./edits/on-error.ts";

const untouched: FlowOnError = { retries: 0, waitSeconds: 1 };

/** What happens when a node fails: it is tried again, and then something stands for its outputs. */
export function OnErrorForm({ node }: { readonly node: FlowNode }) {
  const store = useBuilderStore();
  if (!mayFail(node) && node.onError === undefined) return null;
  const now = node.onError ?? untouched;
  const set = (next: FlowOnError) => {
    const isNothing = next.retries === 0 && next.fallback === undefined;
    store.edit((body) => setOnError(body, node.id, isNothing ? null : next), { gesture: `onError ${node.id}` });
  };
  const { fallback: _, ...withoutFallback } = now;
  return (
    <Flex as="section" aria-label="When it fails" direction="column" gap="2">
      <Heading as="h3" fontSize="sm" fontWeight="medium">
        When it fails
      </Heading>
      <Grid templateColumns="1fr 1fr" gap="2">
        <Value label="Retries" help={now.retries === 0 ? "None: it fails at once" : ""} name="retries" now={now} onChange={set} />
        <Value label="First wait, seconds" help="Doubles each time" name="waitSeconds" now={now} onChange={set} />
      </Grid>
      <chakra.label display="flex" alignItems="center" gap="1" fontSize="sm">
        <CheckBox
          checked={now.fallback !== undefined}
          onChange={(event) => set(event.currentTarget.checked ? { ...now, fallback: emptyFallback(node) } : withoutFallback)}
        />
        Go on with fallback outputs
      </chakra.label>
      {now.fallback === undefined ? null : (
        <Value label="Fallback" help="JSON; a value for each output" name="fallback" now={now} onChange={set} />
      )}
    </Flex>
  );
}

/** Something for each output, to begin with. */
function emptyFallback(node: FlowNode): NonNullable<FlowOnError["fallback"]> {
  const outputs = outputsOf(node, new Map());
  return Object.fromEntries(
    outputs.map(({ name, type }) => [
      name,
      type.kind === "text"
        ? ""
        : type.kind === "integer" || type.kind === "number"
          ? 0
          : type.kind === "boolean"
            ? false
            : type.kind === "list"
              ? []
              : null,
    ]),
  );
}

interface ValueProps {
  readonly label: string;
  readonly help: string;
  readonly name: keyof FlowOnError;
  readonly now: FlowOnError;
  readonly onChange: (next: FlowOnError) => void;
}

/** One of its fields: what is typed is taken as soon as it can be. */
function Value({ label, help, name, now, onChange }: ValueProps) {
  const control = name === "fallback" ? "json" : "number";
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const type = (text: string) => {
    setDraft(text);
    const typed = readValue(control, text);
    if (typed.problem !== undefined) return setProblem(typed.problem);
    if (name === "fallback" && typed.value === undefined) return setProblem("It must be an object: a value for each output.");
    const next = FlowOnError.safeParse({ ...now, [name]: typed.value });
    setProblem(next.error?.issues[0]?.message ?? null);
    if (next.success) onChange(next.data);
  };
  const shared = {
    label,
    help,
    problem,
    value: draft ?? writeValue(control, now[name]),
    onBlur: () => {
      if (problem === null) setDraft(null);
    },
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => type(event.currentTarget.value),
  };
  return control === "json" ? <TextAreaField {...shared} rows={3} /> : <TextField {...shared} inputMode="decimal" />;
}
