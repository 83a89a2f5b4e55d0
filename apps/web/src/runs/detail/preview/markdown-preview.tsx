import { Box, chakra, Text } from "@chakra-ui/react";
import { Markdown } from "markdown-to-jsx";
import type { ReactNode } from "react";

interface MarkdownPreviewProps {
  readonly text: string;
  readonly label: string;
  /** As high as it is long, without a frame of its own. */
  readonly isWhole?: boolean;
}

/** Markdown as React elements: HTML in it is text, links open elsewhere, and nothing is fetched. */
export function MarkdownPreview({ text, label, isWhole = false }: MarkdownPreviewProps) {
  const frame = isWhole ? { overflowX: "auto" as const } : { tabIndex: 0, overflow: "auto", maxH: "480px", px: "5", py: "4" };
  return (
    <Box role="region" aria-label={label} {...frame} fontSize="sm" outlineOffset="-2px" css={styles}>
      <Markdown options={options}>{text}</Markdown>
    </Box>
  );
}

const options = {
  disableParsingRawHTML: true,
  forceBlock: true,
  overrides: { a: { component: Link }, img: { component: Picture } },
} as const;

/** Only where a person would go: never into the page, and never by a script. */
function Link({ href, children }: { readonly href?: string; readonly children?: ReactNode }) {
  if (href === undefined || !/^(?:https?:|mailto:)/i.test(href)) return <>{children}</>;
  return (
    <chakra.a href={href} target="_blank" rel="noopener noreferrer nofollow" textDecoration="underline">
      {children}
    </chakra.a>
  );
}

function Picture({ alt, src }: { readonly alt?: string; readonly src?: string }) {
  if (src !== undefined && /^data:image\/(?:png|jpeg|gif|webp);base64,/.test(src)) return <img src={src} alt={alt ?? ""} />;
  return (
    <Text as="span" color="fg.muted">
      [{alt === undefined || alt === "" ? "image" : alt}]
    </Text>
  );
}

const styles = {
  "& > div > :first-child": { marginTop: 0 },
  "& h1, & h2, & h3, & h4": { fontWeight: 600, lineHeight: 1.4, marginTop: "16px", marginBottom: "8px" },
  "& h1": { fontSize: "18px" },
  "& h2": { fontSize: "16px" },
  "& p, & ul, & ol, & pre, & table, & blockquote": { marginBottom: "10px" },
  "& ul": { listStyle: "disc", paddingLeft: "20px" },
  "& ol": { listStyle: "decimal", paddingLeft: "20px" },
  "& code": {
    fontFamily: "var(--chakra-fonts-mono)",
    fontSize: "12px",
    background: "var(--chakra-colors-bg-muted)",
    borderRadius: "4px",
    padding: "1px 4px",
  },
  "& pre": { background: "var(--chakra-colors-bg-muted)", borderRadius: "6px", padding: "10px 12px", overflowX: "auto" },
  "& pre code": { background: "none", padding: 0 },
  "& blockquote": { borderLeft: "3px solid var(--chakra-colors-border)", paddingLeft: "12px", color: "var(--chakra-colors-fg-muted)" },
  "& th, & td": { border: "1px solid var(--chakra-colors-border)", padding: "3px 8px", textAlign: "left" },
  "& img": { maxWidth: "100%" },
  "& hr": { margin: "16px 0" },
} as const;
