import { Box, chakra, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { TriangleAlert } from "lucide-react";
import { Section } from "../../ui/page.tsx";
import { limitFields } from "../limits.ts";

const enforcers: Readonly<Record<string, string>> = {
  cgroup: "kernel (cgroup)",
  rlimit: "kernel (rlimit)",
  supervisor: "supervisor",
  affinity: "CPU affinity",
  none: "not enforced here",
};

/** What was asked for, what was in force, and what enforced it. */
export function RunLimits({ run }: { readonly run: Run }) {
  return (
    <Section heading="Limits">
      <Box overflowX="auto" tabIndex={0} role="region" aria-label="Limits" outlineOffset="-2px">
        <chakra.table
          w="full"
          css={{
            "& th, & td": { px: "4", py: "1.5", textAlign: "left", whiteSpace: "nowrap" },
            "& .number": { textAlign: "right" },
            "& tbody tr": { borderTopWidth: "1px", borderColor: "border.muted" },
          }}
        >
          <chakra.thead color="fg.muted" fontSize="xs">
            <tr>
              <th>Limit</th>
              <th className="number">Asked for</th>
              <th className="number">In force</th>
              <th>Enforced by</th>
            </tr>
          </chakra.thead>
          <tbody>
            {limitFields.map(({ name, label, format }) => {
              const asked = run.requestedLimits[name];
              const effective = run.limits?.[name];
              return (
                <tr key={name}>
                  <td>{label}</td>
                  <td className="number">
                    {asked === undefined ? (
                      <Text as="span" color="fg.subtle">
                        default
                      </Text>
                    ) : (
                      format(asked)
                    )}
                  </td>
                  <td className="number">{effective ? format(effective.value) : "–"}</td>
                  <td>{effective ? <Enforcer name={effective.enforcedBy} /> : "not started"}</td>
                </tr>
              );
            })}
          </tbody>
        </chakra.table>
      </Box>
    </Section>
  );
}

function Enforcer({ name }: { readonly name: string }) {
  if (name !== "none") return enforcers[name] ?? name;
  return (
    <Text as="span" color="fg.warning" display="inline-flex" alignItems="center" gap="1.5">
      <TriangleAlert size={14} aria-hidden /> {enforcers["none"]}
    </Text>
  );
}
