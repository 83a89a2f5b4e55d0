import { Button, chakra } from "@chakra-ui/react";
import type { AuditEvent } from "@syla/sdk";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { formatExact } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import type { AuditPageFilter } from "./audit-filter.ts";
import { whoOf } from "./audit-table.tsx";
import { OutcomeMark } from "./outcome-mark.tsx";

interface EventDrawerProps {
  readonly event: AuditEvent;
  readonly onClose: () => void;
  readonly onFilter: (change: Partial<AuditPageFilter>) => void;
}

/** Everything that is known of one event. */
export function EventDrawer({ event, onClose, onFilter }: EventDrawerProps) {
  const { actorId, resourceId } = event;
  const details = Object.keys(event.details).length === 0 ? null : JSON.stringify(event.details, null, 2);
  return (
    <Modal label={event.action} place="right" width="min(30rem, 100vw)" onClose={onClose}>
      <DefinitionList
        items={[
          ["Outcome", <OutcomeMark key="outcome" outcome={event.outcome} />],
          ["Error", event.errorCode],
          ["Time", formatExact(event.at)],
          ["Who", whoOf(event)],
          [
            "Person",
            actorId === null ? null : <Id key="actor" id={actorId} label="person" onFilter={() => onFilter({ actor: actorId })} />,
          ],
          ["Role", event.actorRole],
          ["Signed in with", event.via === "none" ? null : event.via],
          ["Acting for them", event.impersonatorId],
          ["Kind of thing", event.resourceType],
          [
            "About",
            resourceId === null ? null : (
              <Id key="resource" id={resourceId} label="thing" onFilter={() => onFilter({ resource: resourceId })} />
            ),
          ],
          ["Address", event.ip],
          ["Browser or program", event.userAgent],
          ["Request", event.requestId === null ? null : <Copyable key="request" text={event.requestId} label="request id" />],
          ["Event", <Copyable key="event" text={event.id} label="event id" />],
          ["Seal", event.seal === null ? "not sealed yet" : String(event.seal)],
          [
            "Details",
            details === null ? null : (
              <chakra.pre key="details" fontFamily="mono" fontSize="xs" whiteSpace="pre-wrap" overflowWrap="anywhere">
                {details}
              </chakra.pre>
            ),
          ],
        ]}
      />
    </Modal>
  );
}

function Id({ id, label, onFilter }: { readonly id: string; readonly label: string; readonly onFilter: () => void }) {
  return (
    <>
      <Copyable text={id} label={label} />{" "}
      <Button size="2xs" variant="outline" onClick={onFilter}>
        Only this {label}
      </Button>
    </>
  );
}
