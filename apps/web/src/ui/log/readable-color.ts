/** A colour as its channels, 0 to 255. */
type Rgb = readonly [number, number, number];

// The most coloured background that a line can have: the one of a linked line.
const lightBackground: Rgb = [232, 232, 252];
const darkBackground: Rgb = [38, 38, 79];
const cache = new Map<string, readonly [string, string]>();

/** Relative luminance (WCAG 2.2). */
function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((value) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  ) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Moves the colour away from the background in small steps until it can be read (4.5 to 1). */
function readableOn(color: Rgb, background: Rgb): string {
  const away = luminance(background) > 0.5 ? 0 : 255;
  let shown = color;
  for (let step = 0; step < 20 && contrast(shown, background) < 4.5; step += 1)
    shown = shown.map((value) => Math.round(value + (away - value) * 0.12)) as unknown as Rgb;
  return `rgb(${shown.join(" ")})`;
}

/** A program's own colour (`#rrggbb`) as it is shown in light and in dark mode. */
export function readableColors(hex: string): readonly [light: string, dark: string] {
  const known = cache.get(hex);
  if (known) return known;
  const rgb: Rgb = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
  const made = [readableOn(rgb, lightBackground), readableOn(rgb, darkBackground)] as const;
  if (cache.size < 4096) cache.set(hex, made);
  return made;
}
