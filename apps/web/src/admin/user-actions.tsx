import type { UserRecord } from "@syla/sdk";
import { useMe } from "../accounts/queries.ts";
import { ShownOnce } from "../ui/shown-once.tsx";
import { ConfirmedAction } from "./confirmed-action.tsx";
import {
  useExportUser,
  useImpersonate,
  useMakeResetLink,
  useReactivate,
  useResetTwoFactor,
  useSignOutUser,
  useSuspend,
} from "./queries.ts";

interface UserActionsProps {
  readonly user: UserRecord;
  /** Told of what was done. */
  readonly onDone: (text: string) => void;
}

/** What can be done with an account. Each is confirmed first. What is done may take its own row away, so that all is begun from here. */
export function UserActions({ user, onDone }: UserActionsProps) {
  const isMe = useMe().data?.id === user.id;
  const makeLink = useMakeResetLink();
  const signOut = useSignOutUser();
  const resetTwoFactor = useResetTwoFactor();
  const impersonate = useImpersonate();
  const exported = useExportUser();
  const suspend = useSuspend();
  const reactivate = useReactivate();
  const { id, name } = user;
  const isSuspended = user.status === "suspended";
  /** Closes the question, and says what was done. */
  const told = (text: string, done: () => void) => ({
    onSuccess: () => {
      done();
      onDone(text);
    },
  });
  return (
    <>
      <ConfirmedAction
        label="Password link"
        note="A link with which they set a new password. It works once, for an hour."
        question={`Make a link that sets the password of ${name}? Whoever has it can sign in as them: hand it over yourself.`}
        confirm="Make the link"
        action={makeLink}
        onConfirm={(_reason, done) => makeLink.mutate(id, { onSuccess: done })}
      />
      {makeLink.data ? <ShownOnce text={makeLink.data.url}>Hand this link to {name}. It is not shown again.</ShownOnce> : null}
      <ConfirmedAction
        label="Sign out everywhere"
        note="Ends every session. API keys stay."
        question={`End every session of ${name}?`}
        confirm="Sign them out"
        action={signOut}
        onConfirm={(_reason, done) => signOut.mutate(id, told(`${name} is signed out everywhere.`, done))}
      />
      {user.twoFactorEnabled ? (
        <ConfirmedAction
          label="Reset second factor"
          note="For somebody who has lost the authenticator and the recovery codes. Their sessions end, and they are told."
          question={`Take the second factor off? Make sure first that it is ${name} who asks.`}
          confirm="Take it off"
          reasoned
          dangerous
          action={resetTwoFactor}
          onConfirm={(reason, done) => resetTwoFactor.mutate({ id, reason }, told(`The second factor of ${name} is off.`, done))}
        />
      ) : null}
      <ConfirmedAction
        label="Export their data"
        note="Everything that is kept about this person, in one file."
        question={`Export what is kept about ${name}?`}
        confirm="Export"
        reasoned
        action={exported}
        onConfirm={(reason, done) => exported.mutate({ id, reason }, told(`The data of ${name} is exported.`, done))}
      />
      {user.role === "admin" || isMe || isSuspended ? null : (
        <ConfirmedAction
          label="Act as them"
          note="A session as this person, for an hour at most. Everything that you do in it is recorded."
          question={`Act as ${name}? A banner on every page says so, and has the way back.`}
          confirm={`Act as ${name}`}
          reasoned
          action={impersonate}
          onConfirm={(reason) => impersonate.mutate({ id, reason })}
        />
      )}
      {isSuspended ? (
        <ConfirmedAction
          label="Reactivate"
          note="Every request of this account is refused. It can be let in again."
          question={`Let ${name} in again?`}
          confirm="Let them in"
          action={reactivate}
          onConfirm={(_reason, done) => reactivate.mutate(id, told(`${name} may sign in again.`, done))}
        />
      ) : (
        <ConfirmedAction
          label="Suspend"
          note="Refuses every session and key from now on, and ends what runs. Nothing else is lost."
          question={`Suspend ${name}?`}
          confirm={`Suspend ${name}`}
          reasoned
          dangerous
          action={suspend}
          onConfirm={(reason, done) => suspend.mutate({ id, reason }, told(`${name} is suspended.`, done))}
        />
      )}
    </>
  );
}
