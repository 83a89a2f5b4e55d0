import type { NetworkPolicy } from "../../src/egress/policy.ts";
import type { EffectiveLimits, SandboxLimits } from "../../src/spec.ts";
import type { Result } from "../sandbox-driver.ts";

/** What an attack may ask about the machine around it. */
export interface World {
  /** A word in every secret that was planted on the host, in neighbours and in the server. */
  readonly secret: string;
  /** Host paths of planted secrets. */
  readonly planted: readonly string[];
  /** A host folder that must stay as it was: holds `keep.txt` with the secret. */
  readonly folder: string;
  /** The host's own TCP port on 127.0.0.1 and the abstract socket next to it; nobody may ever reach them. */
  readonly port: number;
  readonly abstractName: string;
  readonly limits: EffectiveLimits;
  /** Where the one server outside listens that runs with a network may reach. */
  readonly outsidePort: number;
  /** It listens on port 443 too; an ordinary user may not do that. */
  readonly tlsPort: boolean;
  readonly ownAddresses: readonly string[];
  /** The server outside was asked for under this name only, in TLS. */
  readonly expectOnlyAskedFor: (name: string) => void;
  /** The address of a name was asked for not more often. */
  readonly expectLookUps: (host: string, most: number) => void;
}

/**
 * A hostile program. It prints `ESCAPED: …` for whatever it managed, and gets to its end; unless `expect` says otherwise that, exit code 0
 * and no word of a secret are what "it failed" means.
 */
export interface Attack {
  readonly name: string;
  readonly language?: "python" | "bash";
  readonly code: string;
  readonly limits?: Partial<SandboxLimits>;
  /** Its workspace is an overlay of the planted trees. */
  readonly overlaid?: true;
  /** What it may reach; nothing when left out. */
  readonly network?: NetworkPolicy;
  /** What else must hold: of the run, and of the host. */
  readonly expect?: (result: Result, world: World) => void | Promise<void>;
  /** It does not reach its own end: a limit stops it. */
  readonly stopped?: boolean;
}

export const end = "END OF ATTACK";

/** In front of every Python attack. Only refusals of the system count as refused: a mistake in an attack fails its test. */
export const prelude = String.raw`
import ctypes, errno, json, os, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
WORLD = json.loads(os.environ["WORLD"])

def attempt(what, action):
    try:
        result = action()
    except (OSError, MemoryError, EOFError, ValueError) as error:
        print("refused:", what, "-", type(error).__name__, error)
        return None
    print("ESCAPED:", what, repr(result)[:200])
    return result

def escaped(what, condition):
    if condition:
        print("ESCAPED:", what, repr(condition)[:200])

def call(number, *arguments):
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result

def check(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result

def read(path):
    with open(path, "rb") as file:
        return file.read(4096)

def write(path, text=b"x"):
    if path != "/dev/null" and os.stat(path).st_rdev == os.stat("/dev/null").st_rdev:
        raise OSError(errno.EPERM, "covered")  # what is written goes nowhere
    descriptor = os.open(path, os.O_WRONLY)
    try:
        return os.write(descriptor, text)
    finally:
        os.close(descriptor)
`;
