import { Button, Flex, Text } from "@chakra-ui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { WifiOff } from "lucide-react";
import { useEffect, useRef } from "react";
import { syla } from "./api.ts";

/** Says when the server is away, keeps trying, and loads everything again when it is back. */
export function ConnectionBanner() {
  const client = useQueryClient();
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => syla.server.info({ signal, timeoutMs: 8000 }),
    refetchInterval: (query) => (query.state.status === "error" ? 2000 : 20_000),
    staleTime: 0,
    refetchOnWindowFocus: "always",
  });
  const lost = health.isError;
  const wasLost = useRef(false);
  useEffect(() => {
    if (wasLost.current && !lost) void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "health" });
    wasLost.current = lost;
  }, [lost, client]);
  if (!lost) return null;
  return (
    <Flex
      role="status"
      align="center"
      gap="2"
      px="4"
      py="1.5"
      bg="bg.warning"
      color="fg.warning"
      borderBottomWidth="1px"
      borderColor="border"
      fontSize="xs"
    >
      <WifiOff size={14} aria-hidden />
      <Text>The server cannot be reached. Trying again; what runs there goes on running.</Text>
      <Button ml="auto" size="2xs" variant="outline" onClick={() => void health.refetch()}>
        Try now
      </Button>
    </Flex>
  );
}
