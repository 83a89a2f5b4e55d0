import { Button, chakra, Flex, NativeSelect, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { type DraftNetwork, networkInput, networkProblem, noNetwork } from "../runs/new/draft-network.ts";
import { NetworkPicker } from "../runs/new/network-picker.tsx";
import { useRuntimes } from "../runs/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { useCreateSandbox } from "./queries.ts";

const gibibyte = 1024 ** 3;
const minuteMs = 60_000;
const sizes = [
  { label: "Small: 1 CPU, 1 GiB", cpus: 1, memoryBytes: gibibyte },
  { label: "Medium: 1 CPU, 2 GiB", cpus: 1, memoryBytes: 2 * gibibyte },
  { label: "Large: 2 CPUs, 4 GiB", cpus: 2, memoryBytes: 4 * gibibyte },
];
const idleTimes = [5, 30, 120].map((minutes) => ({ label: `${minutes} minutes`, ms: minutes * minuteMs }));
const endTimes = [1, 24, 168].map((hours) => ({
  label: hours === 168 ? "7 days" : hours === 1 ? "1 hour" : `${hours} hours`,
  ms: hours * 60 * minuteMs,
}));

/** What kind of sandbox, and then there it is. */
export function CreateDialog({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [language, setLanguage] = useState("python");
  const [size, setSize] = useState(1);
  const [idle, setIdle] = useState(1);
  const [end, setEnd] = useState(1);
  const [network, setNetwork] = useState<DraftNetwork>(noNetwork);
  const [tried, setTried] = useState(false);
  const problem = networkProblem(network);
  const runtimes = useRuntimes();
  const create = useCreateSandbox();
  const navigate = useNavigate();
  const submit = () => {
    setTried(true);
    if (problem !== null) return;
    const { cpus, memoryBytes } = sizes[size] ?? {};
    const limits = cpus === undefined || memoryBytes === undefined ? {} : { cpus, memoryBytes };
    create.mutate(
      {
        ...(name.trim() !== "" && { name: name.trim() }),
        language,
        limits,
        network: networkInput(network),
        idleTimeoutMs: idleTimes[idle]?.ms,
        hardEndMs: endTimes[end]?.ms,
      },
      { onSuccess: (sandbox) => void navigate(`/sandboxes/${sandbox.id}`) },
    );
  };
  const languages = (runtimes.data ?? [])
    .filter(({ available }) => available)
    .map((runtime) => ({ label: runtime.title, value: runtime.name }));
  return (
    <Modal label="New sandbox" onClose={onClose}>
      <chakra.form
        display="flex"
        flexDirection="column"
        gap="3"
        p="4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextField
          label="Name"
          value={name}
          maxLength={100}
          placeholder="made up when empty"
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Choice label="Language" value={language} options={languages} onChange={setLanguage} />
        <Choice label="Size" value={String(size)} options={toOptions(sizes)} onChange={(value) => setSize(Number(value))} />
        <Choice
          label="Pause when unused for"
          value={String(idle)}
          options={toOptions(idleTimes)}
          onChange={(value) => setIdle(Number(value))}
        />
        <Choice label="End after" value={String(end)} options={toOptions(endTimes)} onChange={(value) => setEnd(Number(value))} />
        <Flex direction="column" gap="1">
          <Text fontSize="sm" fontWeight="medium">
            Network
          </Text>
          <NetworkPicker draft={network} problem={tried ? (problem ?? undefined) : undefined} onChange={setNetwork} />
        </Flex>
        {create.isError ? <ErrorPanel error={create.error} /> : null}
        <Flex justify="flex-end" mt="1">
          <Button type="submit" size="sm" colorPalette="accent" loading={create.isPending} loadingText="Creating">
            Create
          </Button>
        </Flex>
      </chakra.form>
    </Modal>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly { readonly label: string; readonly value: string }[];
  readonly onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <chakra.label display="flex" flexDirection="column" gap="1">
      <Text as="span" fontSize="sm" fontWeight="medium">
        {label}
      </Text>
      <NativeSelect.Root size="sm">
        <NativeSelect.Field bg="bg.panel" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
    </chakra.label>
  );
}

function toOptions(choices: readonly { readonly label: string }[]) {
  return choices.map(({ label }, index) => ({ label, value: String(index) }));
}
