import { Box, Button, chakra, Field, Flex, Grid, Input, Text } from "@chakra-ui/react";
import type { FlowNode } from "@syla/contracts/flow";
import { flowConfigs, type FlowConfig, type FlowField, type FlowKind } from "@syla/contracts/flow-kinds";
import { Plus, Trash2 } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { Link } from "react-router";
import { CheckBox } from "../ui/check-box.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { shownBody, useBuilder, useBuilderStore } from "./builder-store.ts";
import { type ConfigField, configFields } from "./config-shape.ts";
import { readValue, writeValue } from "./config-text.ts";
import { configure, setLabel } from "./edits/configure.ts";
import { useKeptCaret } from "./live/use-kept-caret.ts";
import { OnErrorForm } from "./on-error-form.tsx";

const CodeEditor = lazy(async () => ({ default: (await import("../editor/code-editor.tsx")).CodeEditor }));

/** Everything that a node is told, in the form that its kind has. */
export function NodeForm({ node }: { readonly node: FlowNode }) {
  const store = useBuilderStore();
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const caret = useKeptCaret(node.label);
  return (
    <chakra.fieldset disabled={isReadOnly} display="flex" flexDirection="column" gap="3" minW="0" onBlur={() => store.seal()}>
      <TextField
        {...caret}
        label="Label"
        maxLength={200}
        value={node.label}
        onChange={(event) => {
          const label = event.currentTarget.value;
          store.edit((body) => setLabel(body, node.id, label), { gesture: `label ${node.id}` });
        }}
      />
      {configFields(node.kind).map((field) => (
        <ConfigControl key={`${node.id} ${field.name}`} node={node} field={field} />
      ))}
      <OnErrorForm key={`${node.id} onError`} node={node} />
    </chakra.fieldset>
  );
}

interface ControlProps {
  readonly node: FlowNode;
  readonly field: ConfigField;
}

/** One field: what is typed is taken as soon as it can be; until then it says why not. */
function ConfigControl({ node, field }: ControlProps) {
  const store = useBuilderStore();
  const value = (node.config as Readonly<Record<string, unknown>>)[field.name];
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const take = (next: unknown): boolean => {
    // Somebody else may have changed another field since this was drawn.
    const now = shownBody(store.get()).nodes.find(({ id }) => id === node.id) ?? node;
    const { [field.name]: _, ...rest } = now.config as Readonly<Record<string, unknown>>;
    const config = flowConfigs[node.kind].safeParse(next === undefined ? rest : { ...rest, [field.name]: next });
    const issue = config.error?.issues[0];
    setProblem(issue === undefined ? null : issue.message);
    if (!config.success) return false;
    const { graph, path } = store.get();
    store.commit(configure(graph, path, node.id, config.data as FlowConfig<FlowKind>), `config ${node.id} ${field.name}`);
    return true;
  };
  const type = (text: string) => {
    const typed = readValue(field.control, text);
    const isEmpty = text === "" && field.isOptional && field.control === "text";
    const isTaken = typed.problem === undefined && take(isEmpty ? undefined : typed.value);
    if (typed.problem !== undefined) setProblem(typed.problem);
    // Text that was taken is shown as it is, with what others write in it.
    setDraft(isTaken && (field.control === "text" || field.control === "long") ? null : text);
  };
  const shown = draft ?? writeValue(field.control, value);
  const caret = useKeptCaret(shown);
  const text = {
    ...caret,
    label: field.label,
    help: field.help,
    problem,
    value: shown,
    onBlur: () => {
      if (problem === null) setDraft(null);
    },
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => type(event.currentTarget.value),
  };
  switch (field.control) {
    case "boolean":
      return (
        <chakra.label display="flex" alignItems="center" gap="1" fontSize="sm">
          <CheckBox checked={value === true} onChange={(event) => take(event.currentTarget.checked)} /> {field.label}
        </chakra.label>
      );
    case "choice":
      return (
        <Labelled label={field.label} help={field.help} problem={problem}>
          <SelectField
            label={field.label}
            width="full"
            value={typeof value === "string" ? value : ""}
            onChoose={(choice) => take(choice === "" ? undefined : choice)}
          >
            {field.isOptional && field.otherwise === undefined ? <option value="">by default</option> : null}
            {field.choices.map((choice) => (
              <option key={choice} value={choice}>
                {choice.replaceAll("_", " ")}
              </option>
            ))}
          </SelectField>
        </Labelled>
      );
    case "number":
      return <TextField {...text} inputMode="decimal" />;
    case "long":
      return <TextAreaField {...text} rows={3} />;
    case "lines":
      return <TextAreaField {...text} help={field.help === "" ? "One a line" : field.help} rows={3} />;
    case "pairs":
      return <TextAreaField {...text} help="One a line: Name: value" rows={3} />;
    case "json":
      return <TextAreaField {...text} help={field.help === "" ? "JSON" : `JSON; ${field.help}`} rows={2} />;
    case "code":
      return (
        <Labelled label={field.label} help={field.help} problem={problem}>
          <Box h="44" borderWidth="1px" borderColor="border" rounded="md" overflow="hidden">
            <Suspense fallback={null}>
              <CodeEditor
                value={writeValue("text", value)}
                language={node.kind === "code" ? (node.config.language === "python" ? "python" : "node") : "text"}
                goTo={null}
                takesFocus={false}
                onChange={(next) => {
                  if (next !== value) take(next);
                }}
              />
            </Suspense>
          </Box>
        </Labelled>
      );
    case "fields":
      return (
        <PortFields label={field.label} fields={Array.isArray(value) ? (value as FlowField[]) : []} problem={problem} onChange={take} />
      );
    case "numbers":
      return <Numbers field={field} value={(value ?? {}) as Readonly<Record<string, number>>} onChange={take} problem={problem} />;
    case "reference":
      // Of a module more is told, in a section of its own.
      return field.name === "composition" ? null : <Reference value={value} kind={field.name} />;
    default:
      return <TextField {...text} fontFamily={field.name === "type" || field.name === "returns" ? "mono" : undefined} />;
  }
}

interface LabelledProps {
  readonly label: string;
  readonly help?: string;
  readonly problem: string | null;
  readonly children: ReactNode;
}

function Labelled({ label, help = "", problem, children }: LabelledProps) {
  return (
    <Field.Root gap="1" invalid={problem !== null} as="div">
      <Text fontSize="sm" fontWeight="medium">
        {label}
      </Text>
      {children}
      {problem === null ? (
        help === "" ? null : (
          <Field.HelperText fontSize="xs">{help}</Field.HelperText>
        )
      ) : (
        <Field.ErrorText fontSize="xs">{problem}</Field.ErrorText>
      )}
    </Field.Root>
  );
}

interface PortFieldsProps {
  readonly label: string;
  readonly fields: readonly FlowField[];
  readonly problem: string | null;
  readonly onChange: (fields: readonly FlowField[]) => void;
}

/** The values that a node takes: their names and their types. */
function PortFields({ label, fields, problem, onChange }: PortFieldsProps) {
  const change = (index: number, of: Partial<FlowField>) =>
    onChange(fields.map((field, at) => (at === index ? { ...field, ...of } : field)));
  return (
    <Labelled label={label} problem={problem}>
      <Flex direction="column" gap="1.5" w="full">
        {fields.map((field, index) => (
          <Grid key={index} templateColumns="1fr 1fr auto" gap="1.5">
            <Input
              size="xs"
              aria-label={`Name of input ${index + 1}`}
              value={field.name}
              onChange={(event) => change(index, { name: event.currentTarget.value })}
            />
            <Input
              size="xs"
              fontFamily="mono"
              aria-label={`Type of input ${index + 1}`}
              value={field.type}
              onChange={(event) => change(index, { type: event.currentTarget.value })}
            />
            <IconButton label={`Remove the input ${field.name}`} onClick={() => onChange(fields.filter((_, at) => at !== index))}>
              <Trash2 />
            </IconButton>
          </Grid>
        ))}
        <Button
          size="xs"
          variant="outline"
          alignSelf="flex-start"
          onClick={() => onChange([...fields, { name: freshName(fields), type: "Any" }])}
        >
          <Plus aria-hidden /> Add an input
        </Button>
      </Flex>
    </Labelled>
  );
}

function freshName(fields: readonly FlowField[]): string {
  const taken = new Set(fields.map(({ name }) => name));
  for (let number = fields.length + 1; ; number += 1) if (!taken.has(`input_${number}`)) return `input_${number}`;
}

interface NumbersProps {
  readonly field: ConfigField;
  readonly value: Readonly<Record<string, number>>;
  readonly problem: string | null;
  readonly onChange: (value: Readonly<Record<string, number>>) => void;
}

/** Numbers that may each be left out. */
function Numbers({ field, value, problem, onChange }: NumbersProps) {
  return (
    <Labelled label={field.label} problem={problem}>
      <Grid templateColumns="repeat(auto-fit, minmax(88px, 1fr))" gap="1.5" w="full">
        {field.parts.map((part) => (
          <chakra.label key={part} fontSize="xs" color="fg.muted">
            {part}
            <Input
              size="xs"
              inputMode="decimal"
              defaultValue={value[part] ?? ""}
              onBlur={(event) => {
                const { [part]: _, ...rest } = value;
                const typed = event.currentTarget.value.trim();
                onChange(typed === "" ? rest : { ...rest, [part]: Number(typed) });
              }}
            />
          </chakra.label>
        ))}
      </Grid>
    </Labelled>
  );
}

const places: Readonly<Record<string, string>> = { program: "programs", model: "models" };

/** What of the catalog a node stands for. */
function Reference({ value, kind }: { readonly value: unknown; readonly kind: string }) {
  if (typeof value !== "object" || value === null || !("id" in value) || typeof value.id !== "string") return null;
  const version = "version" in value && typeof value.version === "string" ? value.version : null;
  return (
    <Text fontSize="xs" color="fg.muted">
      Of the catalog:{" "}
      <chakra.span textDecoration="underline" color="accent.fg">
        <Link to={`/${places[kind] ?? "catalog"}/${value.id}`}>{value.id}</Link>
      </chakra.span>
      {version === null ? ", as it is now" : `, version ${version}`}
    </Text>
  );
}
