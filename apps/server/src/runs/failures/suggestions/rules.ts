import type { RunSuggestion } from "@syla/contracts/runs";

/**
 * What helps against an error, as data. The first rule that fits counts. `{name}` in a text is the named group of the pattern; `{advice}` is
 * what the subject's kind has to say about this run (see `advice.ts`).
 */
export interface SuggestionRule {
  /** Only for these; for every language when left out. */
  readonly languages?: readonly string[];
  /** Only for errors of these codes. */
  readonly codes?: readonly string[];
  /** Looked for in the message and its causes, line by line; with `output` also in the last lines that the program printed as errors. */
  readonly pattern: RegExp;
  readonly output?: boolean;
  readonly kind: RunSuggestion["kind"];
  /** The pattern's group `subject` is such a thing. */
  readonly subject?: "module" | "npm_package" | "go_package" | "file" | "host" | "variable" | "command" | "model";
  readonly text: string;
}

const python = ["python"];
const javascript = ["node", "bun", "deno"];

export const suggestionRules: readonly SuggestionRule[] = [
  // what this server says to programs that call models
  {
    pattern: /\b(?:spend_cap_reached|price_unknown)\b|nothing left to spend on this model/,
    output: true,
    kind: "choose_model",
    text: "The model's money is used up: wait until it is counted anew, choose another model for the run, or ask the model's owner to raise the cap.",
  },
  {
    pattern: /\bbudget_reached\b|A budget for models is used up/,
    output: true,
    kind: "wait",
    text: "A budget is used up: the call's entry in the run's models says which, and when it is counted anew. Whoever set it can raise it.",
  },
  {
    pattern: /\b(?:quota_exceeded|A quota is used up)\b/,
    output: true,
    kind: "wait",
    text: "A quota of yours is used up: the call's entry in the run's models says which, and when it is counted anew.",
  },
  {
    pattern: /\bmodel_credential_refused\b|The provider refused the model's credential/,
    output: true,
    kind: "choose_model",
    text: "The provider did not take the model's key: its owner can replace the credential and test the model. Another model will do meanwhile.",
  },
  {
    pattern: /\b(?:unknown_model|There is no such model here)\b/,
    output: true,
    kind: "choose_model",
    text: "A run may call the models that it was given: choose this one for the run (`models`, or --model), or use the name of one that it has.",
  },
  {
    pattern: /\b(?:model_unreachable|model_timeout|provider_error|RateLimitError|rate_limit_exceeded|overloaded_error)\b/,
    output: true,
    kind: "wait",
    text: "The model's provider did not answer as it should: try again in a while, or choose another model for the run.",
  },
  {
    pattern:
      /(?:api_key client option must be set|Could not resolve authentication method|OPENAI_API_KEY|ANTHROPIC_API_KEY|Missing credentials|environment variable is missing or empty)/,
    kind: "choose_model",
    subject: "model",
    text: "Give the run a model (`models`, or --model): its address and a key that is good for this run alone are then in the variables that the client reads.",
  },

  // modules
  {
    languages: python,
    pattern: /^ModuleNotFoundError: No module named ['"](?<subject>[^'"]{1,200})['"]/,
    kind: "add_dependency",
    subject: "module",
    text: "{advice}",
  },
  {
    languages: python,
    pattern: /^ImportError: cannot import name '(?<name>[^']{1,200})' from '(?<module>[^']{1,200})'/,
    kind: "change_code",
    text: "{module} has no {name}: check how it is written, whether a file of yours is called like the module, and which version of the package is installed.",
  },
  {
    languages: javascript,
    pattern: /Cannot find (?:package|module) ['"](?<subject>(?:@[^'"./][^'"]{0,199}|[^'"./@][^'"]{0,199}))['"]/,
    kind: "add_dependency",
    subject: "npm_package",
    text: "{advice}",
  },
  {
    languages: javascript,
    pattern: /(?:Cannot find module|Module not found) ['"](?:file:\/\/)?(?<subject>[./][^'"]{1,500})['"]/,
    kind: "did_you_mean",
    subject: "file",
    text: "{advice}",
  },
  {
    languages: ["node"],
    pattern: /Cannot use import statement outside a module|Unexpected token 'export'/,
    kind: "change_code",
    text: 'Call the file .mjs, or put "type": "module" into package.json.',
  },
  {
    languages: ["node"],
    pattern: /require is not defined in ES module scope/,
    kind: "change_code",
    text: "Use import in place of require, or call the file .cjs.",
  },
  {
    languages: ["node"],
    pattern: /does not provide an export named '(?<name>[^']{1,200})'/,
    kind: "change_code",
    text: "The module exports no {name}: check how it is written, and whether it is the default export.",
  },
  {
    languages: ["go"],
    pattern: /(?:no required module provides package|cannot find (?:module providing )?package) "?(?<subject>[^\s";:]{1,200})/,
    kind: "add_dependency",
    subject: "go_package",
    text: "{advice}",
  },
  {
    languages: ["go"],
    pattern: /package (?<subject>[^\s"]{1,200}) is not in (?:std|GOROOT)/,
    kind: "add_dependency",
    subject: "go_package",
    text: "{advice}",
  },
  {
    languages: ["go"],
    pattern: /declared and not used|imported and not used/,
    kind: "change_code",
    text: "Go compiles nothing that is declared and not used: use it, remove it, or call it _.",
  },
  {
    languages: ["ruby"],
    pattern: /cannot load such file -- (?<subject>[^\s(]{1,200})/,
    kind: "did_you_mean",
    subject: "file",
    text: "{advice}",
  },
  {
    languages: ["perl"],
    pattern: /Can't locate (?<name>[^\s]{1,200})\.pm in @INC/,
    kind: "add_dependency",
    text: "The module {name} is not installed on this server: send its file along, below lib/.",
  },
  {
    languages: ["rust"],
    pattern: /unresolved import|use of (?:undeclared|unresolved) (?:crate|module)|can't find crate for/,
    kind: "add_dependency",
    text: "Only the standard library is there: use what it has, or send the crate's source along as a module.",
  },
  {
    languages: ["c", "cpp"],
    pattern: /(?<subject>[\w./+-]{1,200}): No such file or directory/,
    codes: ["compile_error"],
    kind: "did_you_mean",
    subject: "file",
    text: "{advice}",
  },
  {
    languages: ["java"],
    pattern: /package (?<name>[\w.]{1,200}) does not exist|cannot find symbol/,
    codes: ["compile_error"],
    kind: "change_code",
    text: "The name is not known there: check how it is written and what the file imports; only the Java class library is installed.",
  },

  // network
  {
    pattern:
      /(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?<subject>[\w.-]{1,253})|\b(?:Failed to resolve|NameResolutionError)[^']{0,200}'(?<b>[\w.-]{1,253})'|host='(?<c>[\w.-]{1,253})'|Could not resolve host: (?<d>[\w.-]{1,253})|\blookup (?<e>[\w-]{1,63}(?:\.[\w-]{1,63}){1,10})[ :])/,
    output: true,
    kind: "allow_host",
    subject: "host",
    text: "{advice}",
  },
  {
    pattern:
      /Name or service not known|Temporary failure in name resolution|nodename nor servname|Network is unreachable|ENETUNREACH|No address associated with hostname|(?:Tunnel connection failed|Proxy CONNECT aborted|CONNECT tunnel failed)|\bfetch failed\b|php_network_getaddresses|getaddrinfo failed|APIConnectionError/,
    output: true,
    kind: "allow_host",
    subject: "host",
    text: "{advice}",
  },
  {
    pattern: /Connection refused|ECONNREFUSED|connection refused/,
    output: true,
    kind: "allow_host",
    text: "Nothing listens at that address. A server of the program's own has to be started, and waited for, before it is called; to reach a host elsewhere, allow it (`network`, or --allow-domain).",
  },
  {
    pattern:
      /CERTIFICATE_VERIFY_FAILED|self[- ]signed certificate|unable to get local issuer certificate|certificate signed by unknown authority/,
    output: true,
    kind: "change_code",
    text: "The host's certificate is not one that is trusted here: use the address that the certificate is for, or give the program the certificate of its authority.",
  },
  {
    pattern: /EADDRINUSE|[Aa]ddress already in use/,
    output: true,
    kind: "change_code",
    text: "Something of the program listens on that port already: choose another, or let the system choose with port 0.",
  },

  // files
  {
    pattern: /Read-only file system(?::|.{0,80}?)\s*'?(?<subject>[^'\s]{0,500})|EROFS: [^']{0,80}'(?<b>[^']{1,500})'/,
    output: true,
    kind: "write_elsewhere",
    text: "Only the program's own folder (/workspace), /tmp and /output can be written to; what lies in /output is kept when the run ends.",
  },
  {
    pattern:
      /(?:PermissionError: \[Errno 13\] Permission denied: '(?<subject>[^']{1,500})'|EACCES: [^']{0,80}'(?<b>[^']{1,500})'|EPERM: [^']{0,80}'(?<c>[^']{1,500})'|open (?<d>\S{1,500}): permission denied)/,
    output: true,
    kind: "write_elsewhere",
    text: "The program may not do that to {subject}: it can write to its own folder (/workspace), /tmp and /output; a file to be executed needs chmod +x, or its interpreter before it.",
  },
  {
    languages: ["bash"],
    pattern: /^(?<subject>[^\s:]{1,300}): Permission denied$/,
    kind: "write_elsewhere",
    text: "To run {subject}, make it executable (chmod +x {subject}) or put its interpreter before it; to write, use /workspace, /tmp or /output.",
  },
  {
    pattern: /FileNotFoundError: \[Errno 2\] No such file or directory: '(?<subject>[^']{1,500})'/,
    kind: "did_you_mean",
    subject: "file",
    text: "{advice}",
  },
  {
    pattern: /ENOENT: no such file or directory, \w{1,20} '(?<subject>[^']{1,500})'/,
    kind: "did_you_mean",
    subject: "file",
    text: "{advice}",
  },
  {
    languages: ["go"],
    pattern: /\b(?:open|stat|chdir|lstat) (?<subject>\S{1,500}): no such file or directory/,
    output: true,
    kind: "did_you_mean",
    subject: "file",
    text: "{advice}",
  },
  {
    languages: ["bash"],
    pattern: /(?:^|: )(?<subject>[^\s:]{1,500}): No such file or directory$/,
    kind: "did_you_mean",
    subject: "file",
    text: "{advice}",
  },
  {
    pattern:
      /(?:No such file or directory @ rb_sysopen - |Failed to open stream: No such file or directory|cannot open )(?<subject>\S{1,500})?/,
    kind: "did_you_mean",
    subject: "file",
    text: "{advice}",
  },
  {
    pattern: /No space left on device|ENOSPC|[Dd]isk quota exceeded/,
    output: true,
    kind: "raise_limit",
    text: "The run's disk is full: give it more (`limits.diskBytes`, or --resource disk=2G), or remove what is not needed any more.",
  },
  {
    pattern: /Too many open files|EMFILE/,
    output: true,
    kind: "raise_limit",
    text: "Close files when they are done with, or give the run more (`limits.openFiles`, or --resource files=4096).",
  },
  {
    pattern:
      /Resource temporarily unavailable|EAGAIN|can't start new thread|BlockingIOError: \[Errno 11\]|fork: retry|newosproc|pthread_create/,
    output: true,
    kind: "raise_limit",
    text: "The run has as many processes and threads as it may: start fewer, or give it more (`limits.processes`, or --resource processes=500).",
  },

  // what a run is given
  {
    pattern: /^KeyError: '(?<subject>[A-Z][A-Z0-9_]{2,100})'/,
    kind: "set_variable",
    subject: "variable",
    text: "{advice}",
  },
  {
    languages: ["bash"],
    pattern: /^(?<subject>[A-Za-z_]\w{0,100}): (?:unbound variable|parameter (?:null or )?not set)/,
    kind: "set_variable",
    subject: "variable",
    text: "{advice}",
  },
  {
    pattern:
      /(?:environment variable|env(?:ironment)? var) [`'"]?(?<subject>[A-Z][A-Z0-9_]{2,100})[`'"]?|[`'"]?(?<b>[A-Z][A-Z0-9_]{2,100})[`'"]? (?:environment variable|is not set|must be set|is required)/,
    kind: "set_variable",
    subject: "variable",
    text: "{advice}",
  },
  {
    pattern: /^EOFError: EOF when reading a line|NoSuchElementException: No line found|end of file reached \(EOFError\)/,
    kind: "give_input",
    text: "The program reads more than it was given: give the run its input (`stdin`, or --stdin FILE).",
  },
  {
    languages: python,
    pattern: /^IndexError: list index out of range/,
    kind: "change_code",
    text: "The list is shorter than that: check its length first. Of sys.argv, the run was given too few arguments.",
  },
  {
    languages: ["bash"],
    pattern: /\\r'|\r/,
    kind: "change_code",
    text: "The file has Windows line ends: save it with those of Unix (sed -i 's/\\r$//').",
  },
  {
    languages: ["bash"],
    pattern: /^Killed\b/,
    kind: "raise_limit",
    text: "Something that the script had started was killed, mostly for want of memory. Give it more (`limits.memoryBytes`, or --resource memory=2G).",
  },
  {
    languages: ["bash"],
    pattern: /^(?<subject>[^\s:]{1,100}): (?:command )?not found$/,
    kind: "did_you_mean",
    subject: "command",
    text: "{advice}",
  },

  // the code itself
  {
    languages: python,
    pattern: /^RecursionError: /,
    kind: "change_code",
    text: "A function calls itself without an end: check the case in which it should stop, or use a loop.",
  },
  {
    languages: javascript,
    pattern: /Maximum call stack size exceeded/,
    kind: "change_code",
    text: "A function calls itself without an end: check the case in which it should stop, or use a loop.",
  },
  {
    languages: ["go"],
    pattern: /stack overflow|goroutine stack exceeds/,
    kind: "change_code",
    text: "A function calls itself without an end: check the case in which it should stop, or use a loop.",
  },
  {
    languages: ["go"],
    pattern: /all goroutines are asleep - deadlock!/,
    kind: "change_code",
    text: "Every goroutine waits for another: something sends to, or receives from, a channel that nobody serves, or a WaitGroup is not done.",
  },
  {
    languages: ["go"],
    pattern: /nil pointer dereference/,
    kind: "change_code",
    text: "Something is nil there: check it, and the error that came with it, before it is used.",
  },
  {
    languages: ["go"],
    pattern: /assignment to entry in nil map/,
    kind: "change_code",
    text: "Make the map first: make(map[K]V).",
  },
  {
    languages: javascript,
    pattern: /Cannot read propert(?:y|ies) (?:'(?<a>[^']{1,100})' )?of (?<what>undefined|null)/,
    kind: "change_code",
    text: "What is before the dot is {what} there: check where it comes from, or read it with ?. in between.",
  },
  {
    languages: javascript,
    pattern: /^(?:Uncaught )?ReferenceError: (?<name>[\w$]{1,100}) is not defined/,
    kind: "change_code",
    text: "Nothing is called {name} there: declare or import it, or check how it is written.",
  },
  {
    languages: python,
    pattern: /^NameError: name '(?<name>[^']{1,100})' is not defined/,
    kind: "change_code",
    text: "Nothing is called {name} there: define or import it, or check how it is written.",
  },
  {
    languages: python,
    pattern: /^AttributeError: 'NoneType' object has no attribute/,
    kind: "change_code",
    text: "What is before the dot is None there: check what returned it.",
  },
  {
    languages: python,
    pattern: /^(?:IndentationError|TabError): /,
    kind: "change_code",
    text: "Indent the lines of a block alike, with spaces only.",
  },
  {
    languages: python,
    pattern: /Missing parentheses in call to 'print'/,
    kind: "change_code",
    text: "This is Python 2: write print(…).",
  },
  {
    languages: python,
    pattern: /^UnicodeDecodeError: /,
    kind: "change_code",
    text: "The bytes are not text of that encoding: open the file with the encoding that it has, or in binary mode.",
  },
  {
    pattern: /JSONDecodeError|is not valid JSON|Unexpected end of JSON input|invalid character .{1,40} looking for beginning of value/,
    kind: "change_code",
    text: "What was read is not JSON: print it before it is parsed. Models put it between ``` fences now and then; services answer HTML when something is wrong.",
  },
  {
    languages: ["bash"],
    pattern: /^syntax error: unexpected end of file/,
    kind: "change_code",
    text: "Something that was opened is not closed before the end: a quote, (, {, do, then or case.",
  },

  // limits, signals and exit codes
  {
    codes: ["timeout"],
    pattern: /(?:)/,
    kind: "raise_limit",
    text: "It had {wall}. Give it longer (`limits.wallMs`, or --timeout), let it do less, or look at the end of its log for what it waited for.",
  },
  {
    codes: ["out_of_memory"],
    pattern: /(?:)/,
    kind: "raise_limit",
    text: "It had {memory}. Give it more (`limits.memoryBytes`, or --resource memory=2G), or read and keep less at once.",
  },
  {
    codes: ["disk_limit"],
    pattern: /(?:)/,
    kind: "raise_limit",
    text: "It had {disk}. Give it more (`limits.diskBytes`, or --resource disk=2G), or write less.",
  },
  {
    codes: ["killed_by_signal"],
    pattern: /SIGSEGV|SIGBUS/,
    kind: "change_code",
    text: "It touched memory that is not its own: a pointer or an index is wrong, or a recursion has no end. A package with native code can be the cause, too.",
  },
  {
    codes: ["killed_by_signal"],
    pattern: /SIGABRT/,
    kind: "change_code",
    text: "It gave itself up: a failed assertion, a corrupted heap or an error that nothing caught. The end of its log says which.",
  },
  {
    codes: ["killed_by_signal"],
    pattern: /SIGFPE/,
    kind: "change_code",
    text: "It divided a whole number by zero, or the result did not fit.",
  },
  {
    codes: ["killed_by_signal"],
    pattern: /SIGKILL/,
    kind: "raise_limit",
    text: "Something killed it. If that was not the program itself, it was short of memory: give it more (`limits.memoryBytes`, or --resource memory=2G).",
  },
  {
    codes: ["killed_by_signal"],
    pattern: /SIGPIPE/,
    kind: "change_code",
    text: "It wrote to a pipe that nobody reads any more.",
  },
  {
    codes: ["nonzero_exit"],
    pattern: /exit code 137\b/,
    kind: "raise_limit",
    text: "137 is 128 + 9: something in it was killed, mostly for want of memory. Give it more (`limits.memoryBytes`, or --resource memory=2G).",
  },
  {
    codes: ["nonzero_exit"],
    pattern: /exit code 139\b/,
    kind: "change_code",
    text: "139 is 128 + 11: something in it touched memory that is not its own (SIGSEGV).",
  },
  {
    codes: ["nonzero_exit"],
    pattern: /exit code 134\b/,
    kind: "change_code",
    text: "134 is 128 + 6: something in it gave itself up (SIGABRT).",
  },
  {
    codes: ["nonzero_exit"],
    pattern: /exit code 143\b/,
    kind: "change_code",
    text: "143 is 128 + 15: something in it was asked to end (SIGTERM).",
  },
  {
    codes: ["nonzero_exit"],
    pattern: /exit code 127\b/,
    kind: "change_code",
    text: "127: a command was not found. Only what is on the server can be called.",
  },
  {
    codes: ["nonzero_exit"],
    pattern: /exit code 126\b/,
    kind: "change_code",
    text: "126: a file could not be executed. Make it executable (chmod +x), or put its interpreter before it.",
  },
];
