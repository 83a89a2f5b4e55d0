import { Box, Flex, NativeSelect, Text } from "@chakra-ui/react";
import { FilterChip } from "../../ui/filter-chip.tsx";
import { useApiKeyScopes } from "../queries.ts";

interface ScopesPickerProps {
  readonly scopes: readonly string[];
  readonly onChange: (scopes: readonly string[]) => void;
}

/** What a key may do: everything, reading everything, or chosen parts. */
export function ScopesPicker({ scopes, onChange }: ScopesPickerProps) {
  const simple = scopes.length === 1 && (scopes[0] === "*" || scopes[0] === "*:read") ? scopes[0] : "chosen";
  return (
    <Box w="full">
      <NativeSelect.Root size="sm" w="64">
        <NativeSelect.Field
          aria-label="What it may do"
          value={simple}
          onChange={(event) => onChange(event.currentTarget.value === "chosen" ? [] : [event.currentTarget.value])}
        >
          <option value="*">may do what you may</option>
          <option value="*:read">may read only</option>
          <option value="chosen">may do what is chosen here</option>
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
      {simple === "chosen" ? <ChosenScopes scopes={scopes} onChange={onChange} /> : null}
    </Box>
  );
}

function ChosenScopes({ scopes, onChange }: ScopesPickerProps) {
  const known = useApiKeyScopes();
  const toggle = (scope: string) => onChange(scopes.includes(scope) ? scopes.filter((other) => other !== scope) : [...scopes, scope]);
  return (
    <Box mt="3" role="group" aria-label="Scopes">
      {known.data?.map(({ tag, ...actions }) => (
        <Flex key={tag} gap="2" align="center" py="1" wrap="wrap">
          <Text fontFamily="mono" fontSize="xs" w="28">
            {tag}
          </Text>
          {(["read", "write", "use"] as const)
            .filter((action) => actions[action])
            .map((action) => (
              <FilterChip key={action} pressed={scopes.includes(`${tag}:${action}`)} onClick={() => toggle(`${tag}:${action}`)}>
                {action}
              </FilterChip>
            ))}
        </Flex>
      ))}
      {scopes.length === 0 ? (
        <Text fontSize="xs" color="fg.muted" mt="1">
          Choose at least one.
        </Text>
      ) : null}
    </Box>
  );
}
