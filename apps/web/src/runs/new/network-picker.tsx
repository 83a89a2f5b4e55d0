import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import { useMe } from "../../accounts/queries.ts";
import { TextAreaField } from "../../ui/form-field.tsx";
import type { Draft } from "./draft.ts";
import type { DraftNetwork } from "./draft-network.ts";

interface NetworkPickerProps {
  readonly draft: Draft;
  readonly problem: string | undefined;
  readonly onChange: (draft: Draft) => void;
}

interface Choice {
  readonly value: DraftNetwork["network"];
  readonly label: string;
  readonly help: string;
}

const choices: readonly Choice[] = [
  { value: "none", label: "No network", help: "The program reaches nothing." },
  { value: "hosts", label: "Some hosts", help: "Only those that you list, through a proxy that logs each connection." },
  { value: "full", label: "Every public host", help: "Private networks and this server stay out of reach." },
];

/** What the program may reach, each choice explained, with the list of hosts beside it. */
export function NetworkPicker({ draft, problem, onChange }: NetworkPickerProps) {
  const me = useMe();
  const isAdmin = me.data?.role === "admin";
  return (
    <Flex gap="4" direction={{ base: "column", md: "row" }}>
      <Flex as="fieldset" direction="column" gap="1.5" flex="1 1 0" minW="0" borderWidth="0" p="0" m="0">
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
      {draft.network === "hosts" ? (
        <Box flex="1 1 0" minW="0">
          <TextAreaField
            label="Allowed hosts, one a line"
            rows={4}
            placeholder={"pypi.org\n*.pythonhosted.org\napi.example.org:8443"}
            value={draft.hosts}
            onChange={(event) => onChange({ ...draft, hosts: event.currentTarget.value })}
            problem={problem}
            help="Ports 80 and 443, unless a line names another."
          />
        </Box>
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
    <chakra.label display="flex" gap="2" alignItems="flex-start" cursor={disabled ? "not-allowed" : "pointer"}>
      <chakra.input
        type="radio"
        name="network"
        mt="1"
        flexShrink="0"
        css={{ accentColor: "{colors.accent.solid}" }}
        checked={checked}
        disabled={disabled}
        onChange={onChoose}
      />
      <Box minW="0">
        <Text fontSize="sm" lineHeight="1.5" color={disabled ? "fg.muted" : "fg"}>
          {choice.label}
        </Text>
        <Text fontSize="xs" color="fg.muted">
          {disabled ? "For administrators." : choice.help}
        </Text>
      </Box>
    </chakra.label>
  );
}
