import { Box, Text } from "@chakra-ui/react";
import { Link } from "react-router";
import { ModelPicker } from "../models/model-picker.tsx";
import { useModels } from "../models/queries.ts";
import { Section } from "../ui/page.tsx";

interface ModelChoiceProps {
  /** Id of the model; empty for none. */
  readonly value: string;
  readonly onChange: (id: string) => void;
}

/** Which model a program is bound to that calls one. */
export function ModelChoice({ value, onChange }: ModelChoiceProps) {
  const models = useModels();
  const isNone = models.data?.some(({ usable }) => usable) === false;
  return (
    <Section heading="Model" note="this program calls a language model">
      <Box p="3">
        {isNone ? (
          <Text fontSize="sm">
            There is no model yet that you may use.{" "}
            <Text as="span" textDecoration="underline">
              <Link to="/models">Add a model</Link>
            </Text>
            , or create the program now and choose one when you run it.
          </Text>
        ) : (
          <ModelPicker value={value} onChange={onChange} />
        )}
      </Box>
    </Section>
  );
}
