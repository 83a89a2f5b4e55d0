import { type CSSProperties, memo, type ReactNode } from "react";
import { type AnsiSegment, type AnsiStyle, parseAnsi, needsParsing } from "@syla/contracts/ansi";
import type { Matcher, Span } from "@syla/contracts/log-search";
import type { LogLine } from "./log-buffer.ts";
import { markPiece } from "./log-search.ts";
import { readableColors } from "./readable-color.ts";

function cssColor(color: string | null): string | undefined {
  if (color === null) return undefined;
  return color.startsWith("#") ? color : `var(--a${color})`;
}

/** A program's own colour is changed just as much as it takes to be read in the page's mode. */
function textColor(color: string): CSSProperties {
  if (!color.startsWith("#")) return { color: `var(--a${color})` };
  const [light, dark] = readableColors(color);
  return { color: `light-dark(${light}, ${dark})` };
}

function colorStyle({ color, background, inverse }: AnsiStyle): CSSProperties {
  if (inverse)
    return { background: cssColor(color) ?? "var(--chakra-colors-fg)", color: cssColor(background) ?? "var(--chakra-colors-bg-subtle)" };
  if (background === null) return color === null ? {} : textColor(color);
  return { background: cssColor(background), color: cssColor(color) ?? "var(--chakra-colors-bg)" };
}

/** How a piece of text looks. */
export function segmentStyle(style: AnsiStyle): CSSProperties {
  const css = colorStyle(style);
  if (style.bold) css.fontWeight = 600;
  if (style.dim) css.opacity = 0.75;
  if (style.italic) css.fontStyle = "italic";
  const lines = [style.underline ? "underline" : "", style.strike ? "line-through" : ""].filter(Boolean).join(" ");
  if (lines) css.textDecoration = lines;
  return css;
}

function marked(text: string, offset: number, matches: readonly Span[]): ReactNode {
  if (matches.length === 0) return text;
  return markPiece(text, offset, matches).map((piece, index) =>
    piece.marked ? (
      <mark key={index} className="log-mark">
        {piece.text}
      </mark>
    ) : (
      piece.text
    ),
  );
}

function Segments({ segments, matcher }: { readonly segments: readonly AnsiSegment[]; readonly matcher: Matcher | null }) {
  const matches = matcher?.(segments.map((segment) => segment.text).join("")) ?? [];
  let offset = 0;
  return segments.map((segment, index) => {
    const at = offset;
    offset += segment.text.length;
    return (
      <span key={index} style={segmentStyle(segment.style)}>
        {marked(segment.text, at, matches)}
      </span>
    );
  });
}

/** The line's text as React text nodes: nothing in a log can become markup. */
function LogText({ line, matcher }: { readonly line: LogLine; readonly matcher: Matcher | null }) {
  if (!needsParsing(line.raw) && Object.values(line.before).every((value) => !value)) return marked(line.raw, 0, matcher?.(line.raw) ?? []);
  return <Segments segments={parseAnsi(line.raw, line.before).segments} matcher={matcher} />;
}

interface LogRowProps {
  readonly line: LogLine;
  /** Changes when the line grew. */
  readonly raw: string;
  readonly top: number;
  readonly index: number;
  /** Marks what is looked for. */
  readonly matcher: Matcher | null;
  /** Known when the line has ended. */
  readonly level: LogLine["level"];
  readonly showTime: boolean;
  readonly match: boolean;
  readonly current: boolean;
  readonly linked: boolean;
  readonly href: string | undefined;
  readonly measure?: ((element: HTMLDivElement | null) => void) | undefined;
}

/** One line: its number (a link to it), its time if wanted, its text. */
export const LogRow = memo(function LogRow({
  line,
  top,
  index,
  matcher,
  level,
  showTime,
  match,
  current,
  linked,
  href,
  measure,
}: LogRowProps) {
  return (
    <div
      ref={measure}
      className="log-row"
      data-index={index}
      data-stream={line.stream}
      data-level={level ?? undefined}
      data-match={match || undefined}
      data-current={current || undefined}
      data-linked={linked || undefined}
      style={{ transform: `translateY(${top}px)` }}
    >
      {href === undefined ? (
        <span className="log-number">{line.number}</span>
      ) : (
        <a className="log-number" href={href} tabIndex={-1} aria-label={`Link to line ${line.number}`}>
          {line.number}
        </a>
      )}
      {showTime ? <span className="log-time">{new Date(line.time).toISOString().slice(11, 23)}</span> : null}
      {line.nodeId === null ? null : <span className="log-node">{line.nodeId}</span>}
      <span className="log-text">
        <LogText line={line} matcher={matcher} />
      </span>
    </div>
  );
});
