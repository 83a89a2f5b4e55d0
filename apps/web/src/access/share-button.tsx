import { Button } from "@chakra-ui/react";
import type { ThingRef } from "@syla/sdk";
import { Share2 } from "lucide-react";
import { useState } from "react";
import { useAccess } from "./queries.ts";
import { ShareDialog } from "./share-dialog.tsx";

/** Opens the sharing of a thing, for those who may share it. */
export function ShareButton({ thing }: { readonly thing: ThingRef }) {
  const access = useAccess(thing);
  const [open, setOpen] = useState(false);
  if (access.data?.level !== "admin") return null;
  return (
    <>
      <Button size="xs" variant="outline" onClick={() => setOpen(true)}>
        <Share2 aria-hidden /> Share
      </Button>
      {open ? <ShareDialog thing={thing} access={access.data} onClose={() => setOpen(false)} /> : null}
    </>
  );
}
