import { Box, Flex, Input, Text } from "@chakra-ui/react";
import { CornerDownLeft } from "lucide-react";
import { Fragment, type KeyboardEvent, type ReactNode, useEffect, useId, useState } from "react";
import { Modal } from "./modal.tsx";

/** Something that can be chosen by typing. */
export interface Choice {
  readonly key: string;
  readonly label: string;
  readonly aside?: ReactNode;
  /** What those are called that stand together; they come one after the other. */
  readonly group?: string;
  readonly icon?: ReactNode;
  /** Why it cannot be chosen. */
  readonly refusal?: string | undefined;
}

interface ChoiceDialogProps {
  readonly label: string;
  readonly placeholder: string;
  /** What the field is called; the placeholder when left out. */
  readonly field?: string;
  readonly width?: string;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly choices: readonly Choice[];
  /** It stays open: whoever shows it closes it. */
  readonly onChoose: (key: string) => void;
  readonly onClose: () => void;
  /** What is said when there is none. */
  readonly empty: string;
}

/** Chooses one of many by typing. */
export function ChoiceDialog({
  label,
  placeholder,
  field = placeholder,
  width = "32rem",
  query,
  onQuery,
  choices,
  onChoose,
  onClose,
  empty,
}: ChoiceDialogProps) {
  const [active, setActive] = useState(0);
  const id = useId();
  const chosen = Math.min(active, choices.length - 1);
  const choose = (choice: Choice | undefined) => {
    if (choice === undefined || choice.refusal !== undefined) return;
    onChoose(choice.key);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && choices.length > 0) setActive((chosen + step + choices.length) % choices.length);
    else if (event.key === "Enter") choose(choices[chosen]);
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [id, chosen]);
  return (
    <Modal label={label} place="top" width={width} header={false} onClose={onClose}>
      <Input
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={chosen < 0 ? undefined : `${id}-${chosen}`}
        aria-label={field}
        placeholder={placeholder}
        value={query}
        onChange={(event) => {
          onQuery(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        border="none"
        borderBottomWidth="1px"
        rounded="0"
        h="12"
        px="4"
        outline="none"
        position="sticky"
        top="0"
        bg="bg.panel"
        zIndex="1"
      />
      <Box id={id} role="listbox" aria-label={label} p="2">
        {choices.map((choice, index) => (
          <Fragment key={choice.key}>
            {choice.group === undefined || choice.group === choices[index - 1]?.group ? null : (
              <Text role="presentation" fontSize="xs" color="fg.subtle" px="2" pt="2" pb="1">
                {choice.group}
              </Text>
            )}
            <Flex
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === chosen}
              aria-disabled={choice.refusal !== undefined}
              align="center"
              gap="2.5"
              minH="9"
              px="2"
              rounded="md"
              cursor="pointer"
              opacity={choice.refusal === undefined ? 1 : 0.6}
              bg={index === chosen ? "bg.muted" : "transparent"}
              onMouseMove={() => setActive(index)}
              onClick={() => choose(choice)}
            >
              {choice.icon}
              <Text truncate>{choice.label}</Text>
              <Flex ml="auto" align="center" gap="2" color="fg.muted" fontSize="xs" minW="0" flexShrink="9">
                <Box truncate>{choice.refusal ?? choice.aside}</Box>
                {index === chosen ? <CornerDownLeft size={12} aria-hidden style={{ flexShrink: 0 }} /> : null}
              </Flex>
            </Flex>
          </Fragment>
        ))}
        {choices.length === 0 ? (
          <Text px="2" py="4" color="fg.muted" role="status">
            {empty}
          </Text>
        ) : null}
      </Box>
    </Modal>
  );
}
