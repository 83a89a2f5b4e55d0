import { Button, Flex, Text } from "@chakra-ui/react";
import { Link2 } from "lucide-react";
import { useLocation, useNavigate } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { pageOf } from "./page-of.ts";
import { useRedeemLink } from "./queries.ts";

/** Where a share link leads: taking what it gives is a decision, not a side effect of opening it. */
export default function ShareLinkPage() {
  const token = useLocation().hash.slice(1);
  const navigate = useNavigate();
  const redeem = useRedeemLink();
  const open = () =>
    redeem.mutate(token, {
      onSuccess: ({ resourceType, resourceId }) => void navigate(pageOf(resourceType, resourceId), { replace: true }),
    });
  return (
    <ScrollPage>
      <PageHeader title="Shared with you" />
      {redeem.error ? <ErrorPanel error={redeem.error} /> : null}
      <EmptyState
        icon={Link2}
        title="Somebody sent you a link"
        action={
          <Button size="sm" colorPalette="accent" loading={redeem.isPending} disabled={token === ""} onClick={open}>
            Open what was shared
          </Button>
        }
      >
        It opens with your account. Whoever shared it sees your name, and can take it back.
      </EmptyState>
      {token === "" ? (
        <Flex justify="center">
          <Text color="fg.error">The link is not complete: what comes after the # is missing.</Text>
        </Flex>
      ) : null}
    </ScrollPage>
  );
}
