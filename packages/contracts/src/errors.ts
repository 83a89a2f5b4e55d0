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
  tier_too_weak: {
    status: 400,
    message: "The isolation tier is weaker than what has to be.",
    hint: "Ask for none, or for a stronger one.",
  },
  network_unavailable: {
    status: 400,
    message: "The network policy cannot be had on this server.",
    hint: "Use `none`, or an allow list of hosts.",
  },
  dependencies_unsupported: {
    status: 400,
    message: "The dependencies ask for something that cannot be installed here.",
    hint: "Name packages of the index with their versions; addresses, paths and other indexes cannot be used.",
  },
  package_not_found: { status: 400, message: "There is no such package in the index.", hint: "Check how its name is written." },
  package_version_not_found: {
    status: 400,
    message: "There is no such version of a package.",
    hint: "Ask for a version that the index has, or for a range.",
  },
  package_does_not_fit: {
    status: 400,
    message: "A package has no version for this language and machine.",
    hint: "Ask for another version of it, or run the program with another version of the language.",
  },
  dependency_conflict: {
    status: 400,
    message: "The dependencies contradict each other.",
    hint: "Loosen one of the versions that the explanation names.",
  },
  package_changed: {
    status: 400,
    message: "A package is not the one that the lock names.",
    hint: "Make the lock file anew, if you trust what the index has now.",
  },
  package_needs_compiler: {
    status: 400,
    message: "A package has to be compiled, and what that takes is not on this server.",
    hint: "Ask for a version that has a ready-made package for this machine.",
  },
  lock_outdated: {
    status: 400,
    message: "The lock file does not fit the dependencies.",
    hint: "Make it anew with your package manager and save both.",
  },
  environment_limit: {
    status: 400,
    message: "The dependencies are more than this server installs.",
    hint: "Ask for fewer or smaller packages.",
  },
  environment_failed: {
    status: 400,
    message: "The dependencies could not be installed.",
    hint: "The log of the environment says what went wrong.",
  },
  environment_unavailable: {
    status: 503,
    message: "This server cannot install dependencies.",
    hint: "Ask an administrator: the log of the server says what is missing.",
  },
  index_unreachable: {
    status: 503,
    message: "The package index did not answer as it should.",
    hint: "Run it again in a while. An administrator can check the index that the server is set up with.",
  },
  image_unavailable: {
    status: 503,
    message: "This server cannot make images of environments.",
    hint: "Ask an administrator: `syla doctor` says what is missing.",
  },
  image_failed: {
    status: 500,
    message: "The image could not be built.",
    hint: "The log of the image says what went wrong.",
  },
  registry_refused: {
    status: 502,
    message: "The registry did not accept the image.",
    hint: "Check the credential and the repository that are set up (imageCredential, imageRepository).",
  },
  registry_unreachable: {
    status: 502,
    message: "The registry did not answer as it should.",
    hint: "Try again later, or check the address of the registry (imageRepository) and whether it has a valid certificate (imageInsecure).",
  },
  index_refused: {
    status: 502,
    message: "A package index refused the credential.",
    hint: "Check the credential of that index, and what it may read.",
  },
  environment_in_use: {
    status: 409,
    message: "A run has this environment now.",
    hint: "Wait until its runs have ended, or cancel them.",
  },
  invalid_cursor: {
    status: 400,
    message: "The page cursor is not one that this server gave out.",
    hint: "Start again from the first page.",
  },
  invalid_pattern: {
    status: 400,
    message: "The pattern is not a regular expression that can be used here.",
    hint: "Patterns are in RE2's syntax: without look-around and back-references. Without `regex` the text is looked for as it is.",
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
  artifact_link_invalid: {
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
  setting_fixed: {
    status: 409,
    message: "The setting cannot be changed while the server runs.",
    hint: "The environment or `config.json` says it: change it there, and start the server again.",
  },
  email_taken: { status: 409, message: "The address has an account already.", hint: "Sign in, or reset the password." },
  two_factor_required: {
    status: 401,
    message: "A code of the authenticator is needed.",
    hint: "Send it as `code`; a recovery code will do, too.",
  },
  two_factor_needed: {
    status: 403,
    message: "This server asks you for a second factor, and your account has none.",
    hint: "Turn it on under Settings, Security; everything else is open then.",
  },
  password_sign_in_off: {
    status: 403,
    message: "Nobody signs in with a password here.",
    hint: "Use one of the providers; an administrator may allow passwords again (`syla admin settings passwordSignIn true`).",
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
  signature_invalid: {
    status: 401,
    message: "The call is not proved to come from whoever has the secret.",
    hint: "Sign the body as it is sent, with the secret of the trigger, in the way that the trigger says.",
  },
  trigger_disabled: {
    status: 409,
    message: "The trigger is switched off.",
    hint: "Its owner sees why, and can switch it on.",
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
  sandbox_starting: { status: 409, message: "The sandbox is being started.", hint: "Wait until its status is `running`." },
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
  run_unfinished: { status: 409, message: "The run has not ended yet.", hint: "Cancel it, or wait for its end." },
  run_finished: { status: 409, message: "The run has already ended.", hint: "Start it again with a rerun." },
  idempotency_conflict: {
    status: 409,
    message: "The idempotency key was used for a different request.",
    hint: "Use a new key for a new request.",
  },
  idempotency_in_progress: {
    status: 409,
    message: "The request with this idempotency key is still being worked on.",
    hint: "Send it again after `Retry-After` seconds.",
  },
  idempotency_answer_gone: {
    status: 409,
    message:
      "The request with this idempotency key was done, and its answer is gone: it was shown once, or the server ended before it could give it.",
    hint: "Look for what it made in the list; if its secret did not arrive, delete it and create another one with a new key.",
  },
  already_set_up: { status: 409, message: "This server has been set up already.", hint: "Sign in instead." },
  last_owner: {
    status: 409,
    message: "A team keeps at least one owner.",
    hint: "Make somebody else an owner first, or delete the team.",
  },
  conflict: { status: 409, message: "Someone else changed this at the same time.", hint: "Load it again and repeat the change." },
  file_not_found: { status: 404, message: "There is no such file in this tree.", hint: "List the files; paths are exact, case included." },
  name_taken: {
    status: 409,
    message: "The owner has something of this name already.",
    hint: "Choose another name; `details.suggestion` is one that is free.",
  },
  version_taken: {
    status: 409,
    message: "This version has been published already.",
    hint: "A published version never changes: publish the next one (`details.suggestion`).",
  },
  team_owns_assets: {
    status: 409,
    message: "The team owns assets.",
    hint: "Say who gets them (`transferTo`), or delete or transfer them first.",
  },
  too_many_tags: { status: 400, message: "An asset has at most ten tags.", hint: "Remove some first." },
  asset_deleted: {
    status: 409,
    message: "It has been deleted.",
    hint: "Restore it first; that is possible for 30 days.",
  },
  workspace_conflict: {
    status: 409,
    message: "Somebody else has changed the same files meanwhile. Nothing was changed.",
    hint: "`details.paths` names them: load them again, or say whose side stays (`onConflict`).",
  },
  live_not_text: {
    status: 409,
    message: "This file is no text that can be edited together.",
    hint: "Only text in UTF-8 can be, with the same end on all lines. Others can be downloaded, and replaced by an upload.",
  },
  live_too_large: {
    status: 413,
    message: "This is too large to be edited together.",
    hint: "A file of up to 2 MiB can be, and up to 512 KiB can be put in at once. Larger ones can be replaced by an upload.",
  },
  live_update_invalid: {
    status: 400,
    message: "What was sent is no change of this document.",
    hint: "Load the page again. What you have written since can be copied before.",
  },
  workspace_base_gone: {
    status: 409,
    message: "What this is a change of is too old to be known.",
    hint: "Load the files again, and repeat the change on them.",
  },
  workspace_archived: {
    status: 409,
    message: "The workspace is archived.",
    hint: "Resume it first.",
  },
  workspace_deleted: {
    status: 409,
    message: "The workspace has been deleted.",
    hint: "Restore it first; that is possible for 30 days.",
  },
  git_protocol: {
    status: 400,
    message: "This is not what git sends.",
    hint: "Use this address with git: `git clone`.",
  },
  git_rejected: {
    status: 409,
    message: "The commits were refused.",
    hint: "Fetch what is there, put your commits on top of it, and push again.",
  },
  workspace_in_use: {
    status: 409,
    message: "Something runs in the workspace.",
    hint: "Wait until it has ended, or cancel it.",
  },
  asset_immutable: {
    status: 403,
    message: "This belongs to the system and is changed by nobody.",
    hint: "Clone it, and change the copy.",
  },
  // 412 and 428: what one has seen is not what is there
  revision_conflict: {
    status: 412,
    message: "It has been changed since you loaded it.",
    hint: "`details.current` is what is there now: repeat the change on it, with its `ETag` as `If-Match`.",
  },
  revision_required: {
    status: 428,
    message: "A change must say what it is a change of.",
    hint: "Send the `ETag` of what you have loaded as `If-Match`, or `*` for whatever is there.",
  },
  credential_in_use: {
    status: 409,
    message: "Something uses this credential.",
    hint: "`details.uses` lists what; give it another one first, or delete with `force`.",
  },
  credential_unusable: {
    status: 400,
    message: "This credential cannot be used here.",
    hint: "Choose one of the right kind that belongs to the same owner.",
  },
  credential_missing: {
    status: 409,
    message: "The credential that this needs is not there any more.",
    hint: "Choose another credential.",
  },
  credential_expired: { status: 409, message: "The credential that this needs has expired.", hint: "Its owner can replace its value." },
  credential_unreadable: {
    status: 503,
    message: "A credential could not be opened.",
    hint: "The key file of the server was replaced, its key management service is not set up any more, or the row was changed. Restore it, or replace the value.",
  },
  kms_unavailable: {
    status: 503,
    message: "The key management service that opens credentials does not answer.",
    hint: "Nothing is lost: try again when it does. Its administrators see whether it is sealed or out of reach.",
  },
  kms_refused: {
    status: 503,
    message: "The key management service refuses to open credentials.",
    hint: "Its administrators can look at the policy, the token and the key of this server.",
  },
  unknown_model: {
    status: 404,
    message: "There is no such model here, or you may not use it.",
    hint: "`syla model list` shows the models that you may use; a run may call only those that it was given.",
  },
  model_unusable: {
    status: 400,
    message: "A program cannot be bound to this model.",
    hint: "Choose one that you may call: `syla model list --usable` shows them. Its owner can share it with you, with the level `run`.",
  },
  model_unsupported: {
    status: 400,
    message: "The model's provider does not have this.",
    hint: "Use another operation, or a model of another provider.",
  },
  spend_cap_reached: {
    status: 402,
    message: "There is nothing left to spend on this model.",
    hint: "Wait until it is counted anew, take another model, or ask the model's owner to raise the cap.",
  },
  budget_reached: {
    status: 402,
    message: "A budget for models is used up.",
    hint: "`details` names the budget, its amount and when it is counted anew; whoever set it can raise it, or let it only warn.",
  },
  price_unknown: {
    status: 400,
    message: "This model has no known price, so what is spent on it cannot be kept within a cap.",
    hint: "Its owner can enter the prices, or take the cap away.",
  },
  run_token_invalid: {
    status: 401,
    message: "The run's token is not valid any more: the run has ended.",
    hint: "Tokens live as long as their run; use an API key outside of it.",
  },
  model_credential_refused: {
    status: 502,
    message: "The provider refused the model's credential.",
    hint: "The model's owner can replace the value of its credential, and test the model.",
  },
  model_unreachable: {
    status: 502,
    message: "The model's provider cannot be reached.",
    hint: "Check the address of the model, and that this server may reach it.",
  },
  model_timeout: { status: 504, message: "The model's provider did not answer in time.", hint: "Try again later, or ask for less." },
  model_garbled: {
    status: 502,
    message: "The answer of the model's provider cannot be read.",
    hint: "Check the address and the provider of the model.",
  },
  model_cut_off: { status: 502, message: "The model's provider cut its answer off.", hint: "Try again." },
  // 400: rows that are uploaded, or asked for
  dataset_format: {
    status: 400,
    message: "The file is of no format that datasets are read from.",
    hint: "Upload CSV, TSV, a JSON array of objects, JSON Lines or Parquet, and say which with `format` if it cannot be told.",
  },
  dataset_encoding: {
    status: 400,
    message: "The file is not valid text in its encoding.",
    hint: "Save it as UTF-8, or say with `encoding` what it is: utf-8, utf-16le, utf-16be or latin1.",
  },
  dataset_malformed: {
    status: 400,
    message: "The file cannot be read as a dataset.",
    hint: "Correct the file at that place, and upload it again.",
  },
  dataset_columns: {
    status: 400,
    message: "The columns of the file cannot be used.",
    hint: "Every column needs a name of its own in the first line, at most 200 characters long; there may be 1,000 of them.",
  },
  dataset_rows: { status: 400, message: "The file has more than 10,000,000 rows.", hint: "Make several datasets of it." },
  dataset_empty: { status: 400, message: "There are no rows in the file.", hint: "A dataset has at least one column and one row." },
  split_unknown: { status: 400, message: "The dataset has no such split.", hint: "Its page, or `syla dataset show`, lists its splits." },
  column_unknown: { status: 400, message: "The dataset has no such column.", hint: "Its page, or `syla dataset show`, lists its columns." },
  invalid_graph: {
    status: 400,
    message: "This is not the graph of a composition.",
    hint: "Correct what is listed. `syla composition validate FILE` tells the same of a file.",
  },
  composition_invalid: {
    status: 409,
    message: "The composition has errors.",
    hint: "Correct what is listed; its problems say where each is, and often how to mend it.",
  },
  reference_unusable: {
    status: 409,
    message: "The composition uses something that you cannot run.",
    hint: "Ask whoever owns it to share it with you for running, or use something else.",
  },
  secrets_shared: {
    status: 403,
    message: "The composition uses a program with secrets of its owner, which the composition's other code could read.",
    hint: "Whoever may change both the program and the composition may run it. Ask for the right to edit them, or run the program by itself.",
  },
  input_invalid: {
    status: 400,
    message: "The inputs are not those of the composition.",
    hint: "Give each input that is required, as JSON of its type.",
  },
  node_unknown: { status: 400, message: "The composition has no such node.", hint: "Paths are ids of nodes with `/` between." },
  node_not_waiting: {
    status: 409,
    message: "The node does not wait for anybody.",
    hint: "Load the run again: somebody else may have decided, or it has ended.",
  },
  // 413 and 429: too much
  payload_too_large: {
    status: 413,
    message: "The request is larger than this server accepts.",
    hint: "Upload large files first and refer to them, or send fewer.",
  },
  import_too_large: {
    status: 413,
    message: "There is more in it than can be imported.",
    hint: "At most 10,000 files and 100 MiB: choose a folder of it, or leave out data and what tools make anew.",
  },
  import_state: {
    status: 409,
    message: "The import is not in a state for that.",
    hint: "Read it anew: it may have been confirmed, cancelled, or have expired.",
  },
  dataset_busy: {
    status: 429,
    message: "The server is reading as many Parquet files as it can.",
    hint: "Wait for the time in `Retry-After` and try again.",
  },
  too_many_imports: {
    status: 429,
    message: "Several imports of yours are under way.",
    hint: "Wait for the time in `Retry-After`, or cancel one, and try again.",
  },
  cron_invalid: {
    status: 400,
    message: "This is no cron expression.",
    hint: "Five fields: minute, hour, day of the month, month, day of the week, like `0 6 * * mon-fri`.",
  },
  too_many_schedules: {
    status: 409,
    message: "You have as many schedules as one may have.",
    hint: "At most 100: delete one first.",
  },
  too_many_indexes: {
    status: 409,
    message: "There are as many package indexes for this language as one may have.",
    hint: "At most 50: name more packages with one of them, or delete one first.",
  },
  template_unknown: { status: 404, message: "There is no such template.", hint: "`GET /api/v1/templates` lists them." },
  git_url_invalid: {
    status: 400,
    message: "This is no address of a git repository that can be read.",
    hint: "Give an https address, e.g. github.com/owner/name, or `owner/name` for GitHub.",
  },
  git_not_found: {
    status: 404,
    message: "There is no such repository, or it is not public.",
    hint: "Check the address; for a private repository give a token.",
  },
  git_denied: {
    status: 403,
    message: "The git server does not let you in.",
    hint: "Give a token that may read the repository, and the user name that belongs to it where one is needed.",
  },
  git_ref_unknown: {
    status: 404,
    message: "The repository has no such branch, tag, commit or folder.",
    hint: "`POST /api/v1/imports/git-refs` lists its branches and tags.",
  },
  git_unreachable: {
    status: 502,
    message: "The git server cannot be reached.",
    hint: "Check the address. Private networks are out of reach unless an administrator allows them (`SYLA_NETWORK_ALLOW_PRIVATE`).",
  },
  git_failed: { status: 502, message: "The repository could not be read.", hint: "Try again; if it stays, send the files as an archive." },
  archive_unknown: {
    status: 400,
    message: "This is no archive that can be read.",
    hint: "Send a .zip, .tar, .tar.gz or .tar.zst file.",
  },
  archive_damaged: { status: 400, message: "The archive cannot be read.", hint: "Make it anew, and see whether it was sent whole." },
  range_not_satisfiable: {
    status: 416,
    message: "The content has no such part.",
    hint: "Ask for a range that begins within its size, which `Content-Range` tells.",
  },
  rate_limited: { status: 429, message: "Too many requests.", hint: "Wait for the time in `Retry-After` and try again." },
  analysis_failed: {
    status: 422,
    message: "The files could not be analysed.",
    hint: "The run that is named holds what the analyser said. Leave out what does not belong to the program, and try again.",
  },
  quota_exceeded: {
    status: 429,
    message: "A quota is used up.",
    hint: "`details` names the quota, its limit and when it is counted anew (`Retry-After`); an administrator can raise it.",
  },
  not_dead_letter: {
    status: 409,
    message: "This run was not given up, or it has been run again.",
    hint: "`GET /api/v1/runs?deadLetters=true` lists what can be queued again; `POST /api/v1/runs/:id/rerun` runs any other once more.",
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
  storage_unavailable: {
    status: 503,
    message: "The object store does not answer.",
    hint: "Nothing was changed. Try again in a few seconds; if it stays, an administrator has to look at `SYLA_S3_ENDPOINT` and the key.",
  },
  storage_moved: {
    status: 500,
    message: "The content of this installation is in another store than the one that is configured.",
    hint: "Move it with `syla server storage move`, or set `SYLA_STORAGE` back.",
  },
  storage_busy: {
    status: 409,
    message: "Another job on the store is running.",
    hint: "Wait until it has ended; `syla server storage status` shows it.",
  },
  storage_target_missing: {
    status: 409,
    message: "There is no other store that content could be copied to.",
    hint: "Give the `SYLA_S3_…` settings of a bucket, leave `SYLA_STORAGE` as it is, and start the server again.",
  },
  backup_not_configured: {
    status: 409,
    message: "It is not said where backups go.",
    hint: "Set `SYLA_BACKUP_TO`, and `SYLA_BACKUP_PASSPHRASE` or `SYLA_BACKUP_KEY_FILE`; docs/how-to/back-up-and-restore.md tells how.",
  },
  backup_passphrase_wrong: {
    status: 409,
    message: "The passphrase does not open this repository of backups.",
    hint: "Nothing was changed. Give the passphrase that the repository was made with.",
  },
  backup_repository_missing: {
    status: 409,
    message: "There is no repository of backups here.",
    hint: "Check the place; the first backup makes the repository.",
  },
  backup_repository_foreign: {
    status: 409,
    message: "The repository of backups is another one than before.",
    hint: "Is the disk mounted? To begin anew, give `SYLA_BACKUP_TO` another place.",
  },
  backup_repository_unavailable: {
    status: 503,
    message: "The repository of backups cannot be used.",
    hint: "Check that its disk is mounted and can be written, or that the bucket answers.",
  },
  backup_repository_full: {
    status: 507,
    message: "The repository of backups is full.",
    hint: "Make room: delete backups, or keep fewer. What was written is found again by the next backup.",
  },
  backup_damaged: {
    status: 409,
    message: "The backup is damaged.",
    hint: "`syla backup verify --deep` names all that is; an older backup may be whole.",
  },
  backup_not_found: { status: 404, message: "There is no such backup.", hint: "`syla backup list` shows those that there are." },
  backup_busy: {
    status: 409,
    message: "Another job on the backups is running.",
    hint: "Wait until it has ended; `syla backup list` shows it.",
  },
  backup_log_forked: {
    status: 409,
    message: "Another copy of this installation writes to the same repository.",
    hint: "Give one of them another `SYLA_BACKUP_TO`.",
  },
  backup_time_unreachable: {
    status: 409,
    message: "The database cannot be taken to this time.",
    hint: "Give a time between the first backup with a log and now; without `--to-time` the newest state of a backup is restored.",
  },
  restore_target_in_use: {
    status: 409,
    message: "There is an installation already where the backup would go.",
    hint: "Choose an empty place, or say `--replace`.",
  },
  storage_untiered: {
    status: 409,
    message: "Content does not move between the data directory and a bucket here.",
    hint: "Set `SYLA_STORAGE_COLD_DAYS` and the `SYLA_S3_…` settings of a bucket, and start the server again.",
  },
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
  restore_unfinished: {
    status: 500,
    message: "A backup was being restored into this data directory, and that has not come to its end.",
    hint: "Run `syla backup restore` again, with `--replace`.",
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
