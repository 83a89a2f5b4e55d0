/**
 * The catalogue of error codes: the one table that the server, the SDK, the CLI, the web pages and
 * `docs/errors.gen.md` share. `status` is the HTTP status; `hint` says what a person can do about it.
 */
export const errorCatalog = {
  // 400: the request itself is wrong
  invalid_request: { status: 400, message: "The request is not valid.", hint: "Correct the fields that are listed and send it again." },
  unknown_language: { status: 400, message: "No such language.", hint: "`syla runtimes` lists the languages that this server can run." },
  runtime_unavailable: {
    status: 400,
    message: "The language is known, but its runtime is not installed on this server.",
    hint: "`syla runtimes` shows how to install it.",
  },
  unknown_version: {
    status: 400,
    message: "The language is installed, but not in that version.",
    hint: "`syla runtimes` lists the versions; `python@3.11` takes any 3.11.",
  },
  empty_code: { status: 400, message: "There is no code to run.", hint: "Send `code`, or `files` with an `entrypoint`." },
  entrypoint_missing: { status: 400, message: "The entrypoint is not among the files.", hint: "Name one of the files as `entrypoint`." },
  invalid_path: {
    status: 400,
    message: "A file path is not allowed.",
    hint: "Use relative paths without `..`, NUL bytes or empty parts, at most 20 levels and 255 bytes a part.",
  },
  blob_unknown: {
    status: 400,
    message: "A file refers to content that you have not uploaded.",
    hint: "Upload the content first, then refer to it by its SHA-256.",
  },
  limit_out_of_range: {
    status: 400,
    message: "A limit is above what this server allows.",
    hint: "Lower the limit, or ask an administrator to raise the maximum.",
  },
  tier_unavailable: {
    status: 400,
    message: "The isolation tier cannot be had on this server.",
    hint: "`syla doctor` shows which tiers work here and what the others need.",
  },
  network_unavailable: {
    status: 400,
    message: "The network policy cannot be had on this server.",
    hint: "Use `none`, or an allow list of hosts.",
  },
  invalid_cursor: {
    status: 400,
    message: "The page cursor is not one that this server gave out.",
    hint: "Start again from the first page.",
  },
  // 401 and 403: who is asking
  unauthenticated: { status: 401, message: "Sign in first.", hint: "Send a session cookie or an API key (`Authorization: Bearer …`)." },
  invalid_credentials: { status: 401, message: "The e-mail address or the password is wrong.", hint: "Check both and try again." },
  invalid_api_key: {
    status: 401,
    message: "The API key is unknown, expired or revoked.",
    hint: "Create a new key under Settings → API keys.",
  },
  forbidden: { status: 403, message: "You may not do this.", hint: "Ask the owner or an administrator for access." },
  scope_missing: {
    status: 403,
    message: "The API key was not made for this.",
    hint: "Use a key with the scope that is named, or create one under Settings → API keys.",
  },
  account_suspended: { status: 403, message: "This account is suspended.", hint: "Ask an administrator." },
  cross_origin: { status: 403, message: "The request came from another site.", hint: "Open Syla under its own address." },
  setup_token_invalid: {
    status: 403,
    message: "The set-up link is unknown or was used already.",
    hint: "`./syla up` prints a fresh link as long as nobody has been set up.",
  },
  share_link_invalid: {
    status: 403,
    message: "The link is unknown, or it has expired or been revoked.",
    hint: "Ask whoever sent it for a new one.",
  },
  invitation_invalid: {
    status: 403,
    message: "The invitation is unknown, or it has expired, been used or been revoked.",
    hint: "Ask an owner of the team for a new one.",
  },
  // accounts: signing up and in
  sign_up_closed: {
    status: 403,
    message: "Accounts cannot be made here this way.",
    hint: "Ask an administrator for an invitation; `SYLA_SIGN_UP` says who may make an account.",
  },
  link_invalid: {
    status: 403,
    message: "The link is unknown, was used already, or is too old.",
    hint: "Ask for a new one.",
  },
  email_taken: { status: 409, message: "The address has an account already.", hint: "Sign in, or reset the password." },
  two_factor_required: {
    status: 401,
    message: "A code of the authenticator is needed.",
    hint: "Send it as `code`; a recovery code will do, too.",
  },
  two_factor_invalid: {
    status: 401,
    message: "The code is wrong, too old, or was used already.",
    hint: "Wait for the next code of the authenticator, or use a recovery code.",
  },
  identity_provider_failed: {
    status: 502,
    message: "The provider that should say who you are could not be used.",
    hint: "Try again; an administrator finds the reason in the server's log.",
  },
  identity_refused: {
    status: 403,
    message: "The provider did not let you in.",
    hint: "Try again, and agree to what it asks.",
  },
  identity_flow_invalid: {
    status: 403,
    message: "This sign-in was not begun in this browser, or it took too long.",
    hint: "Begin again at the sign-in page.",
  },
  identity_unknown: {
    status: 403,
    message: "This account has no place here, and cannot make one.",
    hint: "Ask an administrator for an invitation to its e-mail address.",
  },
  identity_unconfirmed: {
    status: 403,
    message: "The provider has not confirmed the e-mail address of this account.",
    hint: "Confirm the address there, and sign in again.",
  },
  identity_needs_link: {
    status: 409,
    message: "The e-mail address has an account here already, and this sign-in is not linked to it.",
    hint: "Sign in as you did before, and link the provider under Settings → Security.",
  },
  identity_taken: {
    status: 409,
    message: "That account is linked to somebody else here.",
    hint: "Unlink it there first.",
  },
  last_way_in: {
    status: 409,
    message: "Without this you could not sign in any more.",
    hint: "Set a password first, or link another provider.",
  },
  token_invalid: {
    status: 401,
    message: "The token is unknown, was used already, has expired, or is not meant for this server.",
    hint: "Ask for a new one with the key or the token that you had it from.",
  },
  session_required: { status: 403, message: "This is for a person in the browser, not for a key.", hint: "Sign in to the web pages." },
  authorization_pending: { status: 400, message: "Nobody has confirmed the code yet.", hint: "Ask again after the interval." },
  slow_down: { status: 400, message: "That was asked too soon.", hint: "Wait five seconds longer between polls." },
  expired_token: { status: 400, message: "The code is unknown, was used already, or is too old.", hint: "Begin again." },
  access_denied: { status: 403, message: "The code was refused in the browser.", hint: "Begin again, and confirm it." },
  impersonating: {
    status: 403,
    message: "An administrator who acts as somebody else may not do this.",
    hint: "Stop acting as them first.",
  },
  webhook_refused: {
    status: 400,
    message: "The address of the webhook is not allowed.",
    hint: "Use a public address, or ask an administrator to allow the network with `SYLA_WEBHOOK_ALLOW_PRIVATE`.",
  },
  mail_unavailable: {
    status: 409,
    message: "This server sends no e-mail.",
    hint: "An administrator can set `SYLA_SMTP_URL`; until then mails wait, and administrators can read them.",
  },
  channel_not_set: { status: 409, message: "There is no address to send to.", hint: "Save an address first." },
  last_admin: {
    status: 409,
    message: "This is the last administrator.",
    hint: "Make somebody else an administrator first.",
  },
  local_account: {
    status: 409,
    message: "This is the account that the owner of the server's files acts as.",
    hint: "It can be suspended, or made a developer, but not deleted.",
  },
  account_busy: {
    status: 409,
    message: "Something of this account is still running.",
    hint: "Suspend it, end its runs and sandboxes, and delete it then.",
  },
  // 404 and 409: what is there
  not_found: {
    status: 404,
    message: "There is nothing here, or you may not see it.",
    hint: "Check the address and the account that you are signed in with.",
  },
  path_not_found: { status: 404, message: "There is no such file or folder in the sandbox.", hint: "List the folder above it." },
  path_exists: {
    status: 409,
    message: "Something is there already under this name.",
    hint: "Choose another name, or say that it may be replaced.",
  },
  path_refused: {
    status: 400,
    message: "The sandbox's own system refuses this.",
    hint: "`details.code` is the system's word for the reason, e.g. `EACCES`.",
  },
  sandbox_ended: { status: 409, message: "The sandbox has ended.", hint: "Create another one." },
  sandbox_limit: {
    status: 409,
    message: "You have as many sandboxes as one account may have at once.",
    hint: "Delete one that you do not need, or ask an administrator to raise `SYLA_SANDBOX_LIMIT`.",
  },
  port_unreachable: {
    status: 409,
    message: "Nothing answers on this port in the sandbox.",
    hint: "Start the program that listens there; `syla sandbox show` lists the ports.",
  },
  sandbox_paused: { status: 409, message: "The sandbox is paused.", hint: "Resume it first." },
  sandbox_elsewhere: {
    status: 409,
    message: "Another server of this installation holds the sandbox.",
    hint: "Send the request to that server.",
  },
  run_finished: { status: 409, message: "The run has already ended.", hint: "Start it again with a rerun." },
  idempotency_conflict: {
    status: 409,
    message: "The idempotency key was used for a different request.",
    hint: "Use a new key for a new request.",
  },
  already_set_up: { status: 409, message: "This server has been set up already.", hint: "Sign in instead." },
  last_owner: {
    status: 409,
    message: "A team keeps at least one owner.",
    hint: "Make somebody else an owner first, or delete the team.",
  },
  conflict: { status: 409, message: "Someone else changed this at the same time.", hint: "Load it again and repeat the change." },
  // 413 and 429: too much
  payload_too_large: {
    status: 413,
    message: "The request is larger than this server accepts.",
    hint: "Upload large files first and refer to them, or send fewer.",
  },
  rate_limited: { status: 429, message: "Too many requests.", hint: "Wait for the time in `Retry-After` and try again." },
  quota_exceeded: {
    status: 429,
    message: "A quota is used up.",
    hint: "`details` names the quota, its limit and when it is counted anew (`Retry-After`); an administrator can raise it.",
  },
  queue_full: { status: 429, message: "The queue is full.", hint: "Wait for the time in `Retry-After` and try again." },
  // 5xx: our side
  internal: {
    status: 500,
    message: "Something went wrong on the server.",
    hint: "Try again; if it stays, give the request id to an administrator.",
  },
  database_unavailable: {
    status: 503,
    message: "The database cannot be reached.",
    hint: "Nothing was changed. Try again in a few seconds.",
  },
  sandbox_unavailable: {
    status: 503,
    message: "No sandbox could be started.",
    hint: "Try again; if it stays, `syla doctor` shows what is wrong on this machine.",
  },
  storage_full: { status: 507, message: "The server's disk is full.", hint: "An administrator has to make room in the data directory." },
  shutting_down: { status: 503, message: "The server is shutting down.", hint: "Try again in a few seconds." },
  // the server cannot start: one line on stderr and an exit code
  config_invalid: {
    status: 500,
    message: "The configuration is not valid.",
    hint: "Correct the options that are listed; docs/configuration.gen.md describes each.",
  },
  insecure_bind: {
    status: 500,
    message: "The address can be reached from other machines, and there is no TLS.",
    hint: "Give `--tls-cert` and `--tls-key`, or say `--insecure` if a proxy adds TLS.",
  },
  port_in_use: {
    status: 500,
    message: "The port is in use.",
    hint: "Stop the program that listens there, or choose another with `--port`.",
  },
  address_unavailable: {
    status: 500,
    message: "The server cannot listen on this address.",
    hint: "Choose an address of this machine with `--host`.",
  },
  data_dir_in_use: {
    status: 500,
    message: "Another server uses this data directory.",
    hint: "Stop it with `syla down`, or choose another with `--data-dir`.",
  },
  data_dir_newer: {
    status: 500,
    message: "The data directory was written by a newer version of Syla.",
    hint: "Start that version, or choose another directory with `--data-dir`.",
  },
  data_dir_unusable: {
    status: 500,
    message: "The data directory cannot be used.",
    hint: "Check that it exists, that you own it and that its disk has room.",
  },
  database_newer: {
    status: 500,
    message: "The database was written by a newer version of Syla.",
    hint: "Start that version, or use another database.",
  },
  database_mismatch: {
    status: 500,
    message: "The database does not match this version of Syla.",
    hint: "Use the database of this installation, or an empty one.",
  },
  postgres_unavailable: {
    status: 500,
    message: "The embedded PostgreSQL cannot be started.",
    hint: "See the reason above, or set `DATABASE_URL` to a PostgreSQL server of your own.",
  },
  postgres_version: {
    status: 500,
    message: "The database cluster belongs to another major version of PostgreSQL.",
    hint: "Start the version of Syla that made it, export the data and import it here.",
  },
  // what can be wrong with a run (the `error.code` of a finished run), and in the CLI
  syntax_error: { status: 200, message: "The program could not be parsed.", hint: "Correct the line that is named." },
  tests_failed: {
    status: 200,
    message: "Not every test case was accepted.",
    hint: "The verdict of each case says what is wrong.",
  },
  checker_failed: {
    status: 200,
    message: "The checker of the test cases failed itself.",
    hint: "It has to end with exit code 0 or 1; correct it and run the tests again.",
  },
  coverage_unavailable: {
    status: 400,
    message: "Coverage cannot be told for this language.",
    hint: "Leave `tests.coverage` out; Python and Node.js can tell it.",
  },
  compile_error: {
    status: 200,
    message: "The program could not be compiled.",
    hint: "Correct the line that is named; the log has everything that the compiler said.",
  },
  uncaught_exception: {
    status: 200,
    message: "The program ended with an uncaught exception.",
    hint: "The last lines of the error output say where.",
  },
  nonzero_exit: { status: 200, message: "The program ended with a non-zero exit code.", hint: "The error output usually says why." },
  killed_by_signal: {
    status: 200,
    message: "The program was ended by a signal.",
    hint: "A crash in native code, or the program signalled itself.",
  },
  timeout: { status: 200, message: "The program ran longer than its time limit.", hint: "Raise `wallMs`, or make the program faster." },
  out_of_memory: {
    status: 200,
    message: "The program needed more memory than its limit.",
    hint: "Raise `memoryBytes`, or use less memory.",
  },
  disk_limit: { status: 200, message: "The program wrote more to disk than its limit.", hint: "Raise `diskBytes`, or write less." },
  cpu_limit: { status: 200, message: "The program used more CPU time than its limit.", hint: "Raise `wallMs` or `cpus`." },
  worker_lost: { status: 200, message: "The server that ran the program stopped in the middle of it.", hint: "Run it again." },
  no_capacity: { status: 200, message: "No sandbox could be started in time.", hint: "Try again later, or add workers." },
  sandbox_failed: { status: 200, message: "The sandbox could not be started.", hint: "`syla doctor` shows what is wrong on this machine." },
  command_not_found: {
    status: 200,
    message: "The runtime's program was not found in the sandbox.",
    hint: "`syla doctor` shows what is installed.",
  },
} as const satisfies Record<string, ErrorEntry>;

/** One row of the catalogue. */
export interface ErrorEntry {
  readonly status: number;
  readonly message: string;
  readonly hint: string;
}

/** Every error code that the API, a run or the CLI can answer with. */
export type ErrorCode = keyof typeof errorCatalog;

/** Where in the request something is wrong. `path` is dotted (`files.0.path`). */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** What an {@link AppError} may carry besides its code. */
export interface AppErrorOptions {
  /** Replaces the catalogue's sentence with a more exact one. */
  readonly message?: string;
  /** Replaces the catalogue's advice. */
  readonly hint?: string;
  readonly fields?: readonly FieldProblem[];
  /** Machine-readable facts, e.g. `{ known: ["python", "node"] }`. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** Seconds until a retry makes sense; sent as `Retry-After`. */
  readonly retryAfter?: number;
}

/** The one error type of the product. Anything else that reaches a border is reported as `internal`. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly hint: string;
  readonly fields: readonly FieldProblem[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    const entry = errorCatalog[code];
    super(options.message ?? entry.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = entry.status;
    this.hint = options.hint ?? entry.hint;
    this.fields = options.fields ?? [];
    this.details = options.details ?? {};
    this.retryAfter = options.retryAfter;
  }
}
