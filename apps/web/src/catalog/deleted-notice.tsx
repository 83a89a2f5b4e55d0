import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { RotateCcw } from "lucide-react";
import { useRestoreAsset } from "./queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatExact } from "../ui/format.ts";

/** Says that it is deleted, and until when it can be restored. */
export function DeletedNotice({ asset }: { readonly asset: Asset }) {
  const restore = useRestoreAsset();
  return (
    <Box mt="3" borderWidth="1px" borderColor="border" rounded="md" bg="bg.subtle">
      <Flex align="center" gap="3" px="3" py="2" wrap="wrap" role="status">
        <Text>This is deleted. It can be restored until {formatExact(asset.purgeAt ?? asset.updatedAt)}.</Text>
        <Button size="xs" ml="auto" variant="outline" loading={restore.isPending} onClick={() => restore.mutate(asset.id)}>
          <RotateCcw aria-hidden /> Restore
        </Button>
      </Flex>
      {restore.error ? <ErrorPanel error={restore.error} /> : null}
    </Box>
  );
}
