import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { Plus, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Link } from "react-router";
import { syla } from "../app/api.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { formatCount } from "../ui/format.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { Section } from "../ui/page.tsx";
import { useSplit } from "./queries.ts";

interface Share {
  readonly name: string;
  readonly percent: string;
}

const usual: readonly Share[] = [
  { name: "train", percent: "80" },
  { name: "validation", percent: "10" },
  { name: "test", percent: "10" },
];

/** How the rows are shared out, and how they should be. */
export function SplitsTab({ asset }: { readonly asset: Asset }) {
  const { splits } = syla.datasets.config(asset);
  const mayEdit = asset.deletedAt === null && (asset.yourLevel === "edit" || asset.yourLevel === "admin");
  return (
    <Box maxW="760px" px={{ base: "4", md: "6" }} py="4">
      <Section heading="Splits" note={splits === null ? null : `seed ${splits.seed}`}>
        {splits === null ? (
          <Text px="4" py="3" color="fg.muted">
            The rows are in one piece.{" "}
            {mayEdit ? "Share them out below, so that programs can be tried on rows that they were not made with." : ""}
          </Text>
        ) : (
          <Box as="ul" listStyleType="none">
            {splits.shares.map(({ name, percent, rows }) => (
              <Flex
                as="li"
                key={name}
                px="4"
                py="2"
                gap="3"
                align="center"
                wrap="wrap"
                borderTopWidth="1px"
                borderColor="border.muted"
                _first={{ borderTopWidth: 0 }}
              >
                <chakra.span fontFamily="mono" w="28" truncate>
                  {name}
                </chakra.span>
                <Box flex="1" minW="12" h="1.5" rounded="full" bg="bg.muted" overflow="hidden">
                  <Box h="full" bg="accent.solid" style={{ width: `${percent}%` }} />
                </Box>
                <Text w="24" textAlign="right">
                  {formatCount(rows)}
                </Text>
                <Text w="14" textAlign="right" color="fg.muted">
                  {percent} %
                </Text>
                <Text fontSize="xs" textDecoration="underline">
                  <Link to={`?split=${name}`} aria-label={`Rows of ${name}`}>
                    rows
                  </Link>
                </Text>
                <Text fontSize="xs" textDecoration="underline">
                  <a href={syla.datasets.exportUrl(asset.id, { split: name })} download aria-label={`file of ${name}`}>
                    file
                  </a>
                </Text>
              </Flex>
            ))}
          </Box>
        )}
      </Section>
      {mayEdit ? <SplitForm key={asset.revision} asset={asset} /> : null}
    </Box>
  );
}

function SplitForm({ asset }: { readonly asset: Asset }) {
  const { splits } = syla.datasets.config(asset);
  const [seed, setSeed] = useState(String(splits?.seed ?? 0));
  const [shares, setShares] = useState<readonly Share[]>(
    splits?.shares.map(({ name, percent }) => ({ name, percent: String(percent) })) ?? usual,
  );
  const split = useSplit(asset);
  const total = shares.reduce((sum, { percent }) => sum + Number(percent), 0);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    split.mutate({ seed: Number(seed), shares: shares.map(({ name, percent }) => ({ name: name.trim(), percent: Number(percent) })) });
  };
  const change = (index: number, part: Partial<Share>) => setShares(shares.map((one, at) => (at === index ? { ...one, ...part } : one)));
  return (
    <Section heading="Share the rows out">
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        {shares.map((share, index) => (
          <Flex key={index} gap="2" align="flex-end">
            <Box flex="1 1 160px">
              <TextField
                label="Name"
                required
                fontFamily="mono"
                value={share.name}
                onChange={(event) => change(index, { name: event.currentTarget.value })}
              />
            </Box>
            <Box w="28">
              <TextField
                label="Percent"
                required
                type="number"
                min={0}
                max={100}
                step="any"
                value={share.percent}
                onChange={(event) => change(index, { percent: event.currentTarget.value })}
              />
            </Box>
            <IconButton
              label={`Remove the split ${share.name}`}
              disabled={shares.length === 1}
              onClick={() => setShares(shares.filter((_, at) => at !== index))}
            >
              <X />
            </IconButton>
          </Flex>
        ))}
        <Flex gap="2" align="center" wrap="wrap">
          <Button
            size="xs"
            variant="outline"
            disabled={shares.length >= 10}
            onClick={() => setShares([...shares, { name: "", percent: "0" }])}
          >
            <Plus aria-hidden /> Another split
          </Button>
          <Text fontSize="xs" color={total === 100 ? "fg.muted" : "fg.error"} role="status">
            {total} % together{total === 100 ? "" : ": it has to be 100 %"}
          </Text>
        </Flex>
        <TextField
          label="Seed"
          type="number"
          min={0}
          max={2_147_483_647}
          required
          help="The same seed gives the same rows, another one gives others."
          value={seed}
          onChange={(event) => setSeed(event.currentTarget.value)}
        />
        {split.error ? <ErrorPanel error={split.error} /> : null}
        <Flex justify="flex-end" gap="2">
          {splits === null ? null : (
            <Button size="sm" variant="outline" loading={split.isPending} onClick={() => split.mutate(null)}>
              No splits
            </Button>
          )}
          <Button type="submit" size="sm" colorPalette="accent" disabled={Math.abs(total - 100) > 1e-6} loading={split.isPending}>
            Publish
          </Button>
        </Flex>
        <Text fontSize="xs" color="fg.muted">
          It is published as the next version. Versions that are there keep their splits.
        </Text>
      </Flex>
    </Section>
  );
}
