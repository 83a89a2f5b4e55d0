import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { useEffect, useRef, useState } from "react";
import { syla } from "../../app/api.ts";
import { useColorPreference } from "../../app/color-mode.ts";
import { describeError } from "../../ui/describe-error.ts";

/** The socket's word for a program that has ended. */
const processEnded = 4000;
const retryMs = 1500;

type State = { readonly kind: "open" | "connecting" | "ended" } | { readonly kind: "failed"; readonly message: string };

/** A shell in the sandbox. Leaving the page leaves it running; coming back, or a connection that was lost, joins it again. */
export function TerminalPanel({ id }: { readonly id: string }) {
  const host = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<State>({ kind: "connecting" });
  const [attempt, setAttempt] = useState(0);
  const preference = useColorPreference();
  const shown = useRef<Terminal | null>(null);

  useEffect(() => {
    if (!host.current) return;
    const terminal = new Terminal({ theme: readTheme(), fontSize: 13, scrollback: 5000, cursorBlink: true, screenReaderMode: true });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(host.current);
    fit.fit();
    shown.current = terminal;
    const stop = joinShell(id, terminal, setState);
    const observer = new ResizeObserver(() => fit.fit());
    observer.observe(host.current);
    terminal.focus();
    return () => {
      observer.disconnect();
      stop();
      terminal.dispose();
    };
  }, [id, attempt]);

  useEffect(() => {
    if (shown.current) shown.current.options.theme = readTheme();
  }, [preference]);

  return (
    <Flex direction="column" h="100%" bg="bg.panel">
      {state.kind === "open" ? null : (
        <Flex align="center" gap="3" px={{ base: "4", md: "6" }} py="2" fontSize="sm" color="fg.muted" role="status">
          <Text as="span">{state.kind === "failed" ? state.message : state.kind === "ended" ? "The shell has ended." : "Connecting…"}</Text>
          {state.kind === "connecting" ? null : (
            <Button size="xs" variant="outline" onClick={() => setAttempt(attempt + 1)}>
              New shell
            </Button>
          )}
        </Flex>
      )}
      <Box ref={host} flex="1" minH="0" px={{ base: "2", md: "5" }} py="2" overflow="hidden" />
    </Flex>
  );
}

/** Joins the terminal that is there, or starts a shell on a new one; again after a lost connection. @returns leaves it */
function joinShell(id: string, terminal: Terminal, tell: (state: State) => void): () => void {
  const sandbox = syla.sandboxes.open(id);
  const { processes } = sandbox;
  let socket: WebSocket | null = null;
  let left = false;
  const size = () => ({ columns: terminal.cols, rows: terminal.rows });
  const typed = terminal.onData((text) => socket?.readyState === WebSocket.OPEN && socket.send(new TextEncoder().encode(text)));
  const resized = terminal.onResize(
    ({ cols, rows }) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ columns: cols, rows })),
  );
  const connect = (pid: number) => {
    if (left) return;
    tell({ kind: "connecting" });
    const made = (socket = processes.terminal(pid));
    made.binaryType = "arraybuffer";
    made.addEventListener("open", () => {
      terminal.reset(); // what was there comes again
      made.send(JSON.stringify(size()));
      tell({ kind: "open" });
    });
    made.addEventListener(
      "message",
      ({ data }: MessageEvent<unknown>) => data instanceof ArrayBuffer && terminal.write(new Uint8Array(data)),
    );
    made.addEventListener("close", ({ code }) => {
      if (left) return;
      if (code === processEnded) tell({ kind: "ended" });
      else setTimeout(() => void begin(), retryMs);
    });
  };
  const begin = async () => {
    try {
      if ((await sandbox.get()).pauseReason === "idle") await sandbox.resume();
      const found = (await processes.list()).find((process) => process.terminal);
      connect(found?.pid ?? (await processes.start(["/bin/bash", "-i"], { terminal: size() })).pid);
    } catch (error) {
      if (!left) tell({ kind: "failed", message: describeError(error).message });
    }
  };
  void begin();
  return () => {
    left = true;
    typed.dispose();
    resized.dispose();
    socket?.close();
  };
}

/** The colours of the page. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--chakra-colors-${name}`).trim();
  return {
    background: color("bg-panel"),
    foreground: color("fg"),
    cursor: color("fg"),
    cursorAccent: color("bg-panel"),
    selectionBackground: color("accent-emphasized"),
  };
}
