import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { type LinkedThing, Syla } from "@syla/sdk";
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { LogIn } from "lucide-react";
import { lazy, type ReactNode, Suspense, useMemo } from "react";
import { Link } from "react-router";
import { basePath } from "../app/api.ts";
import { ClientProvider, useClient } from "../app/client.ts";
import { keepHash } from "../app/kept-hash.ts";
import { ToSignIn } from "../app/session-gate.tsx";
import { Brand } from "../app/sidebar.tsx";
import { errorCode } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { usePageTitle } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";

const LinkedAsset = lazy(async () => ({ default: (await import("./linked/linked-asset.tsx")).LinkedAsset }));
const LinkedSandbox = lazy(async () => ({ default: (await import("./linked/linked-sandbox.tsx")).LinkedSandbox }));
const SharedRun = lazy(async () => ({ default: (await import("../runs/shared-run.tsx")).SharedRun }));

/** How often it is looked at what has become of a sandbox. */
const everyMs = 10_000;

/** What a share link leads to, for people who are not signed in: to look at, and no more. */
export default function PublicSharePage({ token }: { readonly token: string }) {
  const client = useMemo(() => ({ syla: new Syla({ baseUrl: basePath, apiKey: token, retry: { maxRetries: 2 } }), hasKey: true }), [token]);
  // What is read by a link is nothing that the pages of a session should find in their cache.
  const queries = useMemo(() => new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 5000 } } }), []);
  return (
    <ClientProvider value={client}>
      <QueryClientProvider client={queries}>
        <LinkedPage />
      </QueryClientProvider>
    </ClientProvider>
  );
}

function LinkedPage() {
  const { syla } = useClient();
  const link = useQuery({
    queryKey: ["link"],
    queryFn: ({ signal }) => syla.sharing.link({ signal }),
    refetchInterval: ({ state }) => (state.data?.sandbox?.endedAt === null ? everyMs : false),
  });
  usePageTitle(link.data?.name ?? "Shared");
  if (errorCode(link.error) === "unauthenticated") return <ToSignIn />;
  return (
    <Frame link={link.data}>
      {link.isPending ? <SkeletonRows rows={4} /> : null}
      {link.isError ? (
        <Box p="4" maxW="lg" mx="auto" w="full">
          <ErrorPanel error={link.error} onRetry={() => void link.refetch()} />
        </Box>
      ) : null}
      {link.data ? (
        <Suspense fallback={<SkeletonRows rows={4} />}>
          <Linked link={link.data} />
        </Suspense>
      ) : null}
    </Frame>
  );
}

function Linked({ link }: { readonly link: LinkedThing }) {
  if (link.asset !== null) return <LinkedAsset link={link} asset={link.asset} />;
  if (link.sandbox !== null) return <LinkedSandbox name={link.name} sandbox={link.sandbox} />;
  return <SharedRun id={link.resourceId} />;
}

/** What signing in is good for. */
function describeSignIn({ level, resourceType }: LinkedThing): string {
  if (level === "view") return "Sign in to keep it";
  return resourceType === "sandbox" ? "Sign in to use it" : "Sign in to run it";
}

function Frame({ link, children }: { readonly link: LinkedThing | undefined; readonly children: ReactNode }) {
  return (
    <Flex direction="column" h="100dvh" overflow="hidden">
      <Flex
        as="header"
        align="center"
        gap="3"
        px="4"
        minH="12"
        py="2"
        borderBottomWidth="1px"
        borderColor="border"
        wrap="wrap"
        flexShrink="0"
      >
        <Box mb="-3" ml="-2">
          <Brand />
        </Box>
        <Text fontSize="xs" color="fg.muted">
          {link ? "Shared with you to look at" : ""}
          {link?.expiresAt ? (
            <>
              ; the link ends <TimeAgo time={link.expiresAt} />
            </>
          ) : null}
        </Text>
        <Button asChild size="xs" colorPalette="accent" ml="auto">
          <Link to="/sign-in?next=%2Fshare" onClick={() => keepHash("/share", window.location.hash)}>
            <LogIn aria-hidden /> {link === undefined ? "Sign in" : describeSignIn(link)}
          </Link>
        </Button>
      </Flex>
      <Box as="main" flex="1" minH="0">
        {children}
      </Box>
    </Flex>
  );
}
