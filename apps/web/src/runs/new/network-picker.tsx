import { chakra, Flex, Text } from "@chakra-ui/react";
import { useMe } from "../../accounts/queries.ts";
import { TextAreaField } from "../../ui/form-field.tsx";
import type { DraftNetwork } from "./draft-network.ts";

interface NetworkPickerProps<T extends DraftNetwork> {
  readonly draft: T;
  readonly problem: string | undefined;
  readonly onChange: (draft: T) => void;
}

interface Choice {
  readonly value: DraftNetwork["network"];
  readonly label: string;
  readonly help: string;
}

const choices: readonly Choice[] = [
  { value: "none", label: "No network", help: "The program reaches nothing outside of its sandbox." },
  { value: "hosts", label: "Some hosts", help: "Ports 80 and 443, unless a line names another." },
  { value: "full", label: "Every public host", help: "Private networks and this server stay out of reach. Each connection is logged." },
];

/** What the program may reach: the choices, what the chosen one means, and the list of hosts. */
export function NetworkPicker<T extends DraftNetwork>({ draft, problem, onChange }: NetworkPickerProps<T>) {
  const me = useMe();
  const isAdmin = me.data?.role === "admin";
  return (
    <Flex direction="column" gap="1.5">
      <Flex as="fieldset" wrap="wrap" columnGap="4" rowGap="1" borderWidth="0" p="0" m="0">
        <chakra.legend srOnly>Network</chakra.legend>
        {choices.map((choice) => (
          <NetworkChoice
            key={choice.value}
            choice={choice}
            checked={draft.network === choice.value}
            disabled={choice.value === "full" && !isAdmin && draft.network !== "full"}
            onChoose={() => onChange({ ...draft, network: choice.value })}
          />
        ))}
      </Flex>
      <Text fontSize="xs" color="fg.muted">
        {choices.find((choice) => choice.value === draft.network)?.help}
      </Text>
      {draft.network === "hosts" ? (
        <TextAreaField
          label="Allowed hosts, one a line"
          rows={3}
          placeholder={"pypi.org\n*.pythonhosted.org\napi.example.org:8443"}
          value={draft.hosts}
          onChange={(event) => onChange({ ...draft, hosts: event.currentTarget.value })}
          problem={problem}
        />
      ) : null}
    </Flex>
  );
}

interface NetworkChoiceProps {
  readonly choice: Choice;
  readonly checked: boolean;
  readonly disabled: boolean;
  readonly onChoose: () => void;
}

function NetworkChoice({ choice, checked, disabled, onChoose }: NetworkChoiceProps) {
  return (
    <chakra.label display="flex" gap="1.5" alignItems="center" minH="6" cursor={disabled ? "not-allowed" : "pointer"}>
      <chakra.input
        type="radio"
        name="network"
        css={{ accentColor: "{colors.accent.solid}" }}
        checked={checked}
        disabled={disabled}
        onChange={onChoose}
      />
      <Text as="span" fontSize="sm" color={disabled ? "fg.muted" : "fg"}>
        {choice.label}
        {disabled ? " (administrators only)" : ""}
      </Text>
    </chakra.label>
  );
}
