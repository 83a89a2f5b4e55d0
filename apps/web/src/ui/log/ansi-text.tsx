import { type AnsiStyle, needsParsing, parseAnsi, plainStyle } from "@syla/contracts/ansi";
import { Fragment } from "react";
import { segmentStyle } from "./log-row.tsx";

/** Text as a terminal shows it: colours, and lines that were written over. Text nodes alone: nothing in it can become markup. */
export function AnsiText({ text }: { readonly text: string }) {
  if (!needsParsing(text)) return text;
  let before: AnsiStyle = plainStyle;
  return text.split("\n").map((line, index) => {
    const { segments, after } = parseAnsi(line.replace(/\r$/, ""), before);
    before = after;
    return (
      <Fragment key={index}>
        {index === 0 ? "" : "\n"}
        {segments.map((segment, at) => (
          <span key={at} style={segmentStyle(segment.style)}>
            {segment.text}
          </span>
        ))}
      </Fragment>
    );
  });
}
