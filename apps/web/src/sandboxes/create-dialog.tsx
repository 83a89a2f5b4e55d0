import { Button, chakra, Flex, NativeSelect, Text } from "@chakra-ui/react";
import type { RunOptions } from "@syla/sdk";
import { useState } from "react";
import { useNavigate } from "react-router";
import { type DraftNetwork, networkInput, networkProblem, noNetwork } from "../runs/new/draft-network.ts";
import { NetworkPicker } from "../runs/new/network-picker.tsx";
import { InstallHint, LanguagePicker } from "../runs/new/language-picker.tsx";
import { TierPicker } from "../runs/new/tier-picker.tsx";
import { describeSize } from "../programs/profiles.ts";
import { useRunOptions, useRuntimes } from "../runs/queries.ts";
import { findRuntime } from "../runs/runtime-choice.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { useCreateSandbox } from "./queries.ts";

const minuteMs = 60_000;
const idleTimes = [5, 30, 120].map((minutes) => ({ label: `${minutes} minutes`, ms: minutes * minuteMs }));
const endTimes = [1, 24, 168].map((hours) => ({
  label: hours === 168 ? "7 days" : hours === 1 ? "1 hour" : `${hours} hours`,
  ms: hours * 60 * minuteMs,
}));

/** What kind of sandbox, and then there it is. */
export function CreateDialog({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [language, setLanguage] = useState("python");
  const [size, setSize] = useState("medium");
  const [tier, setTier] = useState<RunOptions["defaultTier"] | "">("");
  const [idle, setIdle] = useState(1);
  const [end, setEnd] = useState(1);
  const [network, setNetwork] = useState<DraftNetwork>(noNetwork);
  const [tried, setTried] = useState(false);
  const problem = networkProblem(network);
  const runtimes = useRuntimes();
  const runtime = findRuntime(runtimes.data ?? [], language);
  const options = useRunOptions();
  const create = useCreateSandbox();
  const navigate = useNavigate();
  const submit = () => {
    setTried(true);
    if (problem !== null || runtime?.available === false) return;
    const { cpus, memoryBytes, diskBytes } = options.data?.profiles.find((profile) => profile.name === size)?.limits ?? {};
    create.mutate(
      {
        ...(name.trim() !== "" && { name: name.trim() }),
        language,
        limits: { cpus, memoryBytes, diskBytes },
        ...(tier !== "" && { tier }),
        network: networkInput(network),
        idleTimeoutMs: idleTimes[idle]?.ms,
        hardEndMs: endTimes[end]?.ms,
      },
      { onSuccess: (sandbox) => void navigate(`/sandboxes/${sandbox.id}`) },
    );
  };
  const sizes = (options.data?.profiles ?? []).map((profile) => ({
    label: `${profile.name}: ${describeSize(profile)}`,
    value: profile.name,
  }));
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
        <Flex direction="column" gap="1">
          <Text fontSize="sm" fontWeight="medium" aria-hidden>
            Language
          </Text>
          <LanguagePicker runtimes={runtimes.data ?? []} value={language} onChange={setLanguage} explains={false} />
          {runtime && !runtime.available ? <InstallHint runtime={runtime} /> : null}
        </Flex>
        <Choice label="Size" value={size} options={sizes} onChange={setSize} />
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
        <TierPicker value={tier} onChange={setTier} />
        {create.isError ? <ErrorPanel error={create.error} /> : null}
        <Flex justify="flex-end" mt="1">
          <Button
            type="submit"
            size="sm"
            colorPalette="accent"
            disabled={runtime?.available === false || options.isPending}
            loading={create.isPending}
            loadingText="Creating"
          >
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
