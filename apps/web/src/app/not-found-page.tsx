import { Button } from "@chakra-ui/react";
import { Compass } from "lucide-react";
import { Link } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";

/** An address that leads nowhere. */
export function NotFoundPage() {
  return (
    <ScrollPage>
      <PageHeader title="Page not found" />
      <EmptyState
        icon={Compass}
        title="There is nothing at this address"
        action={
          <Button asChild size="xs" colorPalette="accent">
            <Link to="/">Go to home</Link>
          </Button>
        }
      >
        Check it for typing errors, or start again from home.
      </EmptyState>
    </ScrollPage>
  );
}
