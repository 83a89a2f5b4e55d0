import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { DoctorReport } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, CircleX, type LucideIcon, RotateCw } from "lucide-react";
import { syla } from "../app/api.ts";
import { limitFields } from "../runs/limits.ts";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { RuntimeList } from "./runtime-list.tsx";

/** What works on the server's machine, and what to do about what does not: the page of `syla doctor`. */
export default function DoctorPage() {
  const doctor = useQuery({ queryKey: ["doctor"], queryFn: ({ signal }) => syla.server.doctor({ signal }) });
  const server = useQuery({ queryKey: ["server"], queryFn: ({ signal }) => syla.server.info({ signal }) });
  return (
    <ScrollPage>
      <PageHeader
        title="System"
        actions={
          <Button size="xs" variant="outline" loading={doctor.isFetching} loadingText="Checking" onClick={() => void doctor.refetch()}>
            <RotateCw aria-hidden /> Check again
          </Button>
        }
      >
        {server.data ? <Text color="fg.muted">Syla {server.data.version}</Text> : null}
      </PageHeader>
      {doctor.isPending ? <SkeletonRows rows={6} /> : null}
      {doctor.isError ? <ErrorPanel error={doctor.error} onRetry={() => void doctor.refetch()} /> : null}
      {doctor.data ? <Report report={doctor.data} /> : null}
      <RuntimeList />
    </ScrollPage>
  );
}

function Report({ report }: { readonly report: DoctorReport }) {
  return (
    <>
      <Section heading="Checks" note={summary(report)}>
        {report.checks.map((check) => (
          <CheckRow key={check.name} check={check} />
        ))}
      </Section>
      {report.tiers.map((tier) => (
        <Section key={tier.tier} heading={`Isolation tier: ${tier.tier}`} note={tier.available ? "available" : "not available"}>
          <DefinitionList
            items={[
              ["Why not", tier.reason],
              ["Walls", tier.walls.length > 0 ? tier.walls.join(", ") : null],
              ...Object.entries(tier.limits).map(([limit, enforcedBy]) => [limitLabel(limit), enforcedBy] as const),
            ]}
          />
        </Section>
      ))}
    </>
  );
}

function limitLabel(name: string): string {
  const field = limitFields.find((limit) => limit.name === name);
  return field ? `${field.label} limit` : name;
}

function summary({ checks }: DoctorReport): string {
  const wrong = checks.filter((check) => check.status !== "ok").length;
  return wrong === 0 ? "everything is as it should be" : `${wrong} of ${checks.length} need a look`;
}

const looks: Readonly<
  Record<DoctorReport["checks"][number]["status"], { readonly icon: LucideIcon; readonly color: string; readonly label: string }>
> = {
  ok: { icon: CircleCheck, color: "fg.success", label: "Good" },
  warning: { icon: CircleAlert, color: "fg.warning", label: "Warning" },
  error: { icon: CircleX, color: "fg.error", label: "Error" },
};

function CheckRow({ check }: { readonly check: DoctorReport["checks"][number] }) {
  const { icon: Icon, color, label } = looks[check.status];
  return (
    <Flex gap="3" px="4" py="2" borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
      <Box color={color} mt="0.5" role="img" aria-label={label}>
        <Icon size={16} aria-hidden />
      </Box>
      <Box minW="0" flex="1">
        <Flex columnGap="3" wrap="wrap">
          <Text fontWeight="medium">{check.name}</Text>
          <Text color="fg.muted" overflowWrap="anywhere">
            {check.detail}
          </Text>
        </Flex>
        {check.fix ? <Copyable text={check.fix} label="fix" /> : null}
      </Box>
    </Flex>
  );
}
